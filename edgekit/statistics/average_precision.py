"""Average precision of object detectors, as COCO defines it, with each image's influence on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from edgekit.statistics.influence import influence_moments
from edgekit.statistics.interval import Interval
from edgekit.statistics.matching import F64, IOU_THRESHOLDS, Found
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.statistics.ratio import RatioMoments
from edgekit.types import Array

OVERLAPS = tuple(range(len(IOU_THRESHOLDS)))
RECALLS: F64 = np.linspace(0, 1, 101)
SHIFTS = 8
"""Places of the 101 recalls, each an eighth of a step below the one before, COCO's own first."""

_SHIFTED = np.concatenate(
    [RECALLS, *(np.append(0, RECALLS[1:] - shift / SHIFTS / 100) for shift in range(1, SHIFTS))]
)
_EPS = np.spacing(1)  # in the denominator of the precision, as pycocotools has it
_BIAS_POWER = 0.4  # of the number of images by which the bias falls: the slowest of 0.4 to 0.6 measured
_SPLITS, _SPLIT_SOURCES = 8, 2000  # most splits into halves; fewer where one says enough


@dataclass(frozen=True, slots=True, eq=False)
class AveragePrecision:
    """Of one detector, all values 0–1.

    Attributes:
        ap: mean over classes and overlaps.
        classes: ``(k,)`` classes that have objects; the others do not count.
        by_class: ``(k,)`` AP of each.
        areas: ``(k,)`` area under the curve of each, what AP would be with ever more recalls.
        shifted: ``(SHIFTS,)`` ``ap``, and what it would be had COCO put its recalls a little elsewhere.
        influence: ``(images,)`` how far each image moves ``ap``: what is left of the derivative by its weight
            once all others are scaled to keep the sum; they sum to 0, their squares to the variance of ``ap``.
        share: ``(images,)`` part of all objects, each class counting alike; sums to 1.
    """

    ap: float
    classes: Array
    by_class: F64
    areas: F64
    shifted: F64
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
    classes, objects, ranked = _by_class(found)
    shifted, areas = np.zeros((len(classes), SHIFTS)), np.zeros(len(classes))
    influence = np.zeros(found.images)
    for c, (boxes, count) in enumerate(zip(ranked, objects, strict=True)):
        moved = np.zeros(len(boxes))
        for t in overlaps if len(boxes) else ():
            hits, counted = found.hit[boxes] >> t & 1 == 1, found.ignored[boxes] >> t & 1 == 0
            precisions, area, boxes_moved = _curve(hits, counted, int(count))
            shifted[c] += precisions
            areas[c] += area
            moved += boxes_moved
        influence += np.bincount(found.image[boxes], moved, found.images)
    shifted, areas = shifted / len(overlaps), areas / len(overlaps)
    of_object = np.searchsorted(classes, found.object_index)
    per_object: F64 = 1.0 / objects[of_object] / len(classes)
    share = np.bincount(found.object_image, per_object, found.images).astype(np.float64)
    lost = np.bincount(found.object_image, per_object * areas[of_object], found.images)
    return AveragePrecision(
        ap=float(shifted[:, 0].mean()),
        classes=classes,
        by_class=shifted[:, 0],
        areas=areas,
        shifted=shifted.mean(axis=0),
        influence=influence / len(overlaps) / len(classes) - lost,
        share=share,
    )


@dataclass(frozen=True, slots=True, eq=False)
class ApDrop:
    """How much average precision a candidate lost, measured on the same images as its reference.

    Attributes:
        reference: of the reference, and
        candidate: of the candidate.
        moments: of the difference, its recalls evened out: the mean over ``SHIFTS``.
        rounding: how far that is from the difference at one of the ``SHIFTS``, at most.
        bias: what of the difference comes of having few images: above 0 if it is too large for that.
    """

    reference: AveragePrecision
    candidate: AveragePrecision
    moments: RatioMoments
    rounding: float
    bias: float

    @property
    def drop(self) -> float:
        """Reference minus candidate, -1 to 1."""
        return self.reference.ap - self.candidate.ap

    def interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        """Interval of the drop: by the images' influence, widened by rounding and, on its side, by bias.

        AP takes the curve at 101 recalls, so that it jumps where the last recall reached passes one of them.
        That is no matter of chance in the images, does not get less with more of them, and is no smaller on
        the side of the truth: the interval answers for it with what other recalls would have given.

        Args:
            scale: as if there were that many times as many images of the same kind.
            confidence: two-sided level.
        """
        chance, bias = self.moments.interval(scale, confidence), self.bias / scale**_BIAS_POWER
        return Interval(
            chance.low - self.rounding - max(bias, 0.0), chance.high + self.rounding + max(-bias, 0.0)
        )


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
    shifted = first.shifted - second.shifted
    middle = float(shifted.mean())
    return ApDrop(
        reference=first,
        candidate=second,
        moments=influence_moments(middle, first.influence - second.influence, first.share, clusters),
        rounding=float(np.abs(shifted - middle).max()),
        bias=_bias((reference, candidate), clusters, overlaps, first.areas - second.areas),
    )


