"""Kinds of licence, told by a card's own words, so that a person can leave some out."""

from __future__ import annotations

import re
from typing import Final, Literal

from edgekit.bundle.card import Card

LicenceKind = Literal["permissive", "attribution", "own terms", "copyleft", "non-commercial", "not stated"]

_KINDS: Final[tuple[tuple[str, LicenceKind], ...]] = (
    ("not stated", "not stated"),
    ("names no licence", "not stated"),
    ("non-commercial", "non-commercial"),
    ("cc-by-nc", "non-commercial"),
    ("agpl", "copyleft"),
    ("gpl", "copyleft"),
    ("gemma", "own terms"),
    ("cc-by", "attribution"),
    ("apache", "permissive"),
    ("mit", "permissive"),
    ("bsd", "permissive"),
)
"""Words of a licence → its kind; the first that is found counts, the stricter ones stand first."""


def licence_kind(card: Card) -> LicenceKind:
    """The kind of a card's licence; what is not known counts as not stated. No legal advice."""
    said = card.license.lower()
    return next((kind for words, kind in _KINDS if re.search(rf"\b{words}", said)), "not stated")
