"""One sample, and where samples come from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edgekit.errors import DataError
from edgekit.types import F32, Array, Frame

Input: TypeAlias = Frame | str
"""What a task is given: a picture, or a text."""


@dataclass(frozen=True, slots=True, eq=False)
class TrueBoxes:
    """The objects in a picture, as COCO knows them.

    Attributes:
        xyxy: ``(n, 4)`` float32, left, top, right, bottom in pixels.
        index: ``(n,)`` int32, class of each.
        crowd: ``(n,)`` bool, regions of many objects: what is found there counts neither for nor against.
    """

    xyxy: F32
    index: Array
    crowd: Array


Truth: TypeAlias = int | str | tuple[str, ...] | TrueBoxes | None
"""A class's index, the text, the answers that count as right, the objects, or ``None`` where nobody said."""

TruthKind: TypeAlias = Literal["label", "text", "answers", "boxes", "none"]


def kind_of(truth: Truth) -> TruthKind:
    """What kind of truth this is."""
    if truth is None:
        return "none"
    if isinstance(truth, TrueBoxes):
        return "boxes"
    if isinstance(truth, tuple):
        return "answers"
    return "text" if isinstance(truth, str) else "label"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Something to measure on, with what is known about it. Nothing is decoded before ``load`` is called.

    Attributes:
        id: a name for people; it does not depend on where the data lies.
        cluster: digest of what it was taken from (the photo of a crop, the clip of a frame): samples of one
            cluster resemble each other, and intervals answer for it.
        load: decodes the input, the same one however often it is called; raises ``DataError``.
        truth: index of its class, its text, its answers, its objects, or ``None``.
        group: the part of the data it belongs to, for slices; empty if the data names none.
    """

    id: str
    cluster: str
    load: Callable[[], Input]
    truth: Truth = None
    group: str = ""

    @property
    def frame(self) -> Frame:
        """The picture, decoded now.

        Raises:
            DataError: it cannot be decoded, or is none.
        """
        content = self.load()
        if not isinstance(content, Frame):
            raise DataError(f"{self.id}: expected a picture, got a text")
        return content


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
        """Yields the samples, always the same ones; their ``load`` works whichever were passed over."""
        ...
