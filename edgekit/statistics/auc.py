"""Area under the ROC curve, and how much of it a candidate lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.statistics.influence import influence_moments
from edgekit.statistics.ratio import F64, RatioMoments
from edgekit.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class AucDrop:
    """Areas 0–1 of two models on the same samples.

    Attributes:
        reference: of the reference, and
        candidate: of the candidate.
        classes: ``(k,)`` classes that the mean is over: those with samples, but not all of them.
        moments: of the difference, for its interval.
    """

    reference: float
    candidate: float
    classes: Array
    moments: RatioMoments


def auc_drop(reference: Array, candidate: Array, truth: Array, clusters: Array) -> AucDrop | None:
    """One class against the rest, mean over classes (macro); of two classes that is the usual area.

    The interval is made of DeLong's components (Biometrics 44, 1988, 837), summed by source as Obuchowski
    does (Biometrics 53, 1997, 567).

    Args:
        reference: ``(n, classes)`` scores of the reference, any monotone function of probabilities.
        candidate: the same of the candidate.
        truth: ``(n,)`` the true class.
        clusters: ``(n,)`` source of each sample, numbered from 0 without gaps.

    Returns:
        ``None`` where no class has both samples and others.
    """
    classes, counts = np.unique(truth, return_counts=True)
    classes = classes[counts < len(truth)]
    if not len(classes):
        return None
    areas, influence, share = np.zeros(2), np.zeros(len(truth)), np.zeros(len(truth))
    for name in classes:
        positive = truth == name
        first, moved = _area(reference[:, name], positive)
        second, moved_other = _area(candidate[:, name], positive)
        areas += first, second
        influence += moved - moved_other
        share += np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())
    k = len(classes)
    drop = float(areas[0] - areas[1]) / k
    moments = influence_moments(drop, influence / k, share / k, clusters)
    return AucDrop(float(areas[0]) / k, float(areas[1]) / k, classes, moments)


def _area(scores: Array, positive: Array) -> tuple[float, F64]:
    """Area and ``(n,)`` influence of each sample; the squares sum to DeLong's variance.

    The share of the other kind that a sample is on the right side of, from ranks in O(n log n) (Sun & Xu, IEEE
    Signal Processing Letters 21, 2014, 1389). Ties count half.
    """
    ranks, beaten = _midranks(scores), np.empty(len(scores))
    for kind in (positive, ~positive):
        beaten[kind] = (ranks[kind] - _midranks(scores[kind])) / (~kind).sum()
    beaten[~positive] = 1 - beaten[~positive]
    area, influence = float(beaten[positive].mean()), np.empty(len(scores))
    for kind in (positive, ~positive):
        n = int(kind.sum())
        influence[kind] = (beaten[kind] - area) / np.sqrt(n * max(n - 1, 1))
    return area, influence


def _midranks(values: Array) -> F64:
    """Ranks from 1; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last: F64 = counts.cumsum().astype(np.float64)
    return (last - (counts - 1) / 2)[inverse]
