"""Calibration text as sequences of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from edgekit.errors import DataError
from edgekit.types import Array

LENGTH, COUNT = 256, 64
"""Tokens a sequence, and sequences: 16,384 tokens."""

_CHARACTERS = 8
"""A token: more than any text of words has, so that a piece of so many times the length fills its sequence."""


def calibration_sequences(
    texts: Iterable[str],
    encode: Callable[[str], Sequence[int]],
    first: int | None,
    length: int = LENGTH,
    most: int = COUNT,
) -> Array:
    """Pieces at equal distances of all texts together, so that each kind of text has its share.

    Args:
        texts: in any order; short ones are joined.
        encode: text → tokens, no special ones among them.
        first: token that every text begins with; ``None`` for none.
        length: tokens of a sequence.
        most: sequences.

    Returns:
        ``(sequences, length)`` int64, one sequence at least.

    Raises:
        DataError: there is too little text for one.
    """
    joined, room = "\n\n".join(texts), _CHARACTERS * length
    count = min(most, len(joined) // room)
    start = [] if first is None else [first]
    found = []
    for at in range(count):
        offset = at * (len(joined) // count)
        tokens = [*start, *encode(joined[offset : offset + room].lstrip())][:length]
        if len(tokens) == length:
            found.append(tokens)
    if not found:
        raise DataError(
            f"calibration: expected text for one sequence of {length} tokens, got {len(joined):,} characters",
            f"give {room:,} characters or more",
        )
    return np.asarray(found, np.int64)
