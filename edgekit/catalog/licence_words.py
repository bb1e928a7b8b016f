"""What a need asks of a licence, in English words. No legal advice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from edgekit.bundle.card import Card
from edgekit.catalog.licences import LicenceKind, licence_kind

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
_FORBIDDING: Final[dict[str, tuple[LicenceKind, ...]]] = {
    "closed source": ("copyleft", "non-commercial", "not stated"),
    "commercial use": ("non-commercial", "not stated"),
    "open source": ("own terms", "non-commercial", "not stated"),
}


@dataclass(frozen=True, slots=True)
class LicenceWish:
    """What a licence must allow.

    Attributes:
        named: one licence by name, ``Apache-2.0``; empty for any.
        use: what for; empty where nothing was said.
    """

    named: str = ""
    use: Wish | Literal[""] = ""

    def refusal(self, card: Card) -> str:
        """Why a card's licence does not do, in words; empty where it does.

        A licence that is not stated allows nothing.
        """
        kind = licence_kind(card)
        name = self.named.split("-")[0]
        if name and (
            kind == "not stated" or not re.search(rf"\b{re.escape(name)}", card.license, re.IGNORECASE)
        ):
            return f"asked for {self.named}: its licence is {_first(card.license)}"
        if self.use and kind in _FORBIDDING[self.use]:
            return f"asked for {self.use}: its licence is {_first(card.license)} ({kind})"
        return ""


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
