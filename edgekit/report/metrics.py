"""What metrics are called."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.evaluation.outcome import Metric


@dataclass(frozen=True, slots=True)
class MetricName:
    """A metric's name and that of its difference, which is above 0 where the candidate is worse."""

    name: str
    drop: str


def _fall(name: str) -> MetricName:
    return MetricName(name, f"drop of {name}")


def _rise(name: str) -> MetricName:
    return MetricName(name, f"rise of {name}")


METRICS: dict[Metric, MetricName] = {
    "top1": _fall("top-1 accuracy"),
    "cer": _rise("character error rate"),
    "wer": _rise("word error rate"),
    "ap": _fall("average precision"),
    "recall_at_1": _fall("recall at 1"),
    "exact_match": _fall("exact match"),
    "perplexity": _rise("perplexity"),
    "disagreement": MetricName("disagreement", "disagreement"),
}