def _bias(sides: tuple[Found, Found], clusters: Array, overlaps: Sequence[int], whole: F64) -> float:
    """How much too large the drop is for having few images.

    The interpolated curve takes the best precision among later places, so it gains by chance, the more the
    fewer images, and the more where more boxes are wrong: more for a damaged candidate. The drop on halves of
    the images shows how much more at half their number; as it falls about as ``n^-0.4``, what is left
    in the whole is that by ``2^0.4 - 1``.

    Args:
        sides: boxes of reference and candidate.
        clusters: ``(images,)`` source of each; sources are not parted.
        overlaps: which of ``IOU_THRESHOLDS``.
        whole: ``(classes,)`` drop of the area in all images.
    """
    sources = int(clusters.max()) + 1
    if sources < 2:
        return 0.0
    ranked, rng = [_by_class(side) for side in sides], np.random.default_rng(0)
    of_object = np.searchsorted(ranked[0].classes, sides[0].object_index)
    total, seen = np.zeros(len(whole)), np.zeros(len(whole))
    for _ in range(min(max(_SPLIT_SOURCES // sources, 1), _SPLITS)):
        chosen = (rng.permutation(sources) % 2 == 0)[clusters]
        for half in (chosen, ~chosen):
            objects = np.bincount(of_object, half[sides[0].object_image])
            first, second = (
                _areas(side, rows, half, overlaps) for side, rows in zip(sides, ranked, strict=True)
            )
            total += (first - second) / np.maximum(objects, 1)
            seen += objects > 0
    return float((total / seen - whole).mean() / (2**_BIAS_POWER - 1))


class _Ranked(NamedTuple):
    """By class: the class, its objects, the numbers of its boxes, best score first."""

    classes: Array
    objects: Array
    boxes: list[Array]


def _by_class(found: Found) -> _Ranked:
    order = np.lexsort((-found.score, found.index))
    classes, objects = np.unique(found.object_index, return_counts=True)
    index = found.index[order]
    starts, ends = np.searchsorted(index, classes, "left"), np.searchsorted(index, classes, "right")
    return _Ranked(classes, objects, [order[start:end] for start, end in zip(starts, ends, strict=True)])


def _areas(found: Found, ranked: _Ranked, images: Array, overlaps: Sequence[int]) -> F64:
    """``(classes,)`` area under the curve of each class in some images, mean over overlaps, times its objects.

    Args:
        found: all boxes.
        ranked: them by class.
        images: ``(images,)`` bool.
        overlaps: which of ``IOU_THRESHOLDS``.
    """
    bits, areas = np.array(overlaps, np.uint16)[:, None], np.zeros(len(ranked.classes))
    for c, row in enumerate(ranked.boxes):
        boxes = row[images[found.image[row]]]
        if len(boxes):
            hits, counted = found.hit[boxes] >> bits & 1 == 1, found.ignored[boxes] >> bits & 1 == 0
            precision = hits.cumsum(axis=1, dtype=np.int32) / (counted.cumsum(axis=1, dtype=np.int32) + _EPS)
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            areas[c] = best[hits].sum() / len(overlaps)
    return areas


def _curve(hits: Array, counted: Array, objects: int) -> tuple[F64, float, F64]:
    """One class at one overlap: ``(SHIFTS,)`` AP, the area under the curve, and ``(n,)`` the influence of each box.

    Args:
        hits: ``(n,)`` bool, best score first, ``n`` at least 1.
        counted: ``(n,)`` bool, hit or miss, not ignored.
        objects: true ones, at least 1.
    """
    n = len(hits)
    true, boxes = hits.cumsum(), counted.cumsum()
    precision = true / (boxes + _EPS)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    reached = np.searchsorted(true / objects, _SHIFTED)
    shifted: F64 = np.append(best, 0.0)[reached].reshape(SHIFTS, -1).mean(axis=1)
    where = np.where(precision == best, np.arange(n), n)
    where = np.minimum.accumulate(where[::-1])[::-1]  # j*: where the best is reached
    weights = hits / np.maximum(boxes[where], 1)
    later = np.bincount(where, weights, n)[::-1].cumsum()[::-1]
    later_best = np.bincount(where, weights * best, n)[::-1].cumsum()[::-1]
    influence = (hits * (best + later) - counted * later_best) / objects
    return shifted, float(best[hits].sum() / objects), influence
