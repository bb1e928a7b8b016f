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
        reference: F1 of the reference, 0–1, and
        candidate: of the candidate.
        moments: of the difference, for its interval.
    """

    reference: float
    candidate: float
    moments: RatioMoments


def f1_drop(reference: Found, candidate: Found, clusters: Array, threshold: float) -> F1Drop | None:
    """``2 hits / (boxes + objects)``, the harmonic mean of precision and recall, of both.

    Args:
        reference: boxes of the reference, and
        candidate: of the candidate, in the same images in the same order.
        clusters: ``(images,)`` source of each image, numbered from 0 without gaps.
        threshold: of scores.

    Returns:
        ``None`` where there is no object.
    """
    objects = len(reference.object_index)
    if not objects:
        return None
    first, influence = _f1(reference, threshold)
    second, influence_candidate = _f1(candidate, threshold)
    share = np.bincount(reference.object_image, minlength=reference.images) / objects
    moments = influence_moments(first - second, influence - influence_candidate, share, clusters)
    return F1Drop(first, second, moments)


def _f1(found: Found, threshold: float) -> tuple[float, F64]:
    """F1, and ``(images,)`` the influence of each image."""
    kept = (found.score >= threshold) & (found.ignored & 1 == 0)
    hits = np.bincount(found.image[kept], found.hit[kept] & 1, found.images)
    counts = np.bincount(found.image[kept], minlength=found.images)
    total: F64 = (counts + np.bincount(found.object_image, minlength=found.images)).astype(np.float64)
    f1 = float(2 * hits.sum() / total.sum())
    return f1, (2 * hits - f1 * total) / total.sum()
