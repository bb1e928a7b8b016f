"""A question about a picture file as a source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edgekit.data.sample import Sample, TruthKind, kind_of, recipe_of
from edgekit.processing.images import read_picture
from edgekit.types import Question


@dataclass(frozen=True, slots=True)
class PhotoQuestion:
    """One question; see :class:`edgekit.data.sample.Source`.

    Attributes:
        path: the picture.
        sha256: of the picture: questions about one picture resemble each other.
        question: the question.
        answers: those that count as right; ``None`` where nobody said.
        group: the part of the data it belongs to.
    """

    path: Path
    id: str
    sha256: str
    question: str
    answers: tuple[str, ...] | None
    group: str = ""
    count: int = 1

    @property
    def truth(self) -> TruthKind:
        """What is known about it."""
        return kind_of(self.answers)

    @property
    def recipe(self) -> str:
        """The question and its answers."""
        return f"{self.question!r} {recipe_of(self.answers)}"

    def samples(self) -> Iterator[Sample]:
        """The question with its picture; see :class:`edgekit.data.sample.Source`."""
        yield Sample(self.id, self.sha256, self._load, self.answers, self.group)

    def _load(self) -> Question:
        return Question(read_picture(self.path), self.question)
