"""What a scorer of one metric is: it sees both results of every sample and keeps sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from edgekit.data.sample import Sample
from edgekit.evaluation.outcome import Flips, Measure, Metric, Slice
from edgekit.statistics.interval import Interval
from edgekit.types import Result

IntervalAt: TypeAlias = Callable[[float, float], Interval]
"""``(scale, confidence)`` → interval."""


@dataclass(frozen=True, slots=True)
class Change:
    """What the candidate did to one sample.

    Attributes:
        changed: whether the decision differs.
        severity: how bad, comparable within a scorer; 0 if nothing to see.
        reference: the reference's decision, and
        candidate: the candidate's, in words.
        truth: what is right, in words, if known.
    """

    changed: bool
    severity: float
    reference: str
    candidate: str
    truth: str | None


@dataclass(frozen=True, slots=True)
class Score:
    """What a scorer found, in fractions.

    Attributes:
        metric: its name.
        meaning: what it is, in one sentence.
        reference: the metric of the reference, and
        candidate: of the candidate; see ``percent``.
        drop: how much worse the candidate is.
        interval_at: interval of the drop, two-sided at a confidence (0–1), as if there were ``scale`` times as
            many samples of the same kind: ``interval_at(scale, confidence)``.
        flips: decisions that differ.
        agreement: of decisions, with its
        agreement_interval: interval.
        clusters: independent sources.
        mcnemar_p: exact p-value, where samples are independent and have a truth.
        measures: other metrics, already in the units of reports.
        percent: whether ``reference`` and ``candidate`` are fractions, which reports tell as percentages. A
            perplexity is none: it is told as it is, and ``drop`` is relative to the reference already, so that
            a relative limit is the same as an absolute one.
        slices: by class, where a sample has several and the scorer alone can part them.
    """

    metric: Metric
    meaning: str
    reference: float
    candidate: float
    drop: float
    interval_at: IntervalAt
    flips: Flips
    agreement: float
    agreement_interval: Interval
    clusters: int
    mcnemar_p: float | None
    measures: tuple[Measure, ...] = ()
    percent: bool = True
    slices: tuple[Slice, ...] = ()


class Scorer(Protocol):
    """Adds up one metric over samples; memory grows with the number of sources, but where a scorer says more.

    The same samples give the same score in whatever order they come, up to the rounding of sums, and more may
    follow after a score was asked for.
    """

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample with both results."""
        ...

    def score(self) -> Score:
        """The result so far.

        Raises:
            DataError: nothing that could be compared.
        """
        ...

    def primary(self) -> Scorer:
        """A new, empty scorer of the same metric without its measures: light enough for a thousand slices."""
        ...
