"""Average precision class by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from edgekit.evaluation.measure import rounded
from edgekit.evaluation.outcome import Slice
from edgekit.evaluation.slices import MOST_SLICES, worst_first
from edgekit.statistics.average_precision import ap_drop
from edgekit.statistics.matching import Found
from edgekit.statistics.multiplicity import simultaneous
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import Array


def class_slices(
    sides: tuple[Found, Found],
    clusters: Array,
    changed: Sequence[Array],
    labels: Sequence[str],
    confidence: float = CONFIDENCE,
) -> tuple[Slice, ...]:
    """A slice for each class that has objects: the images with one, or in which either side found one.

    Args:
        sides: boxes of reference and candidate, in the same images.
        clusters: ``(images,)`` source of each image, numbered.
        changed: for each image, the classes of which both sides' boxes cannot be paired off.
        labels: one a class.
        confidence: two-sided level at which all intervals hold at once.

    Returns:
        As :meth:`edgekit.evaluation.slices.Slices.slices`; none where there are too many classes.
    """
    classes = np.unique(sides[0].object_index)
    if not 0 < len(classes) <= MOST_SLICES:
        return ()
    each = simultaneous(len(classes), confidence)
    counts = np.bincount(np.concatenate([np.zeros(0, np.int64), *changed]), minlength=len(labels))
    return worst_first(_slice(sides, clusters, int(c), labels[c], int(counts[c]), each) for c in classes)


def _slice(
    sides: tuple[Found, Found], clusters: Array, index: int, name: str, changed: int, confidence: float
) -> Slice:
    seen = [side.image[side.index == index] for side in sides]
    images = np.unique(np.concatenate([*seen, sides[0].object_image[sides[0].object_index == index]]))
    sources, of_image = np.unique(clusters[images], return_inverse=True)
    found = ap_drop(_only(sides[0], index, images), _only(sides[1], index, images), of_image)
    assert found is not None  # the class has objects
    interval = found.interval(1.0, confidence).clipped(-1.0, 1.0).scaled(100)
    return Slice(
        kind="class",
        name=name,
        n=len(images),
        clusters=len(sources),
        reference=rounded(100 * found.reference.ap),
        candidate=rounded(100 * found.candidate.ap),
        drop=rounded(100 * found.drop),
        interval=(rounded(interval.low), rounded(interval.high)),
        changed=changed,
    )


def _only(side: Found, index: int, images: Array) -> Found:
    """The boxes and objects of one class, in those images, which are numbered anew."""
    boxes, objects = side.index == index, side.object_index == index
    return replace(
        side,
        images=len(images),
        image=np.searchsorted(images, side.image[boxes]).astype(np.int32),
        index=side.index[boxes],
        score=side.score[boxes],
        hit=side.hit[boxes],
        ignored=side.ignored[boxes],
        object_image=np.searchsorted(images, side.object_image[objects]).astype(np.int32),
        object_index=side.object_index[objects],
    )
