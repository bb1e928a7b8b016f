"""Scripts of the world by their code points (Unicode 15, Blocks.txt), and which languages are written in them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Script:
    """A script.

    Attributes:
        name: as one says that letters "are Cyrillic".
        languages: BCP 47 tags of those known to edgekit that are written in it.
        least: so many letters are a text and no formula, sign or emblem.
    """

    name: str
    languages: tuple[str, ...]
    least: int = 5


LATIN, HAN, KANA = "Latin", "Chinese characters", "kana"

SCRIPTS: dict[str, Script] = {
    script.name: script
    for script in (
        Script("Greek", ("el",), 8),
        Script("Cyrillic", ("az", "be", "bg", "kk", "mk", "mn", "ru", "sr", "uk", "uz")),
        Script("Armenian", ("hy",)),
        Script("Hebrew", ("he",)),
        Script("Arabic", ("ar", "az", "fa", "ha", "kk", "ms", "pa", "ps", "so", "ur", "uz")),
        Script("Devanagari", ("hi", "mr", "ne")),
        Script("Bengali", ("bn",)),
        Script("Gurmukhi", ("pa",)),
        Script("Gujarati", ("gu",)),
        Script("Tamil", ("ta",)),
        Script("Telugu", ("te",)),
        Script("Kannada", ("kn",)),
        Script("Malayalam", ("ml",)),
        Script("Sinhala", ("si",)),
        Script("Thai", ("th",)),
        Script("Lao", ("lo",)),
        Script("Burmese", ("my",)),
        Script("Georgian", ("ka",)),
        Script("Ethiopic", ("am",)),
        Script("Khmer", ("km",)),
        Script("Mongolian", ("mn",)),
        Script("Hangul", ("ko",), 3),
        Script(KANA, ("ja",), 3),
        Script(HAN, ("ja", "ko", "zh"), 3),
    )
}

LATIN_TOO = frozenset({"az", "ha", "kk", "ms", "so", "sr", "uz"})
"""Languages of the scripts above that are written in Latin letters as well."""

_BLOCKS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, LATIN),
    (0x0370, 0x03FF, "Greek"),
    (0x0400, 0x052F, "Cyrillic"),
    (0x0531, 0x058F, "Armenian"),
    (0x0591, 0x05F4, "Hebrew"),
    (0x0600, 0x06FF, "Arabic"),
    (0x0750, 0x077F, "Arabic"),
    (0x0900, 0x097F, "Devanagari"),
    (0x0980, 0x09FF, "Bengali"),
    (0x0A00, 0x0A7F, "Gurmukhi"),
    (0x0A80, 0x0AFF, "Gujarati"),
    (0x0B80, 0x0BFF, "Tamil"),
    (0x0C00, 0x0C7F, "Telugu"),
    (0x0C80, 0x0CFF, "Kannada"),
    (0x0D00, 0x0D7F, "Malayalam"),
    (0x0D80, 0x0DFF, "Sinhala"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Lao"),
    (0x1000, 0x109F, "Burmese"),
    (0x10A0, 0x10FF, "Georgian"),
    (0x1100, 0x11FF, "Hangul"),
    (0x1200, 0x137F, "Ethiopic"),
    (0x1780, 0x17FF, "Khmer"),
    (0x1800, 0x18AF, "Mongolian"),
    (0x1E00, 0x1EFF, LATIN),
    (0x1F00, 0x1FFF, "Greek"),
    (0x3041, 0x30FF, KANA),
    (0x3400, 0x4DBF, HAN),
    (0x4E00, 0x9FFF, HAN),
    (0xAC00, 0xD7A3, "Hangul"),
    (0xFB50, 0xFDFF, "Arabic"),
    (0xFE70, 0xFEFC, "Arabic"),
    (0xFF21, 0xFF5A, LATIN),
    (0xFF66, 0xFF9D, KANA),
)
"""First and last code point, script; the first ones rise."""

_FIRSTS = [first for first, _, _ in _BLOCKS]


def count_scripts(text: str) -> Counter[str]:
    """Letters by script; those of scripts that are not known here count as ``other``."""
    return Counter(_script_of(letter) for letter in text if letter.isalpha())


def _script_of(letter: str) -> str:
    code = ord(letter)
    at = bisect_right(_FIRSTS, code) - 1
    return _BLOCKS[at][2] if at >= 0 and code <= _BLOCKS[at][1] else "other"
