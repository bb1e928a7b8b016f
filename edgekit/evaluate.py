"""Measures what a candidate lost against its reference: both see the same samples, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgekit.data.dataset import Dataset
from edgekit.data.sample import Sample
from edgekit.errors import UsageError
from edgekit.evaluation.classes import TopOne
from edgekit.evaluation.noise import OutputNoise
from edgekit.evaluation.outcome import Data, Evaluation, Latency, VerdictOrNone
from edgekit.evaluation.score import Score, Scorer
from edgekit.evaluation.text import CharacterErrors
from edgekit.evaluation.worst import WorstSamples
from edgekit.statistics.gate import gate, least_n, needed_n
from edgekit.statistics.interval import Interval
from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace

SCORERS: dict[str, Callable[[bool], Scorer]] = {"classify": TopOne, "ocr": CharacterErrors}
"""Task name → its scorer, which is told whether samples have a truth."""

WORST = 20
DIGITS = 6  # of percentages in results: more would be noise, fewer could move a gate


def compare(
    reference: Task,
    candidate: Task,
    dataset: Dataset,
    *,
    max_drop: float | None = None,
    relative: bool = False,
    worst: int = WORST,
    thumbnails: bool = False,
    advance: Callable[..., Any] = lambda: None,
) -> Evaluation:
    """Runs both over all samples and scores them.

    Samples stream: memory does not grow with their number, but for a few numbers each.

    Args:
        reference: the full-precision variant.
        candidate: what shall be measured; of the same task.
        dataset: labelled or not; see :func:`edgekit.data.dataset.open_data`.
        max_drop: largest drop allowed, in points; the verdict is ``NONE`` without one.
        relative: whether ``max_drop`` is in percent of the reference's metric instead.
        worst: how many of the samples that changed most are kept.
        thumbnails: whether small pictures of those are kept too.
        advance: called after each sample.

    Raises:
        UsageError: the two are of different tasks or labels, or a relative gate without truth.
        DataError: a picture cannot be read, or nothing could be compared.
        ModelError: an engine failed.
    """
    labelled = dataset.truth != "none"
    scorer = _scorer(reference, candidate, labelled)
    if relative and not labelled:
        raise UsageError(
            "max drop: a relative limit needs labels or texts: disagreement has no reference value",
            "give percentage points, e.g. 2%, or labelled data",
        )
    run = _Run(reference, candidate, scorer, WorstSamples(worst, thumbnails))
    for i, sample in enumerate(dataset):
        run.add(sample, swapped=i % 2 == 1)
        advance()
    limit = max_drop
    score = scorer.score()
    if max_drop is not None and relative:
        limit = max_drop * score.reference
    return _evaluation(run, score, limit, Data(dataset.specs, dataset.sha256, dataset.truth))


class _Run:
    """Both tasks over samples, and what is kept of it."""

    def __init__(self, reference: Task, candidate: Task, scorer: Scorer, worst: WorstSamples) -> None:
        self.task = reference.name
        self.noise = OutputNoise()
        self.worst = worst
        self.times_ms: tuple[list[float], list[float]] = ([], [])
        self._tasks = (reference, candidate)
        self._scorer = scorer

    def add(self, sample: Sample, swapped: bool) -> None:
        """Runs both on one sample; ``swapped`` lets the candidate go first, so that caches favour neither."""
        traces = (Trace(), Trace())
        second_first = self._tasks[1](sample.frame, traces[1]) if swapped else None
        first = self._tasks[0](sample.frame, traces[0])
        second = second_first if second_first is not None else self._tasks[1](sample.frame, traces[1])
        self.noise.add(*traces)
        self.worst.add(sample, self._scorer.add(sample, first, second))
        for times_ms, trace in zip(self.times_ms, traces, strict=True):
            times_ms.append(sum(trace.ns.values()) / 1e6)


def _evaluation(run: _Run, score: Score, max_drop: float | None, data: Data) -> Evaluation:
    n = len(run.times_ms[0])
    verdict, reason, needed = judge(score, n, max_drop)
    return Evaluation(
        task=run.task,
        metric=score.metric,
        meaning=score.meaning,
        n=n,
        clusters=score.clusters,
        unit="picture" if score.clusters == n else "source",
        reference=_percent(score.reference),
        candidate=_percent(score.candidate),
        drop=_percent(score.drop),
        interval=_percents(score.interval_at(1.0)),
        flips=score.flips,
        agreement=_percent(score.agreement),
        agreement_interval=_percents(score.agreement_interval),
        mcnemar_p=score.mcnemar_p,
        sqnr_db=run.noise.sqnr.db,
        sqnr_n=run.noise.sqnr.samples,
        identical=run.noise.sqnr.identical,
        verdict=verdict,
        reason=reason,
        max_drop=None if max_drop is None else round(max_drop, DIGITS),
        needed_n=needed,
        least_n=None if max_drop is None else least_n(max_drop / 100),
        latency_ms={"reference": _latency(run.times_ms[0]), "candidate": _latency(run.times_ms[1])},
        data=data,
        worst=run.worst.worst(),
    )


def judge(score: Score, n: int, max_drop: float | None) -> tuple[VerdictOrNone, str, int | None]:
    """Verdict, the reason in one sentence, and the samples that an inconclusive one would need.

    Args:
        score: in fractions.
        n: samples measured.
        max_drop: in points, or ``None``.
    """
    interval = score.interval_at(1.0).scaled(100)
    what = "disagreement" if score.metric == "disagreement" else "drop"
    span = f"from {interval.low:.2f} to {interval.high:.2f} points"
    if max_drop is None:
        return (
            "NONE",
            f"the {what} is {100 * score.drop:.2f} points, {span} at 95 %; no limit was given",
            None,
        )
    verdict, limit = gate(interval.high, interval.low, max_drop), f"the limit of {max_drop:g}"
    if verdict == "PASS":
        return verdict, f"the {what} is at most {interval.high:.2f} points, within {limit}", None
    if verdict == "FAIL":
        return verdict, f"the {what} is at least {interval.low:.2f} points, over {limit}", None
    needed = needed_n(score.interval_at, n, max_drop / 100)
    known = f"the {what} may be anything {span}, on either side of {limit}"
    if needed is None:
        return verdict, f"{known}; more samples like these would not make it pass", None
    sources = f" from {-(-needed * score.clusters // n):,} sources" if score.clusters < n else ""
    more = f"about {needed:,} samples{sources} would tell, if they go on like these {n:,}"
    return verdict, f"{known}; {more}", needed


def _scorer(reference: Task, candidate: Task, labelled: bool) -> Scorer:
    if reference.name != candidate.name:
        raise UsageError(
            f"reference {reference.bundle_name} is a task {reference.name!r}, "
            f"candidate {candidate.bundle_name} a task {candidate.name!r}",
            "compare bundles of the same model",
        )
    if reference.name not in SCORERS:
        raise UsageError(
            f"validate: no metric for the task {reference.name!r}", f"tasks: {', '.join(SCORERS)}"
        )
    return SCORERS[reference.name](labelled)


def _latency(values_ms: list[float]) -> Latency:
    p50, p95 = np.percentile(values_ms, [50, 95]).tolist()
    return Latency(round(p50, 3), round(p95, 3))


def _percents(interval: Interval) -> tuple[float, float]:
    return _percent(interval.low), _percent(interval.high)


def _percent(fraction: float) -> float:
    return round(100 * fraction, DIGITS) + 0.0  # never -0.0
