"""F1 of object detectors at one score threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.statistics.influence import influence_moments
from edgekit.statistics.matching import Found
from edgekit.statistics.ratio import F64, RatioMoments
from edgekit.types import Array


@dataclass(frozen=True, slots=True, eq=False)
class F1Drop:
    """Of two detectors on the same images, at an overlap of 0.5, over all classes together.

    Attributes:
        threshold: boxes with at least this score count, of either detector.
        reference: F1 of the reference, 0–1, and
        candidate: of the candidate.
        moments: of the difference, for its interval.
    """

    threshold: float
    reference: float
    candidate: float
    moments: RatioMoments


def f1_drop(
    reference: Found, candidate: Found, clusters: Array, threshold: float | None = None
) -> F1Drop | None:
    """``2 hits / (boxes + objects)``, the harmonic mean of precision and recall, of both.

    Args:
        reference: boxes of the reference, and
        candidate: of the candidate, in the same images in the same order.
        clusters: ``(images,)`` source of each image, numbered from 0 without gaps.
        threshold: of scores; without one, :func:`best_threshold` of the reference. It is taken as fixed.

    Returns:
        ``None`` where there is no object.
    """
    objects = len(reference.object_index)
    if not objects:
        return None
    if threshold is None:
        threshold = best_threshold(reference)
    first, influence = _f1(reference, threshold)
    second, influence_candidate = _f1(candidate, threshold)
    share = np.bincount(reference.object_image, minlength=reference.images) / objects
    moments = influence_moments(first - second, influence - influence_candidate, share, clusters)
    return F1Drop(threshold, first, second, moments)


def best_threshold(found: Found) -> float:
    """The score at which F1 is best; half-way to the next lower one, so that rounding does not matter."""
    counted = found.ignored & 1 == 0
    order = np.argsort(-found.score[counted], kind="stable")
    scores, hits = found.score[counted][order], (found.hit[counted][order] & 1).cumsum()
    if not len(scores):
        return 0.0
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + len(found.object_index))
    lower = np.append(scores[1:], 0.0)
    f1[scores == lower] = -1  # a threshold cannot part equal scores
    best = int(np.argmax(f1))
    return float((scores[best] + lower[best]) / 2)


def _f1(found: Found, threshold: float) -> tuple[float, F64]:
    """F1, and ``(images,)`` the influence of each image."""
    kept = (found.score >= threshold) & (found.ignored & 1 == 0)
    hits = np.bincount(found.image[kept], found.hit[kept] & 1, found.images)
    counts = np.bincount(found.image[kept], minlength=found.images)
    total: F64 = (counts + np.bincount(found.object_image, minlength=found.images)).astype(np.float64)
    f1 = float(2 * hits.sum() / total.sum())
    return f1, (2 * hits - f1 * total) / total.sum()
