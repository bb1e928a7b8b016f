"""A vision-language model as a side of a comparison: questions about pictures are answered."""

from __future__ import annotations

import time
from collections.abc import Callable

from edgekit.data.sample import Input, InputKind, kind_of_input
from edgekit.errors import UsageError
from edgekit.predictions.prediction import Key, Prediction
from edgekit.tasks.settings import Settings
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import Generation, Question

ANSWER_TOKENS = 32
"""Of an answer, at the most: those of data sets are a few words."""


class QuestionSide:
    """See :class:`edgekit.predictions.side.Side`.

    Answers are greedy, and each prompt goes through the model whole, so that an answer follows from its question
    alone, whatever was asked before. What the graph for pictures made of the last few is used again: it is the same to
    the bit.

    Args:
        task: loaded.
    """

    def __init__(self, task: VisionLanguage) -> None:
        self.task = task.name
        self.name = task.bundle_name
        self.variant = task.variant
        self.labels: tuple[str, ...] = ()
        self.accepts: InputKind | None = "question"
        self.model = task

    def predict(self, key: Key, sample_id: str, content: Callable[[], Input]) -> Prediction:
        """Runs the model; see :class:`edgekit.predictions.side.Side`."""
        given = content()
        if not isinstance(given, Question):
            raise UsageError(
                f"{sample_id}: {self.name} takes questions about pictures, got a {kind_of_input(given)}",
                "give it a table with image, question and answer",
            )
        self.model.decoder.rewind(0)
        start = time.perf_counter_ns()
        answer = self.model(given, settings=Settings(max_tokens=ANSWER_TOKENS))
        return Prediction(Generation(answer.text), round((time.perf_counter_ns() - start) / 1e6, 3))
