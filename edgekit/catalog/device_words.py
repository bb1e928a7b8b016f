"""Devices as people call them, and the names that the catalogue has for them."""

from __future__ import annotations

import re

_PI = r"(?:raspberry\s*pi|rasp\s?pi|rpi|r-?pi|pi)"
_PATTERNS: tuple[tuple[str, str], ...] = (  # the first that fits; the more special ones come first
    (rf"{_PI}\s*-?\s*zero(?:\s*2)?(?:\s*w)?", "pi-zero-2"),
    (rf"{_PI}\s*-?\s*5(?:b)?", "pi5"),
    (rf"{_PI}\s*-?\s*4(?:b)?|compute module 4|cm4", "pi4"),
    (r"raspberry\s*pi|raspberry", "pi5"),
    (
        r"microcontrollers?(?:[\s-]class)?|mcus?|micro-controllers?|esp32(?:-\w+)?|arduinos?|stm32\w*|cortex-?m\d*\+?",
        "microcontroller",
    ),
    (r"(?:gpu|cuda|h100|h200|a100)[\s-]*(?:servers?|machines?|box(?:es)?|clusters?|nodes?)?", "server-gpu"),
    (r"(?:cpu[\s-]*)?servers?(?:[\s-]side)?|cloud|data\s?cent(?:er|re)s?|backend", "server-cpu"),
    (
        r"(?:android|smart|mobile|flagship)[\s-]*(?:phones?|devices?)|phones?|iphones?|android|mobiles?|handsets?|tablets?",
        "phone",
    ),
    (
        r"laptop|laptop computer|notebook computer|macbook|(?:mini|desktop|home|office|industrial)[\s-]*(?:pc|computer)|pc"
        r"|desktop|workstation|nuc|my (?:own )?computer",
        "laptop",
    ),
)
_LEAD = r"\b(?:(?:on|for|with|from|using|by)\s+)?(?:(?:a|an|the|my|our|their|one|each|some|small|old|cheap)\s+){0,4}"
_TAIL = r"(?!\w|\s+(?:screens?|chargers?|numbers?|calls?|cases?))"
"""A phone call is no phone that computes."""
_RULES = tuple(
    (re.compile(_LEAD + rf"(?:{words})" + _TAIL, re.IGNORECASE), name) for words, name in _PATTERNS
)


def find_device(text: str) -> tuple[str | None, list[tuple[int, int]]]:
    """The device that a text names first, and where the words of all it names stand."""
    found: list[tuple[int, int, str]] = []
    for rule, name in _RULES:
        for match in rule.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end, _ in found):
                found.append((match.start(), match.end(), name))
    found.sort()
    return (found[0][2] if found else None), [(start, end) for start, end, _ in found]
