"""What else is measured of classifiers: top-5, calibration, divergence, area under the ROC curve."""

from __future__ import annotations

import math
from array import array

import numpy as np

from edgekit.evaluation.measure import in_points, in_unit, of_shares
from edgekit.evaluation.outcome import Measure
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.tally import RatioTally
from edgekit.statistics.auc import auc_drop
from edgekit.statistics.calibration import BINS, calibration_error, calibration_rise
from edgekit.types import F32, Array, Classification

LEAST_CLASSES_TOP5 = 10
"""With fewer, nearly everything is among the best five."""

MOST_CLASSES_AUC = 20
"""With more, the area of each against all others says little."""

MOST_SCORES_AUC = 2**22
"""Scores of a side that are kept for the area (16 MB: 200,000 samples of 20 classes); none is told of more."""

SUM_TOLERANCE = 1e-3
"""How far from 1 the scores of a sample may sum and still be probabilities."""

LEAST_PROBABILITY = 1e-12
"""Candidate's probabilities count as at least this, so that one that underflowed costs 27.6 nats at most."""

_TOP5 = "share of samples whose label is among the five best classes"
_ECE = f"expected calibration error: distance of the best class's score from how often it is right, over {BINS} bins"
_KL = (
    "Kullback-Leibler divergence of the candidate's probabilities from the reference's, "
    "mean over samples; 0 where they are equal"
)
_AUC = "area under the ROC curve of each class against all others, mean over classes"


class ClassMeasures:
    """Adds up the measures beside top-1.

    With labels it keeps five numbers a sample for the calibration error and, of up to ``MOST_CLASSES_AUC``
    classes, all scores for the area under the ROC curve. A measure that some sample does not allow (scores
    that are no probabilities) is left out.

    Args:
        labelled: whether samples have a label.
    """

    def __init__(self, labelled: bool) -> None:
        self._labelled = labelled
        self._classes = 0
        self._top5 = PairedShares()
        self._divergence: RatioTally | None = RatioTally()
        self._sides = _Side(), _Side()
        self._truths, self._clusters = array("l"), array("l")
        self._numbers: dict[str, int] = {}

    def add(
        self, cluster: str, truth: int | None, reference: Classification, candidate: Classification
    ) -> None:
        """Adds one sample; ``truth`` is the index of its class."""
        self._classes = len(reference.labels)
        self._add_divergence(cluster, reference.scores, candidate.scores)
        if not self._labelled or truth is None:
            return
        if self._classes >= LEAST_CLASSES_TOP5:
            self._top5.add(cluster, _among(truth, reference), _among(truth, candidate))
        self._truths.append(truth)
        self._clusters.append(self._numbers.setdefault(cluster, len(self._numbers)))
        for side, found in zip(self._sides, (reference, candidate), strict=True):
            side.add(truth, found)

    def measures(self) -> tuple[Measure, ...]:
        """Those that can be had of what was added."""
        found = []
        if len(self._truths):
            if self._classes >= LEAST_CLASSES_TOP5:
                found.append(of_shares("top5", _TOP5, self._top5))
            found += self._calibration()
            found += self._area()
        if self._divergence is not None:
            moments = self._divergence.moments()
            interval = moments.dense_interval().clipped(0.0, math.inf)
            found.append(in_unit("kl", _KL, "nats", None, None, moments.ratio, interval))
        return tuple(found)

    def _add_divergence(self, cluster: str, reference: F32, candidate: F32) -> None:
        if self._divergence is None:
            return
        value = divergence(reference, candidate)
        if value is None:
            self._divergence = None  # one sample without probabilities: there is no mean over all
        else:
            self._divergence.add(cluster, value, 1.0)

    def _calibration(self) -> list[Measure]:
        (was, was_right), (now, now_right) = (
            (np.array(s.confidence), np.array(s.right, bool)) for s in self._sides
        )
        if not all(((values >= 0) & (values <= 1)).all() for values in (was, now)):
            return []
        rise = calibration_rise((was, was_right), (now, now_right), np.array(self._clusters))
        first, second = calibration_error(was, was_right), calibration_error(now, now_right)
        interval = rise.interval().clipped(-1.0, 1.0)
        return [in_points("ece", _ECE, first, second, second - first, interval)]

    def _area(self) -> list[Measure]:
        if any(side.scores is None for side in self._sides):
            return []
        scores = [np.array(side.scores, np.float32).reshape(-1, self._classes) for side in self._sides]
        found = auc_drop(scores[0], scores[1], np.array(self._truths), np.array(self._clusters))
        if found is None:
            return []
        drop, interval = found.reference - found.candidate, found.moments.interval().clipped(-1.0, 1.0)
        return [in_points("auc", _AUC, found.reference, found.candidate, drop, interval)]


class _Side:
    """What is kept of one side's samples, in their order."""

    def __init__(self) -> None:
        self.confidence, self.right = array("f"), array("b")
        self.scores: array[float] | None = array("f")

    def add(self, truth: int, found: Classification) -> None:
        best = found.top(1)[0]
        self.confidence.append(best.score)
        self.right.append(best.index == truth)
        many = self.scores is not None and len(self.scores) + len(found.scores) > MOST_SCORES_AUC
        if many or len(found.scores) > MOST_CLASSES_AUC:
            self.scores = None
        elif self.scores is not None:
            self.scores.extend(np.nan_to_num(found.scores).tolist())


def divergence(reference: Array, candidate: Array) -> float | None:
    """Kullback-Leibler divergence ``sum(p ln(p / q))`` in nats.

    Args:
        reference: ``(classes,)`` probabilities ``p``.
        candidate: ``(classes,)`` probabilities ``q``; at least ``LEAST_PROBABILITY`` each.

    Returns:
        ``None`` where either does not sum to 1: a sigmoid's scores, or broken ones.
    """
    p, q = reference.astype(np.float64), candidate.astype(np.float64)
    for values in (p, q):
        if not (values.min() >= 0 and abs(values.sum() - 1) <= SUM_TOLERANCE):
            return None
    p, q = p / p.sum(), np.maximum(q / q.sum(), LEAST_PROBABILITY)
    some = p > 0
    return max(float((p[some] * np.log(p[some] / q[some])).sum()), 0.0)


def _among(truth: int, found: Classification) -> bool:
    return any(entry.index == truth for entry in found.top(5))
