"""Measures what candidates lost against their reference: all see the same samples, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from edgekit.data.conditions import under
from edgekit.data.dataset import Dataset
from edgekit.data.sample import Input, Sample, kind_of_input
from edgekit.errors import UsageError
from edgekit.evaluation.noise import noise_of
from edgekit.evaluation.options import Options
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.evaluation.outcome import Data, Evaluation
from edgekit.evaluation.standing import Standing
from edgekit.predictions.journal import Journal
from edgekit.predictions.language import score_together
from edgekit.predictions.prediction import Key, Prediction
from edgekit.predictions.side import Side
from edgekit.statistics.spending import look_confidences, plan_looks
from edgekit.statistics.sqnr import energies
from edgekit.tasks.golden import alike, decision
from edgekit.types import Frame, Question

OWN_TRUTH = frozenset({"generate"})
"""Tasks that are measured on the input itself, a text: they have a reference value without labels."""

Noise = tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of it.

    Attributes:
        evaluations: one a candidate, in their order.
        matrix: agreement of all sides, the reference first.
        times_ms: of each side, the reference first, one entry a sample that was timed.
    """

    evaluations: tuple[Evaluation, ...]
    matrix: AgreementMatrix
    times_ms: tuple[tuple[float, ...], ...]


def compare(
    reference: Side,
    candidates: Sequence[Side],
    dataset: Dataset,
    options: Options = Options(),  # noqa: B008 (immutable)
    *,
    journal: Journal | None = None,
    advance: Callable[..., Any] = lambda: None,
) -> Comparison:
    """Runs all over all samples and scores them.

    Samples stream: memory does not grow with their number, but for a few numbers each. The evaluations follow
    from the predictions alone, so that a run that goes on from a journal ends as one that was never interrupted.

    Args:
        reference: the full-precision variant, or what it said.
        candidates: what shall be measured; of the same task.
        dataset: labelled or not; see :func:`edgekit.data.dataset.open_data`.
        options: gate, looks, conditions.
        journal: takes every prediction, and gives those of an interrupted run.
        advance: called after each sample.

    Raises:
        UsageError: sides of different tasks, inputs or labels, or a relative gate without truth.
        DataError: a sample cannot be decoded, or nothing could be compared.
        ModelError: an engine failed.
    """
    labelled = dataset.truth != "none"
    for candidate in candidates:
        check_sides(reference, candidate)
    check_relative(options.relative, reference.task, dataset)
    sides = (reference, *candidates)
    standings = [Standing(reference.task, labelled, options) for _ in candidates]
    run = _Run(sides, standings, journal)
    confidences = look_confidences(plan_looks(len(dataset), options.looks))
    for numbers, confidence in zip(stages(dataset, options), confidences, strict=True):
        for number, sample in dataset.at(numbers):
            for condition in ("", *options.conditions):
                run.add(Key(number, condition), sample)
            advance()
        clear = [standing.look(confidence) for standing in standings]
        if all(clear):
            break
    data = Data(dataset.specs, dataset.sha256, dataset.truth)
    evaluations = tuple(standing.evaluation(data) for standing in standings)
    return Comparison(evaluations, run.matrix(), tuple(map(tuple, run.times_ms)))


def stages(dataset: Dataset, options: Options) -> list[list[int]]:
    """Numbers of the samples up to each look, rising.

    With one look that is all of them; with more, each stage is an even draw of the whole.
    """
    numbers = np.array(dataset.numbers, np.int64)
    ends = plan_looks(len(numbers), options.looks)
    if len(ends) > 1:
        numbers = numbers[np.random.default_rng(options.seed).permutation(len(numbers))]
    return [sorted(numbers[a:b].tolist()) for a, b in pairwise((0, *ends))]


