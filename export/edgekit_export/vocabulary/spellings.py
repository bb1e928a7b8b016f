"""Other spellings of the words that texts use: what running text writes now and then, and these texts did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

SPACES = ("▁", "Ġ")
"""How tokens write the space before a word: sentencepiece, and bytes as characters."""

_SHORTEST = 2  # letters; single ones are kept anyway


def other_spellings(ids: Mapping[str, int], counts: Mapping[int, float]) -> dict[int, float]:
    """Tokens that are a word which the texts use, but for its first letter's case or the space before it.

    Args:
        ids: token → id.
        counts: id → how often the texts have it.

    Returns:
        id → how often the texts have the word in its other spellings; none that they have themselves.
    """
    tokens = {i: token for token, i in ids.items()}
    found: dict[int, float] = {}
    for i, n in counts.items():
        for token in _spellings(tokens.get(i, "")):
            other = ids.get(token)
            if other is not None and other not in counts:
                found[other] = found.get(other, 0.0) + n
    return found


def _spellings(token: str) -> Iterator[str]:
    word = token[1:] if token.startswith(SPACES) else token
    if len(word) < _SHORTEST or not word.isalpha():
        return
    for form in {word, word.lower(), word.capitalize()}:
        yield form
        yield from (space + form for space in SPACES)
