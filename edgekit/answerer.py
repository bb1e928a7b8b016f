"""A model that is asked about one frame after another, and what it remembers of the one before.

A picture that is nearly the one before is not encoded anew: the model is given the picture that it knows, so what
its decoder remembers holds too. What an answer may lose by that is measured (``docs/cascade.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from edgekit.processing.region import Region, around, part, steady, whole
from edgekit.processing.thumbnail import Thumbnail, thumbnail
from edgekit.tasks.generate import Generate
from edgekit.tasks.picture import Picture
from edgekit.tasks.question import Question
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.triggers import Match
from edgekit.types import Frame, Generation

Reused: TypeAlias = Literal["picture", "answer"]
"""``picture``: the encoded picture before was taken for this one. ``answer``: its question was the same too, so the
answer is: it is told again, and the model has no work."""

LABEL = "{label}"
"""Place in a prompt about pictures: of the class that triggered the question."""

DEFAULT_REUSE_BELOW = 0.02
"""At most 1 % of the answers differed in any of six clips, and 39 to 97 % of the frames reused a picture; at 0.03 up
to 1.8 %, at 0.06 up to 6.7 % (``benchmarks/cascade_drift.py``)."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """A frame to be asked about.

    Attributes:
        number: which of this run, from 0.
        frame: the picture.
        match: what triggered it.
        text: what was read in the frame; empty where the model is asked about the picture.
    """

    number: int
    frame: Frame
    match: Match
    text: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked, and about which part of a frame.

    Attributes:
        question: words, fields, length.
        crop_margin: asks about what triggered it alone, with a margin of this share of its size; None: whole frames.
        reuse_below: pictures that differ by less are taken to be the same; see
            :meth:`edgekit.processing.thumbnail.Thumbnail.difference`. 0: only the very same part of equal pixels is.
    """

    question: Question
    crop_margin: float | None = None
    reuse_below: float = DEFAULT_REUSE_BELOW


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """The picture that the model was given last, a region of a frame of this size."""

    size_wh: tuple[int, int]
    picture: Picture
    small: Thumbnail
    region: Region


class Answer:
    """One answer while it is made: iterate over its pieces, then ask for ``generation``.

    Attributes:
        question: what the model was asked.
        region: the part of the frame that it was asked about; None of a text.
        reused: what was not made anew, if something was not.
        difference: from the picture that was reused; None where none was.
    """

    def __init__(
        self,
        question: str,
        region: Region | None,
        reused: Reused | None,
        difference: float | None,
        pieces: Iterator[str],
        whole: Callable[[], Generation],
    ) -> None:
        self.question, self.region, self.reused, self.difference = question, region, reused, difference
        self._pieces, self._whole = pieces, whole

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    @property
    def generation(self) -> Generation:
        """The whole answer."""
        return self._whole()


class Answerer:
    """Asks a model.

    Args:
        model: of texts, or of pictures and texts.
        asking: what it is asked.

    Attributes:
        reads: whether it is asked about texts, not about pictures.
        reuse_below: as asking has it.
    """

    def __init__(self, model: Generate, asking: Asking) -> None:
        self.model, self._asking = model, asking
        self.reads, self.reuse_below = not isinstance(model, VisionLanguage), asking.reuse_below
        self._known: _Known | None = None
        self._last: tuple[str, Picture | None, Generation] | None = None

    def begin(self, request: Request, cancelled: Callable[[], bool]) -> Answer:
        """Begins an answer; the model works while its pieces are read.

        Raises:
            DataError, UsageError: the question cannot be asked.
        """
        question = self._asking.question
        asked = question.about(request.text)
        if not isinstance(self.model, VisionLanguage):
            return self._answer(asked, None, None, None, cancelled)
        asked = asked.replace(LABEL, request.match.label)
        region, small = self._look(request)
        before = self._known
        difference = 1.0 if before is None or region != before.region else small.difference(before.small)
        if before is not None and difference < self.reuse_below:
            return self._answer(asked, region, before.picture, difference, cancelled)
        pixels = np.ascontiguousarray(part(request.frame.pixels, region))
        picture = self.model.picture(Frame(pixels, request.frame.color))
        self._known = _Known(request.frame.size_wh, picture, small, region)
        return self._answer(asked, region, picture, None, cancelled)

    def values(self, generation: Generation) -> dict[str, Any] | None:
        """Values of the fields that an answer has; None where none were asked for."""
        return self._asking.question.values(generation)

    def forget(self) -> None:
        """The next picture is taken for a new one: the last one may not have been encoded."""
        self._known = self._last = None

    def _look(self, request: Request) -> tuple[Region, Thumbnail]:
        size_wh, box, margin = request.frame.size_wh, request.match.box, self._asking.crop_margin
        region = whole(size_wh) if box is None or margin is None else around(box, size_wh, margin)
        if self._known is not None and self._known.size_wh == size_wh:
            region = steady(region, self._known.region)
        return region, thumbnail(part(request.frame.pixels, region))

    def _answer(
        self,
        asked: str,
        region: Region | None,
        picture: Picture | None,
        difference: float | None,
        cancelled: Callable[[], bool],
    ) -> Answer:
        if self._last is not None and self._last[0] == asked and self._last[1] is picture:
            known = self._last[2]
            return Answer(asked, region, "answer", difference, iter([known.text]), lambda: known)
        settings = self._asking.question.settings(cancelled)
        if isinstance(self.model, VisionLanguage):
            reply = self.model.stream(asked, picture, settings=settings)
        else:
            reply = self.model.stream(asked, settings=settings)

        def made() -> Generation:
            generation = reply.generation
            self._last = (asked, picture, generation)
            if generation.finish == "cancelled":
                self.forget()
            return generation

        return Answer(asked, region, None if difference is None else "picture", difference, reply, made)
