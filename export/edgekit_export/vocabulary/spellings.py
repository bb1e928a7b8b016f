"""What running text writes now and then, and given texts may not: other spellings of their words, punctuation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

SPACES = ("▁", "Ġ")
"""How tokens write the space before a word: sentencepiece, and bytes as characters."""

_MOST_MARKS = 3
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


def punctuation(ids: Mapping[str, int]) -> set[int]:
    """Tokens of up to three marks, ASCII's or typographic ones, with a space before them or not: ``,"``, `` —``."""
    marks = ((token.lstrip("".join(SPACES)), i) for token, i in ids.items() if len(token) <= _MOST_MARKS + 1)
    return {i for text, i in marks if 0 < len(text) <= _MOST_MARKS and all(map(_is_mark, text))}


def _is_mark(character: str) -> bool:
    ascii_or_typographic = " " < character < "\x7f" or "\u2010" <= character <= "\u2030"
    return ascii_or_typographic and not character.isalnum()


def _spellings(token: str) -> Iterator[str]:
    word = token[1:] if token.startswith(SPACES) else token
    if len(word) < _SHORTEST or not word.isalpha():
        return
    for form in {word, word.lower(), word.capitalize()}:
        yield form
        yield from (space + form for space in SPACES)
