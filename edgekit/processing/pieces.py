"""Text of tokens as they come, never half a character of it, and never a part of what ends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

HALF = "\ufffd"
"""What a tokenizer gives for bytes that are no whole character."""

MOST_WAITING = 64
"""Tokens that are waited for; a character has four bytes, each at most one token, and the rest is noise."""

_BEFORE = 4
"""Tokens that stay in front, since what a token is as text may depend on the one before."""


class Pieces:
    """Text of a growing list of tokens, by a decoder of whole lists.

    Args:
        decode: token ids → text.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str]) -> None:
        self._decode = decode
        self._window: list[int] = []
        self._told = 0  # characters of the window's text that were given

    def add(self, token: int) -> str:
        """What the token adds; empty while a character is not whole."""
        self._window.append(token)
        text = self._decode(self._window)
        whole = text.rstrip(HALF) if len(self._window) < MOST_WAITING else text
        piece = whole[self._told :]
        if len(whole) == len(text):
            self._window = self._window[-_BEFORE:]
            self._told = len(self._decode(self._window))
        else:
            self._told = max(self._told, len(whole))
        return piece


class Stops:
    """Holds back what may become a stop string, and ends the text in front of one.

    Args:
        stops: strings, none of them empty.

    Attributes:
        found: whether one came; what comes then is left out.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.found = False

    def add(self, piece: str) -> str:
        """What can be told after this piece."""
        if self.found:
            return ""
        text = self._held + piece
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, once nothing follows."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that ``stop`` begins with."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
