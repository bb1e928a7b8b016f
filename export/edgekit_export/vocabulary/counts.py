"""How often texts need each token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any

from edgekit.errors import BundleError, ModelError
from edgekit.processing.tokens import tokenizer_faults

_BATCH = 256
_CAPITALS = 0.3
_LEAST_WORDS = 1_000_000


def read_library(tokenizer: bytes) -> Any:  # noqa: ANN401 (tokenizers ships no types for it)
    """The tokenizers library's object for a ``tokenizer.json``, without truncation and padding.

    Raises:
        ModelError: the library cannot read it.
    """
    from tokenizers import Tokenizer

    with library_faults("no tokenizer that can be read"):
        made = Tokenizer.from_buffer(tokenizer)
    made.no_truncation()
    made.no_padding()
    return made


@contextmanager
def library_faults(what: str = "the tokenizer fails") -> Iterator[None]:
    """What the library says of a file, or panics over, is the model's fault.

    Raises:
        ModelError: instead of that.
    """
    try:
        with tokenizer_faults("tokenizer.json", what):
            yield
    except BundleError as error:
        raise ModelError(error.message) from error


def count_tokens(library: Any, texts: Iterable[str]) -> Counter[int]:  # noqa: ANN401
    """Id → how often it comes in the texts, special tokens that would be added aside.

    Args:
        library: see :func:`read_library`.
        texts: read once.
    """
    found: Counter[int] = Counter()
    waiting = iter(texts)
    while batch := list(islice(waiting, _BATCH)):
        for encoding in library.encode_batch(batch, add_special_tokens=False):
            found.update(encoding.ids)
    return found


def count_words(library: Any, words: Mapping[str, float], tokens: int) -> dict[int, float]:  # noqa: ANN401
    """Id → how often it would come in so many tokens of text of these words, behind a space each.

    Args:
        library: see :func:`read_library`.
        words: word → its share of running text (0–1). Lists are in lower case mostly, so that three tenths as
            many are counted once more with a capital.
        tokens: as many as other texts have, so that both weigh alike; a million at least.
    """
    found: dict[int, float] = {}
    scale = max(tokens, _LEAST_WORDS)
    for form, weight in ((str, 1.0), (str.capitalize, _CAPITALS)):
        waiting = iter(words.items())
        while batch := list(islice(waiting, _BATCH)):
            encodings = library.encode_batch(
                [f" {form(word)}" for word, _ in batch], add_special_tokens=False
            )
            for encoding, (_, share) in zip(encodings, batch, strict=True):
                for i in encoding.ids:
                    found[i] = found.get(i, 0.0) + share * weight * scale
    return found
