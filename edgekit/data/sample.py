"""One sample, and where samples come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edgekit.types import Frame

Truth: TypeAlias = int | str | None
"""A class's index, the text in the picture, or ``None`` where nobody said."""

TruthKind: TypeAlias = Literal["label", "text", "none"]


def kind_of(truth: Truth) -> TruthKind:
    """What kind of truth this is."""
    return "none" if truth is None else "text" if isinstance(truth, str) else "label"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture with what is known about it.

    Attributes:
        id: a name for people; it does not depend on where the data lies.
        cluster: digest of what it was taken from (the photo of a crop, the clip of a frame): samples of one
            cluster resemble each other, and intervals answer for it.
        frame: the picture.
        truth: index of its class, its text, or ``None``.
    """

    id: str
    cluster: str
    frame: Frame
    truth: Truth = None


class Source(Protocol):
    """One file or rendered picture that gives one or more samples. Nothing is decoded before ``samples``.

    Attributes:
        id: a name for people.
        sha256: digest of the content, and the cluster of its samples: data sets that share one overlap.
        count: how many samples it gives.
        truth: what is known about its samples.
        recipe: how samples are taken of it and what is known of them, as part of the data set's digest.
    """

    @property
    def id(self) -> str:
        """Name for people."""
        ...

    @property
    def sha256(self) -> str:
        """Digest of the content."""
        ...

    @property
    def count(self) -> int:
        """Number of samples."""
        ...

    @property
    def truth(self) -> TruthKind:
        """What is known about its samples."""
        ...

    @property
    def recipe(self) -> str:
        """How samples are taken, and their truth."""
        ...

    def samples(self) -> Iterator[Sample]:
        """Decodes and yields the samples, always the same ones.

        Raises:
            DataError: it cannot be read or decoded.
        """
        ...
