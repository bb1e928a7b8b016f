"""A vision-language model with its question: a task of pictures like any other, for the camera loop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edgekit.engines.protocol import Session
from edgekit.tasks.question import Question
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import Array, Content, Generation, Kind


class Prompted:
    """Asks the same about every picture; see :class:`edgekit.tasks.protocol.Task`.

    Args:
        model: is asked.
        question: about a picture.
    """

    accepts: Kind = "picture"

    def __init__(self, model: VisionLanguage, question: Question) -> None:
        self._model, self._question = model, question
        self.name, self.bundle_name, self.variant = model.name, model.bundle_name, model.variant
        self.engine, self.threads = model.engine, model.threads
        self.sessions: Mapping[str, Session] = model.sessions

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> Generation:
        """The answer about one picture."""
        return self._model(self._question.about(""), trace, self._question.settings(), given)
