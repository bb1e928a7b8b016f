"""Foreign text and long lists, fit for one line of a message. Pure."""

from __future__ import annotations

from collections.abc import Collection

SHOWN = 8


def printable(text: str, limit: int = 120) -> str:
    """Foreign text: quoted, shortened, control characters escaped."""
    short = text if len(text) <= limit else text[:limit] + "…"
    return repr(short)


def some_of(items: Collection[str]) -> str:
    """The first items in sorted order, and how many there are more."""
    shown = ", ".join(printable(item) for item in sorted(items)[:SHOWN]) or "nothing"
    return shown if len(items) <= SHOWN else f"{shown} and {len(items) - SHOWN} more"


def counted(number: int, noun: str) -> str:
    """Such as ``1 tile`` and ``2 tiles``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
