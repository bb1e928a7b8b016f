"""A text becomes the ids of its tokens, by the tokenizer that the model was trained with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.manifest import TextInput
from edgekit.errors import BundleError, DataError, EnvironmentLacks
from edgekit.types import Array, Kind


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
        self._tokenizer.enable_truncation(spec.max_tokens)
        if not spec.fixed:
            self._tokenizer.no_padding()
        elif self._tokenizer.padding is None:
            raise BundleError(f"{spec.tokenizer}: has no padding, which an input of fixed length needs")
        else:
            self._tokenizer.enable_padding(**{**self._tokenizer.padding, "length": spec.max_tokens})

    def __call__(self, given: object) -> Mapping[str, Array]:
        """Input name → integers ``(1, tokens)``.

        Raises:
            DataError: it is no text, or gives no token at all.
        """
        if not isinstance(given, str):
            raise DataError(f"text: expected a str, got {type(given).__name__}")
        if (lone := next((c for c in given if "\ud800" <= c <= "\udfff"), None)) is not None:
            raise DataError(
                f"text: U+{ord(lone):04X} is half of a character", "give it text that is valid Unicode"
            )
        encoding = self._tokenizer.encode(given)
        if not encoding.ids:
            raise DataError("text: gives no token", "give it a text that is not empty")
        rows = {
            self._spec.ids: encoding.ids,
            self._spec.mask: encoding.attention_mask,
            self._spec.types: encoding.type_ids,
        }
        return {name: np.asarray([row], self._spec.dtype) for name, row in rows.items() if name is not None}


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
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:
        raise BundleError(f"{path.name}: no tokenizer that can be read: {error}") from error
