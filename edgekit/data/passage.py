"""A piece of text as a source: a document, a paragraph, a line, or the text of a table's row."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from edgekit.data.sample import Truth
from edgekit.data.undivided import Undivided
from edgekit.errors import DataError


@dataclass(frozen=True, slots=True)
class Passage(Undivided):
    """One text, read when it is asked for; see :class:`edgekit.data.sample.Source`.

    Attributes:
        sha256: digest of the text in UTF-8: each passage is a cluster of its own.
        whole_sha256: digest of the file that it was taken from, so that a file overlaps with its parts;
            empty for a row of a table.
        read: gives the text again.
        known: the class that it is relevant to, or ``None``.
        group: the part of the data it belongs to.
    """

    id: str
    sha256: str
    whole_sha256: str
    read: Callable[[], str]
    known: Truth = None
    group: str = ""

    def _load(self) -> str:
        text = self.read()
        if digest_of(text) != self.sha256:
            raise DataError(f"{self.id}: the text has changed since it was opened")
        return text


def digest_of(text: str) -> str:
    """SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