class _Run:
    """All sides over samples, and what is kept of it."""

    def __init__(self, sides: Sequence[Side], standings: Sequence[Standing], journal: Journal | None) -> None:
        self.times_ms: tuple[list[float], ...] = tuple([] for _ in sides)
        self._sides = sides
        self._standings = standings
        self._journal = journal
        self._alike = np.zeros((len(sides), len(sides)), np.int64)
        self._n = 0

    def add(self, key: Key, sample: Sample) -> None:
        """Takes one sample's predictions from the journal, or makes them, and scores them."""
        found = self._journal.next(key) if self._journal else None
        predictions, noise = found or self._predict(key, sample)
        for i, standing in enumerate(self._standings):
            standing.add(*key, sample, predictions[0].result, predictions[i + 1].result, noise[i])
        for times_ms, prediction in zip(self.times_ms, predictions, strict=True):
            if prediction.ms is not None:
                times_ms.append(prediction.ms)
        if not key.condition:
            decisions = [decision(p.result) for p in predictions]
            task = self._sides[0].task
            self._alike += np.array([[alike(task, a, b) for b in decisions] for a in decisions])
            self._n += 1

    def matrix(self) -> AgreementMatrix:
        """Agreement of all sides with each other, on the samples as they are."""
        percent = np.round(100 * self._alike / max(self._n, 1), 4)
        names = tuple(side.variant for side in self._sides)
        return AgreementMatrix(names, tuple(tuple(row) for row in percent.tolist()), self._n)

    def _predict(self, key: Key, sample: Sample) -> tuple[list[Prediction], tuple[Noise, ...]]:
        content = lru_cache(maxsize=1)(lambda: content_of(key, sample))
        predictions = score_together(self._sides, content) or self._one_by_one(key, sample, content)
        noise = tuple(_noise(predictions[0], other) for other in predictions[1:])
        if self._journal:
            self._journal.add(key, sample.id, predictions, noise)
        return predictions, noise

    def _one_by_one(self, key: Key, sample: Sample, content: Callable[[], Input]) -> list[Prediction]:
        n = len(self._sides)
        order = [(key.number + i) % n for i in range(n)]  # all take turns, so that caches favour none
        made = {i: self._sides[i].predict(key, sample.id, content) for i in order}
        return [made[i] for i in range(n)]


def content_of(key: Key, sample: Sample) -> Input:
    """A sample's input, under the key's condition if it names one.

    Raises:
        DataError: it cannot be decoded.
        UsageError: a condition for a text or a sound.
    """
    content = sample.load()
    if not key.condition:
        return content
    if not isinstance(content, Frame | Question):
        what = kind_of_input(content)
        raise UsageError(
            f"{sample.id}: is a {what}; {key.condition} is for pictures", "leave --robustness out"
        )
    picture = content.frame if isinstance(content, Question) else content
    changed = under(key.condition, picture, sample.id)
    return replace(content, frame=changed) if isinstance(content, Question) else changed


def _noise(reference: Prediction, candidate: Prediction) -> Noise:
    """Signal and noise energy, from the engine calls where both have just run, else from recorded outputs."""
    if reference.trace is not None and candidate.trace is not None:
        return noise_of(reference.trace, candidate.trace)
    first, second = reference.raw, candidate.raw
    return None if first is None or second is None or len(first) != len(second) else energies(first, second)


def check_relative(relative: bool, task: str, dataset: Dataset) -> None:
    """Checks that a limit can be relative, where it is.

    Raises:
        UsageError: there is no truth that the reference could be measured by.
    """
    if relative and dataset.truth == "none" and task not in OWN_TRUTH:
        raise UsageError(
            "max drop: a relative limit needs labels or texts: disagreement has no reference value",
            "give percentage points, e.g. 2%, or labelled data",
        )


def check_sides(reference: Side, candidate: Side) -> None:
    """Checks that both can be given the same samples.

    Raises:
        UsageError: sides of different tasks, or one takes texts and the other pictures.
    """
    if reference.task != candidate.task:
        raise UsageError(
            f"reference {reference.name} is a task {reference.task!r}, "
            f"candidate {candidate.name} a task {candidate.task!r}",
            "compare bundles of the same model",
        )
    taken = reference.accepts, candidate.accepts
    if None not in taken and taken[0] != taken[1]:
        raise UsageError(
            f"reference {reference.name} takes {taken[0]}s, candidate {candidate.name} {taken[1]}s",
            "compare bundles of the same model",
        )
