"""A text becomes the ids of its tokens, by the tokenizer that the model was trained with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.manifest import TextInput
from edgekit.bundle.messages import printable
from edgekit.errors import BundleError, DataError, EnvironmentLacks
from edgekit.types import Array, Kind

MAX_CHARACTERS = 1_000_000
"""Of one text. All of it becomes tokens before what is too long is cut off: this much takes 2 to 10 s."""


def check_text(text: str, shorten: str) -> None:
    """Refuses what no tokenizer should be given.

    Args:
        text: of anyone.
        shorten: remedy for one that is too long.

    Raises:
        DataError: half of a character in it, or more than :data:`MAX_CHARACTERS`.
    """
    if (lone := next((c for c in text if "\ud800" <= c <= "\udfff"), None)) is not None:
        raise DataError(
            f"text: U+{ord(lone):04X} is half of a character", "give it text that is valid Unicode"
        )
    if len(text) > MAX_CHARACTERS:
        raise DataError(f"text: {len(text):,} characters, expected up to {MAX_CHARACTERS:,}", shorten)


class TextEncoder:
    """See :class:`edgekit.tasks.encoder.Encoder`.

    Args:
        spec: of the graph's inputs.
        folder: holds the tokenizer.

    Raises:
        EnvironmentLacks: the tokenizers library is not installed.
        BundleError: it cannot read the tokenizer, or a text of fixed length has no padding in it.
    """

    kind: Kind = "text"

    def __init__(self, spec: TextInput, folder: Path) -> None:
        self._spec = spec
        self._tokenizer = load_tokenizer(folder / spec.tokenizer)
        with tokenizer_faults(spec.tokenizer):
            self._tokenizer.enable_truncation(spec.max_tokens)
            padding = self._tokenizer.padding
            self._tokenizer.no_padding()
        if spec.fixed and padding is None:
            raise BundleError(f"{spec.tokenizer}: has no padding, which an input of fixed length needs")
        if spec.fixed:  # a multiple to pad to could make it longer than that, by any amount
            exact = {**padding, "length": spec.max_tokens, "pad_to_multiple_of": None}
            with tokenizer_faults(spec.tokenizer):
                self._tokenizer.enable_padding(**exact)

    def __call__(self, given: object) -> Mapping[str, Array]:
        """Input name → integers ``(1, tokens)``.

        Raises:
            DataError: it is no text, is longer than ``MAX_CHARACTERS``, or gives no token at all.
            BundleError: the tokenizer fails at it, or gives more tokens than allowed, or numbers beyond the dtype.
        """
        if not isinstance(given, str):
            raise DataError(f"text: expected a str, got {type(given).__name__}")
        check_text(
            given, f"give it in parts: the model reads the first {self._spec.max_tokens} tokens of each"
        )
        spec = self._spec
        with tokenizer_faults(spec.tokenizer):
            encoding = self._tokenizer.encode(given)
        if not encoding.ids:
            raise DataError("text: gives no token", "give it a text that is not empty")
        if len(encoding.ids) > spec.max_tokens:  # special tokens alone, or no room beside them
            raise BundleError(
                f"{spec.tokenizer}: gives {len(encoding.ids)} tokens, expected up to {spec.max_tokens}"
            )
        largest = max(*encoding.ids, *encoding.type_ids)
        if largest > np.iinfo(spec.dtype).max:
            raise BundleError(f"{spec.tokenizer}: gives the number {largest}, expected {spec.dtype}")
        rows = {spec.ids: encoding.ids, spec.mask: encoding.attention_mask, spec.types: encoding.type_ids}
        return {name: np.asarray([row], spec.dtype) for name, row in rows.items() if name is not None}


def load_tokenizer(path: Path) -> Any:  # noqa: ANN401 (tokenizers ships no types for it)
    """The library's object for a ``tokenizer.json``.

    Raises:
        EnvironmentLacks: the tokenizers library is not installed.
        BundleError: it cannot read the file.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise EnvironmentLacks(f"text: {error}", "pip install 'edgekit[text]'") from error
    with tokenizer_faults(path.name, "no tokenizer that can be read"):
        return Tokenizer.from_file(str(path))


@contextmanager
def tokenizer_faults(name: str, what: str = "the tokenizer fails") -> Iterator[None]:
    """Whatever the library says of a file that is none, or of one that it can read and not use, is the bundle's fault.

    Raises:
        BundleError: instead of its errors, and of the panics of its Rust, which are no ``Exception``.
    """
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__module__ != "pyo3_runtime":
            raise
        raise BundleError(f"{name}: {what}: {printable(str(error))}") from error
