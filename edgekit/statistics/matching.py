"""Which found boxes are true objects, as COCO decides it, and what is kept of that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.types import F32, Array, Detections

F64 = npt.NDArray[np.float64]
I32 = npt.NDArray[np.int32]
U16 = npt.NDArray[np.uint16]

IOU_THRESHOLDS: F64 = np.linspace(0.5, 0.95, 10)
"""Overlaps (intersection over union) from which a box counts as the object: COCO's ten."""

MOST_BOXES = 100
"""Boxes of a class in an image that count, best first: COCO's ``maxDets``."""


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What the boxes found in one image turned out to be.

    Attributes:
        index: ``(n,)`` class of each box.
        score: ``(n,)`` its score.
        hit: ``(n,)`` bit ``t`` is set where the box is an object at ``IOU_THRESHOLDS[t]``.
        ignored: ``(n,)`` bit ``t`` is set where it lies in a crowd and counts neither for nor against.
        objects: ``(g,)`` class of each true object, crowds excepted.
    """

    index: I32
    score: F64
    hit: U16
    ignored: U16
    objects: I32


def matches(found: Detections, xyxy: F32, index: Array, crowd: Array) -> Matches:
    """Greedy assignment of one image's boxes to its objects, class by class, as COCO's evaluation does it.

    Best score first, each box takes the free object that it overlaps most, if by the threshold at least; an
    object is taken once, a crowd as often as boxes lie in it, and only by boxes that no object is left for
    (Lin et al., ECCV 2014; pycocotools ``evaluateImg``, area ``all``, ``maxDets`` 100).

    Args:
        found: what a detector found.
        xyxy: ``(g, 4)`` boxes of the true objects, in pixels of the image.
        index: ``(g,)`` their classes.
        crowd: ``(g,)`` bool, whether it is a region of many objects.
    """
    crowd = np.asarray(crowd, bool)
    order = _best_first(found)
    hit, ignored = np.zeros(len(order), np.uint16), np.zeros(len(order), np.uint16)
    classes = found.index[order]
    for name in np.intersect1d(classes, index):
        boxes, objects = np.flatnonzero(classes == name), np.flatnonzero(index == name)
        objects = objects[np.argsort(crowd[objects], kind="stable")]
        overlap = overlaps(found.xyxy[order[boxes]], xyxy[objects], crowd[objects])
        hit[boxes], ignored[boxes] = _assign(overlap, int((~crowd[objects]).sum()))
    return Matches(
        index=classes.astype(np.int32),
        score=found.score[order].astype(np.float64),
        hit=hit,
        ignored=ignored,
        objects=np.asarray(index)[~crowd].astype(np.int32),
    )


def overlaps(first: F32, second: F32, crowd: Array) -> F64:
    """``(n, g)`` intersection over union; over the first box's own area where the second is a crowd.

    Args:
        first: ``(n, 4)`` left, top, right, bottom.
        second: ``(g, 4)`` the same.
        crowd: ``(g,)`` bool.
    """
    a, b = first.astype(np.float64), second.astype(np.float64)
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    shared = np.where((sides > 0).all(axis=2), sides[..., 0] * sides[..., 1], 0.0)
    area_a, area_b = (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b))
    union = np.where(crowd, area_a[:, None], area_a[:, None] + area_b - shared)
    result: F64 = np.divide(shared, union, out=np.zeros_like(shared), where=shared > 0)
    return result


def _best_first(found: Detections) -> Array:
    """Positions of the boxes that count, by falling score; ties in the order given."""
    order = np.argsort(-found.score, kind="stable")
    seen: dict[int, int] = {}
    kept = []
    for i, name in zip(order.tolist(), found.index[order].tolist(), strict=True):
        seen[name] = seen.get(name, 0) + 1
        if seen[name] <= MOST_BOXES:
            kept.append(i)
    return np.array(kept, np.int64)


def _assign(overlap: F64, objects: int) -> tuple[U16, U16]:
    """Bits of hits and of ignored boxes; ``overlap`` has the true objects first, then the crowds."""
    bits = np.uint16(1) << np.arange(len(IOU_THRESHOLDS), dtype=np.uint16)
    hit, ignored = np.zeros(len(overlap), np.uint16), np.zeros(len(overlap), np.uint16)
    free = np.ones((len(IOU_THRESHOLDS), objects), bool)
    for i in np.flatnonzero(overlap.max(axis=1) >= IOU_THRESHOLDS[0]):
        row = overlap[i]
        enough = row >= IOU_THRESHOLDS[:, None]
        taken = np.zeros(len(IOU_THRESHOLDS), bool)
        if objects:
            able = np.where(free & enough[:, :objects], row[:objects], -1.0)
            best = objects - 1 - np.argmax(able[:, ::-1], axis=1)  # of equal overlaps, the last
            taken = np.take_along_axis(able, best[:, None], axis=1)[:, 0] >= 0
            free[taken, best[taken]] = False
        hit[i] = bits[taken].sum()
        ignored[i] = bits[~taken & enough[:, objects:].any(axis=1)].sum()
    return hit, ignored


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The boxes of one detector in many images, and the true objects, as flat arrays.

    Attributes:
        images: how many.
        image: ``(n,)`` which image each box is in, rising.
        index: ``(n,)``, ``score``, ``hit`` and ``ignored``: as in :class:`Matches`.
        object_image: ``(g,)`` which image each true object is in.
        object_index: ``(g,)`` its class.
    """

    images: int
    image: I32
    index: I32
    score: F64
    hit: U16
    ignored: U16
    object_image: I32
    object_index: I32


class MatchTable:
    """Collects the matches of one detector image by image: 16 bytes a box, 8 an object."""

    def __init__(self) -> None:
        self._rows: list[Matches] = []

    def add(self, image: Matches) -> None:
        """Adds the next image."""
        self._rows.append(image)

    def found(self) -> Found:
        """All so far; image numbers in the order they came."""
        rows = self._rows
        numbers = np.arange(len(rows), dtype=np.int32)
        return Found(
            images=len(rows),
            image=np.repeat(numbers, [len(row.score) for row in rows]),
            index=np.concatenate([np.zeros(0, np.int32), *(row.index for row in rows)]),
            score=np.concatenate([np.zeros(0), *(row.score for row in rows)]),
            hit=np.concatenate([np.zeros(0, np.uint16), *(row.hit for row in rows)]),
            ignored=np.concatenate([np.zeros(0, np.uint16), *(row.ignored for row in rows)]),
            object_image=np.repeat(numbers, [len(row.objects) for row in rows]),
            object_index=np.concatenate([np.zeros(0, np.int32), *(row.objects for row in rows)]),
        )
