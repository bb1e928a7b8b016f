"""What a scorer of one metric is: it sees both results of every sample and keeps sums."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from edgekit.data.sample import Sample
from edgekit.evaluation.outcome import Flips, Measure, Metric
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
        candidate: of the candidate.
        drop: how much worse the candidate is.
        interval_at: interval of the drop, two-sided at a confidence (0–1), as if there were ``scale`` times as
            many samples of the same kind: ``interval_at(scale, confidence)``.
        flips: decisions that differ.
        agreement: of decisions, with its
        agreement_interval: interval.
        clusters: independent sources.
        mcnemar_p: exact p-value, where samples are independent and have a truth.
        measures: other metrics, already in the units of reports.
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


class Scorer(Protocol):
    """Adds up one metric over samples; memory grows with the number of sources only."""

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample with both results."""
        ...

    def score(self) -> Score:
        """The result so far.

        Raises:
            DataError: nothing that could be compared.
        """
        ...
