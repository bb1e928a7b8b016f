"""Sources that are one sample each: a recording, a piece of text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from edgekit.data.sample import Input, Sample, Truth, TruthKind, kind_of, recipe_of


class Undivided(ABC):
    """What they share; see :class:`edgekit.data.sample.Source`.

    Attributes:
        known: the truth of its sample, or ``None``.
        group: the part of the data it belongs to.
    """

    __slots__ = ()
    id: str
    sha256: str
    known: Truth
    group: str

    @property
    def count(self) -> int:
        """One."""
        return 1

    @property
    def truth(self) -> TruthKind:
        """What is known about its sample."""
        return kind_of(self.known)

    @property
    def recipe(self) -> str:
        """The truth."""
        return recipe_of(self.known)

    def samples(self) -> Iterator[Sample]:
        """The one; see :class:`edgekit.data.sample.Source`."""
        yield Sample(self.id, self.sha256, self._load, self.known, self.group)

    @abstractmethod
    def _load(self) -> Input:
        """Decodes it."""
