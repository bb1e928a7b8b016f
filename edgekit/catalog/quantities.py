"""Sizes, times and numbers of parameters, as people write them in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

QuantityKind = Literal["bytes", "memory_bytes", "ms", "token_ms", "parameters"]

_SPELLED = {
    "half a": 0.5,
    "a": 1,
    "an": 1,
    "one": 1,
    "two": 2,
    "three": 3,
    "five": 5,
    "ten": 10,
    "hundred": 100,
}
# A number in words ends where a space does: "as" is no "a s".
_NUMBER = rf"(?P<number>\d[\d,]*(?:\.\d+)?|\.\d+|(?:{'|'.join(_SPELLED)})(?=[\s-]))"
_BYTES = {
    r"bytes?": 1,
    r"k(?:ilo)?b(?:ytes?)?": 10**3,
    r"m(?:ega)?b(?:ytes?)?|megs?": 10**6,
    r"g(?:iga)?b(?:ytes?)?|gigs?": 10**9,
    r"kib": 2**10,
    r"mib": 2**20,
    r"gib": 2**30,
}
_MS = {
    r"[uµ]s|microseconds?": 0.001,
    r"ms|msecs?|milliseconds?|millis": 1.0,
    r"s|secs?|seconds?": 1000.0,
    r"min|minutes?": 60_000.0,
}
_COUNTS = {r"k|thousand": 10**3, r"m|million": 10**6, r"b|bn|billion": 10**9}
_LIMIT = (
    r"(?:(?:no more than|not more than|less than|smaller than|faster than|at most|up to|in under|within|under|below"
    r"|about|around|roughly|some|max(?:imum)?(?: of)?|budget of|limit of|<=|≤|<|~|of)\s*){0,4}"
)
_RATE = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*(?:fps|(?P<what>frames?|tokens?)\s*(?:/|per|a)\s*s(?:ec(?:ond)?)?)\b",
    re.IGNORECASE,
)
_EACH = (
    r"(?:\s*(?:/|per|a|an|each|every)\s*"
    r"(?:(?P<token>tokens?)|(?:page|picture|image|photo|frame|item|answer|call|document|line)s?))?"
)
_LONG = (
    r"(?![\s-]*(?:long\b|clips?|recordings?|videos?|audio|files?|calls?|meetings?|segments?|windows?|speech|sounds?|films?"
    r"|of\s+(?:audio|video|speech|sound|recording|film|music)))"
)
"""How long an input lasts is no limit of the time it may take."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit, and where it stands.

    Attributes:
        kind: ``bytes`` of a model, ``memory_bytes`` of a machine, ``ms`` an input, ``token_ms`` a token of an answer,
            ``parameters``.
        value: in that unit.
        start, end: of the words in the text, with those that bound them (``under``).
    """

    kind: QuantityKind
    value: float
    start: int
    end: int


def find_quantities(text: str) -> list[Quantity]:
    """All quantities of a text, in order; of those that overlap the first rule's."""
    found: list[Quantity] = []
    for one in (*_parameters(text), *_rates(text), *_bytes(text), *_times(text)):
        # A limit of nothing is none: "0 MB" is a slip of the pen, and no model has it.
        if one.value > 0 and all(one.end <= other.start or one.start >= other.end for other in found):
            found.append(one)
    return sorted(found, key=lambda one: one.start)


def _parameters(text: str) -> Iterator[Quantity]:
    for unit, factor in _COUNTS.items():
        for match in _matches(rf"(?:{unit})[\s-]*(?:parameters?|params?|weights)", text):
            yield Quantity("parameters", _value(match) * factor, match.start(), match.end())


def _rates(text: str) -> Iterator[Quantity]:
    for match in _RATE.finditer(text):
        if (rate := float(match["number"])) > 0:
            kind: QuantityKind = "token_ms" if (match["what"] or "").lower().startswith("token") else "ms"
            yield Quantity(kind, 1000.0 / rate, match.start(), match.end())


def _bytes(text: str) -> Iterator[Quantity]:
    for unit, factor in _BYTES.items():
        for match in _matches(rf"(?:{unit})(?P<memory>\s+(?:of\s+)?(?:ram|memory))?", text):
            kind: QuantityKind = "memory_bytes" if match["memory"] else "bytes"
            yield Quantity(kind, _value(match) * factor, match.start(), match.end())


def _times(text: str) -> Iterator[Quantity]:
    for unit, factor in _MS.items():
        for match in _matches(rf"(?:{unit})(?![\w]){_EACH}{_LONG}", text):
            yield Quantity(
                "token_ms" if match["token"] else "ms", _value(match) * factor, match.start(), match.end()
            )


def _matches(after: str, text: str) -> Iterator[re.Match[str]]:
    # A letter before the number is a name (`yolov8s`, `pi5`); so is one right after the unit.
    return re.finditer(rf"{_LIMIT}(?<![\w.-])(?<!\d,){_NUMBER}[\s-]*{after}(?![\w-])", text, re.IGNORECASE)


def _value(match: re.Match[str]) -> float:
    number = match["number"].lower()
    if number in _SPELLED:
        return float(_SPELLED[number])
    # "1,500" has thousands, "1,5" a decimal comma.
    thousands = re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", number) is not None
    return float(number.replace(",", "" if thousands or number.count(",") > 1 or "." in number else "."))
