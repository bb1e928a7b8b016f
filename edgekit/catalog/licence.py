"""What a licence lets people do, in a few classes, and what a need asks of one. No legal advice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

LicenceClass = Literal["permissive", "copyleft", "non-commercial", "own terms", "unknown"]

_CLASSES: Final[tuple[tuple[str, LicenceClass], ...]] = (  # the first that fits
    (r"non-?commercial|\bnc\b|research[- ]only|cc-by-nc", "non-commercial"),
    (r"\bA?L?GPL|copyleft|share-?alike|cc-by-sa|MPL-2|EUPL", "copyleft"),
    (r"terms of use|community licen[cs]e|use policy|\bRAIL|proprietary", "own terms"),
    (r"\bMIT\b|Apache|BSD|ISC\b|Unlicense|CC0|cc-by-4|CC-BY-3|public domain|Zlib", "permissive"),
)
_NAMED = (
    (r"apache(?:[\s-]*(?:licen[cs]e)?[\s-]*(?:v(?:ersion)?\s*)?2(?:\.0)?)?", "Apache-2.0"),
    (r"mit(?=[\s-]+licen[cs]|\b)", "MIT"),
    (r"bsd(?:[\s-]*[23](?:[\s-]*clause)?)?", "BSD"),
)
_CLOSED = (
    r"royalty[- ]free|closed[- ]source(?: products?| apps?)?|proprietary(?: products?| apps?| software)?|no (?:a?gpl|copyleft)"
    r"|(?:without|not|avoid\w*) (?:a?gpl|copyleft)|permissive(?:ly licen[cs]ed| licen[cs]es?)?|no copyleft"
)
_COMMERCIAL = (
    r"(?:for )?commercial(?:ly)?(?: use| usage| products?| apps?| purposes?)?|sell(?:ing)?(?: it| them)?|paid (?:product|app)s?"
    r"|free for commercial use"
)
_OPEN = r"open[- ]source(?: licen[cs]e)?|free software"
_LEAD = r"(?:(?:with|under|for|in|has|have) )?(?:(?:an?|the|my|our) )?"
_TAIL = r"(?:[\s-]+licen[cs]\w*)?"

Wish = Literal["closed source", "commercial use", "open source"]


@dataclass(frozen=True, slots=True)
class LicenceWish:
    """What a licence must allow.

    Attributes:
        named: one licence by name, ``Apache-2.0``; empty for any.
        use: what for; empty where nothing was said.
    """

    named: str = ""
    use: Wish | Literal[""] = ""

    def refusal(self, license: str) -> str:
        """Why this licence does not do, in words; empty where it does."""
        if self.named and self.named.split("-")[0].lower() not in license.lower():
            return f"asked for {self.named}: its licence is {_first(license)}"
        kind = licence_class(license)
        if self.use == "closed source" and kind in ("copyleft", "non-commercial"):
            return f"asked for {self.use}: its licence is {_first(license)} ({kind})"
        if self.use == "commercial use" and kind == "non-commercial":
            return f"asked for {self.use}: its licence is {_first(license)} ({kind})"
        if self.use == "open source" and kind in ("own terms", "non-commercial"):
            return f"asked for {self.use}: its licence is {_first(license)} ({kind})"
        return ""


def licence_class(license: str) -> LicenceClass:
    """The class of a card's licence, by its words; the strictest of several."""
    for words, kind in _CLASSES:
        if re.search(words, license, re.IGNORECASE):
            return kind
    return "unknown"


def find_licence(text: str) -> tuple[LicenceWish | None, list[tuple[int, int]]]:
    """What a text asks of a licence, and where the words stand."""
    spans: list[tuple[int, int]] = []

    def seen(words: str) -> bool:
        found = [m.span() for m in re.finditer(rf"\b{_LEAD}(?:{words}){_TAIL}(?!\w)", text, re.IGNORECASE)]
        spans.extend(found)
        return bool(found)

    use: Wish | Literal[""] = ""
    if seen(_CLOSED):
        use = "closed source"
    if seen(_COMMERCIAL):
        use = use or "commercial use"
    if seen(_OPEN):
        use = use or "open source"
    named = next((name for words, name in _NAMED if seen(words)), "")
    return (LicenceWish(named, use) if named or use else None), spans


def wish_of(text: str) -> LicenceWish:
    """A wish as ``--licence`` has it: a licence's name, or ``closed-source``, ``commercial``, ``open-source``."""
    return find_licence(text)[0] or LicenceWish(named=text.strip())


def _first(license: str) -> str:
    """The part of a licence that names it; cards add sentences."""
    return re.split(r"[;(]| with ", license)[0].strip()
