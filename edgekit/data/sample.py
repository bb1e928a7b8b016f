"""One sample, and where samples come from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from edgekit.errors import DataError
from edgekit.types import F32, Array, Content, Frame, Kind, Question


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with answers to choose from.

    Attributes:
        question: what comes before the answer.
        answers: as they follow it, white space between them included; 2 at least.
    """

    question: str
    answers: tuple[str, ...]


Input: TypeAlias = Content | Question | Choice
"""What a task is given: a picture, a text, a sound, a question about a picture, or one with answers to choose from."""


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

    def __post_init__(self) -> None:
        n = len(self.index)
        if self.xyxy.shape != (n, 4) or self.index.shape != (n,) or self.crowd.shape != (n,):
            raise DataError(
                f"true boxes: expected xyxy ({n}, 4), index and crowd ({n},), "
                f"got {self.xyxy.shape}, {self.index.shape} and {self.crowd.shape}"
            )


Truth: TypeAlias = int | str | tuple[str, ...] | TrueBoxes | None
"""A class's index, the text, the answers that count as right, the objects, or ``None`` where nobody said."""

InputKind: TypeAlias = Kind | Literal["question", "choice"]


def kind_of_input(content: Input) -> InputKind:
    """What kind of input this is."""
    if isinstance(content, Question):
        return "question"
    if isinstance(content, Choice):
        return "choice"
    if isinstance(content, Frame):
        return "picture"
    return "text" if isinstance(content, str) else "sound"


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


def recipe_of(truth: Truth) -> str:
    """The truth as part of a data set's digest: equal for equal truths, on every machine."""
    if not isinstance(truth, TrueBoxes):
        return repr(truth)
    parts = (truth.xyxy.astype("<f4"), truth.index.astype("<i4"), truth.crowd.astype("u1"))
    return f"{len(truth.index)} boxes {hashlib.sha256(b''.join(p.tobytes() for p in parts)).hexdigest()}"


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
    def content(self) -> Content:
        """The picture, text or sound, decoded now.

        Raises:
            DataError: it cannot be decoded, or is a question.
        """
        content = self.load()
        if isinstance(content, Question | Choice):
            raise DataError(f"{self.id}: expected a picture, a text or a sound, got a question")
        return content

    @property
    def frame(self) -> Frame:
        """The picture, also that of a question, decoded now.

        Raises:
            DataError: it cannot be decoded, or is none.
        """
        content = self.load()
        if isinstance(content, Question):
            return content.frame
        if not isinstance(content, Frame):
            raise DataError(f"{self.id}: expected a picture, got a {kind_of_input(content)}")
        return content


class Source(Protocol):
    """A file, a part of one or a rendered picture that gives one or more samples. Opening it decodes nothing.

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
