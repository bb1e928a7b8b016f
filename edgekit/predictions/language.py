"""A language model as a side of a comparison: texts are scored and gone on from, and so are answers to choose from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from edgekit.data.sample import Choice, Input, InputKind, kind_of_input
from edgekit.errors import UsageError
from edgekit.evaluation.divergence import exact_divergence, log_probabilities
from edgekit.predictions.prediction import Key, Prediction
from edgekit.predictions.side import Side
from edgekit.tasks.generate import WINDOW, Generate, likeliest
from edgekit.tasks.settings import Settings
from edgekit.types import F32, Array, ChoiceScores, TokenScores

TOP = 32
"""Likeliest tokens that are kept at each place: what a recording knows of the others is their sum."""

PROMPT_CHARACTERS = 160
"""Of a text's beginning that both sides go on behind; half of a shorter text."""

ANSWER_TOKENS = 32
"""That are made behind it, greedily."""


class LanguageSide:
    """See :class:`edgekit.predictions.side.Side`.

    Args:
        task: loaded.
        tokenizer: digest of what it cuts texts with.
    """

    def __init__(self, task: Generate, tokenizer: str) -> None:
        self.task = task.name
        self.name = task.bundle_name
        self.variant = task.variant
        self.labels: tuple[str, ...] = ()
        self.accepts: InputKind | None = task.accepts
        self.model = task
        self.tokenizer = tokenizer

    def predict(self, key: Key, sample_id: str, content: Callable[[], Input]) -> Prediction:
        """Runs the model; see :class:`edgekit.predictions.side.Side`."""
        given = content()
        if isinstance(given, str):
            return score_text([self], given)[0]
        if not isinstance(given, Choice):
            raise UsageError(f"{sample_id}: {self.name} takes a text, got a {kind_of_input(given)}")
        start = time.perf_counter_ns()
        scores = [_mean_by_byte(self.model, given.question, answer) for answer in given.answers]
        return Prediction(ChoiceScores(np.array(scores, np.float32)), _ms(time.perf_counter_ns() - start))


def score_together(sides: Sequence[Side], content: Callable[[], Input]) -> list[Prediction] | None:
    """Predictions of all for a text, step by step side by side, so that divergences are exact.

    ``None`` where that cannot be: not all sides are language models that are loaded, they cut texts with different
    tokenizers, or it is no text.

    Args:
        sides: the reference first.
        content: gives the input.
    """
    models = [side for side in sides if isinstance(side, LanguageSide)]
    if len(models) < len(sides) or len({(side.tokenizer, side.model.vocabulary) for side in models}) > 1:
        return None
    given = content()
    return score_text(models, given) if isinstance(given, str) else None


def score_text(sides: Sequence[LanguageSide], text: str) -> list[Prediction]:
    """Token scores of a text by each side; those of all but the first know how far they are from the first's.

    Windows are those of :meth:`edgekit.tasks.generate.Generate.rows`, of up to 512 tokens each or the smallest context.
    All scores of one batch are held at once: 64 MiB in all, and a few times that while they are compared.

    Args:
        sides: with the same tokenizer.
        text: of two tokens at least.

    Raises:
        DataError: there is nothing to score.
        ModelError: an engine failed.
    """
    window = min(WINDOW, *(side.model.capacity for side in sides))
    batch = max(1, min(side.model.batch for side in sides) // len(sides))
    found = [_Scored() for _ in sides]
    walks = [side.model.rows(text, window, batch) for side in sides]
    while (steps := _next(walks, found)) is not None:
        reference = log_probabilities(steps[0][1]) if len(sides) > 1 else None
        for (targets, scores), one in zip(steps, found, strict=True):
            one.add(targets, scores, None if one is found[0] else reference)
    return [_prediction(side, one, text) for side, one in zip(sides, found, strict=True)]


class _Scored:
    """What is kept of one side."""

    def __init__(self) -> None:
        self.parts: list[tuple[F32, Array, F32]] = []
        self.divergence = 0.0
        self.compared = False
        self.ns = 0

    def add(self, targets: Array, scores: F32, reference: F32 | None) -> None:
        self.parts.append(likeliest(targets, scores, TOP))
        if reference is not None:
            self.compared = True
            self.divergence += exact_divergence(reference, log_probabilities(scores))


def _next(
    walks: Sequence[Iterator[tuple[Array, F32]]], found: Sequence[_Scored]
) -> list[tuple[Array, F32]] | None:
    """The next places of all sides; ``None`` behind the last."""
    steps = []
    for walk, one in zip(walks, found, strict=True):
        start = time.perf_counter_ns()
        step = next(walk, None)
        one.ns += time.perf_counter_ns() - start
        if step is None:
            return None
        steps.append(step)
    return steps


def _prediction(side: LanguageSide, scored: _Scored, text: str) -> Prediction:
    logprob, index, best = (np.concatenate(parts) for parts in zip(*scored.parts, strict=True))
    answer, answer_text = _go_on(side.model, text)
    result = TokenScores(
        logprob,
        index,
        best,
        text_bytes=len(text.encode()),
        tokenizer=side.tokenizer,
        divergence=scored.divergence if scored.compared else None,
        answer=answer,
        answer_text=answer_text,
    )
    return Prediction(result, _ms(scored.ns))


def _go_on(model: Generate, text: str) -> tuple[tuple[int, ...], str]:
    """Tokens and text that the model greedily makes behind the text's beginning."""
    prompt = model.tokens(beginning(text))[: max(model.capacity // 2, 1)]
    made = model(prompt, settings=Settings(max_tokens=ANSWER_TOKENS))
    return made.tokens, made.text


def beginning(text: str) -> str:
    """What both sides go on behind: whole words of the first half, 160 characters at the most, one at least."""
    cut = text[: max(min(PROMPT_CHARACTERS, len(text) // 2), 1)]
    words, space, _ = cut.rpartition(" ")
    return words if space and words.strip() else cut


def _mean_by_byte(model: Generate, question: str, answer: str) -> float:
    return float(model.follow(question, answer).sum(dtype=np.float64)) / len(answer.encode())


def _ms(ns: int) -> float:
    return round(ns / 1e6, 3)
