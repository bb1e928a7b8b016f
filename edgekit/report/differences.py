"""What differs between two texts, for marking."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TypeAlias

Pieces: TypeAlias = list[tuple[str, bool]]
"""Pieces of a text in order, and whether each differs from the other text."""

SHORT = 300  # characters up to which single characters are compared; longer texts by word
LONGEST = 4000  # words; beyond that nothing is marked, as comparing grows with the square


def differences(one: str, two: str) -> tuple[Pieces, Pieces]:
    """Marks what each of two texts has that the other has not (Ratcliff and Obershelp 1988).

    Returns:
        The pieces of ``one`` and of ``two``; joined, each gives its text.
    """
    short = max(len(one), len(two)) <= SHORT
    a, b = (list(text) if short else re.findall(r"\s+|\S+", text) for text in (one, two))
    if max(len(a), len(b)) > LONGEST:
        return [(one, False)], [(two, False)]
    first: Pieces = []
    second: Pieces = []
    for what, a0, a1, b0, b1 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        for pieces, tokens in ((first, a[a0:a1]), (second, b[b0:b1])):
            if tokens:
                pieces.append(("".join(tokens), what != "equal"))
    return first, second
