"""What metrics are called, and in what they are told."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.evaluation.measure import POINTS
from edgekit.evaluation.outcome import Metric
from edgekit.report.wording import points


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric and its difference, which is above 0 where the candidate is worse.

    Attributes:
        name: of the metric.
        drop: name of the difference.
        unit: of the difference: percentage ``points``, or ``%`` of the reference's value.
    """

    name: str
    drop: str
    unit: str = POINTS

    def level(self, value: float) -> str:
        """A value of the metric itself: ``88.00 %``, or ``12.34`` where it is no percentage."""
        return f"{points(value)} %" if self.unit == POINTS else points(value)

    @property
    def axis(self) -> str:
        """What a plot of the difference measures."""
        return "percentage points" if self.unit == POINTS else "percent of the reference's value"


def _fall(name: str) -> MetricName:
    return MetricName(name, f"drop of {name}")


def _rise(name: str, unit: str = POINTS) -> MetricName:
    return MetricName(name, f"rise of {name}", unit)


METRICS: dict[Metric, MetricName] = {
    "top1": _fall("top-1 accuracy"),
    "cer": _rise("character error rate"),
    "wer": _rise("word error rate"),
    "ap": _fall("average precision"),
    "recall_at_1": _fall("recall at 1"),
    "exact_match": _fall("exact match"),
    "perplexity": _rise("perplexity", "%"),
    "bits_per_byte": _rise("bits per byte", "%"),
    "choice_accuracy": _fall("multiple-choice accuracy"),
    "disagreement": MetricName("disagreement", "disagreement"),
}
