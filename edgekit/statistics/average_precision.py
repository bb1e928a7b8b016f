"""Average precision of object detectors, as COCO defines it, with each image's influence on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.statistics.influence import influence_moments
from edgekit.statistics.interval import Interval
from edgekit.statistics.matching import F64, IOU_THRESHOLDS, Found
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.statistics.ratio import RatioMoments
from edgekit.types import Array

OVERLAPS = tuple(range(len(IOU_THRESHOLDS)))
RECALLS: F64 = np.linspace(0, 1, 101)
_EPS = np.spacing(1)  # in the denominator of the precision, as pycocotools has it


@dataclass(frozen=True, slots=True, eq=False)
class AveragePrecision:
    """Of one detector, all values 0–1.

    Attributes:
        ap: mean over classes and overlaps.
        classes: ``(k,)`` classes that have objects; the others do not count.
        by_class: ``(k,)`` mean over overlaps of each.
        influence: ``(images,)`` how far each image moves ``ap``: what is left of the derivative by its weight
            once all others are scaled to keep the sum; they sum to 0, their squares to the variance of ``ap``.
        share: ``(images,)`` part of all objects, each class counting alike; sums to 1.
    """

    ap: float
    classes: Array
    by_class: F64
    influence: F64
    share: F64


def average_precision(found: Found, overlaps: Sequence[int] = OVERLAPS) -> AveragePrecision | None:
    """COCO's AP: precision at 101 recalls, each the best at this recall or a higher one.

    The influence is that of the area under the same interpolated curve (the limit of ever more recalls):
    with the hits ``k``, the precision ``P`` at the place ``j*(k) >= k`` where it is best, the boxes ``N``
    counted up to there and ``G`` objects, ``AP = sum_k P(j*(k)) / G``, whose derivative by the weight of one
    image is ``(sum over its hits of P(j*) + sum over its boxes b and all k with j*(k) >= b of
    (hit_b - P(j*(k))) / N(j*(k)) - AP g) / G``. Two cumulative sums give it for all images (infinitesimal
    jackknife: Efron, "The jackknife, the bootstrap and other resampling plans", 1982, ch. 6).

    Args:
        found: boxes and objects of all images.
        overlaps: which of ``IOU_THRESHOLDS``; ``(0,)`` for AP50.

    Returns:
        ``None`` where there is no object.
    """
    if not len(found.object_index):
        return None
    order = np.lexsort((-found.score, found.index))
    classes, objects = np.unique(found.object_index, return_counts=True)
    starts, ends = (np.searchsorted(found.index[order], classes, side) for side in ("left", "right"))
    precisions, areas = np.zeros((2, len(classes), len(overlaps)))
    influence = np.zeros(found.images)
    for c, (start, end, count) in enumerate(zip(starts, ends, objects, strict=True)):
        boxes = order[start:end]
        for column, t in enumerate(overlaps if len(boxes) else ()):
            hits, counted = found.hit[boxes] >> t & 1 == 1, found.ignored[boxes] >> t & 1 == 0
            precisions[c, column], areas[c, column], moved = _curve(hits, counted, int(count))
            influence += np.bincount(found.image[boxes], moved, found.images)
    of_object = np.searchsorted(classes, found.object_index)
    per_object: F64 = 1.0 / objects[of_object] / len(classes)
    share = np.bincount(found.object_image, per_object, found.images).astype(np.float64)
    lost = np.bincount(found.object_image, per_object * areas.mean(axis=1)[of_object], found.images)
    return AveragePrecision(
        ap=float(precisions.mean()),
        classes=classes,
        by_class=precisions.mean(axis=1),
        influence=influence / precisions.size - lost,
        share=share,
    )


@dataclass(frozen=True, slots=True, eq=False)
class ApDrop:
    """How much average precision a candidate lost, measured on the same images as its reference.

    Attributes:
        reference: of the reference, and
        candidate: of the candidate.
        moments: of the difference.
    """

    reference: AveragePrecision
    candidate: AveragePrecision
    moments: RatioMoments

    @property
    def drop(self) -> float:
        """Reference minus candidate, -1 to 1."""
        return self.reference.ap - self.candidate.ap

    def interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        """Interval of the drop.

        Args:
            scale: as if there were that many times as many images of the same kind.
            confidence: two-sided level.
        """
        return self.moments.interval(scale, confidence)


def ap_drop(
    reference: Found, candidate: Found, clusters: Array, overlaps: Sequence[int] = OVERLAPS
) -> ApDrop | None:
    """Compares two detectors.

    Args:
        reference: boxes of the reference, and
        candidate: of the candidate, in the same images in the same order.
        clusters: ``(images,)`` source of each image, numbered from 0 without gaps.
        overlaps: which of ``IOU_THRESHOLDS``; ``(0,)`` for AP50.

    Returns:
        ``None`` where there is no object.
    """
    first, second = average_precision(reference, overlaps), average_precision(candidate, overlaps)
    if first is None or second is None:
        return None
    influence = first.influence - second.influence
    moments = influence_moments(first.ap - second.ap, influence, first.share, clusters)
    return ApDrop(first, second, moments)


def _curve(hits: Array, counted: Array, objects: int) -> tuple[float, float, F64]:
    """One class at one overlap: AP, the area under the curve, and ``(n,)`` the influence of each box.

    Args:
        hits: ``(n,)`` bool, best score first, ``n`` at least 1.
        counted: ``(n,)`` bool, hit or miss, not ignored.
        objects: true ones, at least 1.
    """
    n = len(hits)
    true, boxes = hits.cumsum(), counted.cumsum()
    precision = true / (boxes + _EPS)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(true / objects, RECALLS)
    ap = float(best[reached[reached < n]].sum() / len(RECALLS))
    where = np.where(precision == best, np.arange(n), n)
    where = np.minimum.accumulate(where[::-1])[::-1]  # j*: where the best is reached
    weights = hits / np.maximum(boxes[where], 1)
    later = np.bincount(where, weights, n)[::-1].cumsum()[::-1]
    later_best = np.bincount(where, weights * best, n)[::-1].cumsum()[::-1]
    influence = (hits * (best + later) - counted * later_best) / objects
    return ap, float(best[hits].sum() / objects), influence
