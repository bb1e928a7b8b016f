"""What a graph decides about one picture, and which of the reference's decisions another one lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from edgekit.bundle.manifest import ClassHead, CtcHead, DbHead
from edgekit.diagnosis.graph import Graph
from edgekit.errors import BundleError
from edgekit.processing import ctc, db
from edgekit.processing.preprocess import Prepared
from edgekit.types import F32, Array

Decision: TypeAlias = str | tuple[float, float, float, float]
"""A label, a text, or a region's left, top, right and bottom in picture pixels."""

SAME_REGION_IOU = 0.5


def decide(graph: Graph, output: Array, prepared: Prepared) -> tuple[Decision, ...]:
    """The best class, the text, or the regions; nothing where the output does not fit the head."""
    head = graph.model.head
    if isinstance(head, DbHead):
        return tuple(_box(quad) for quad in regions(head, output, prepared))
    try:
        classes = graph.classes
        rows = output.reshape(-1, output.shape[-1]) if output.ndim else output.reshape(1, 1)
        if isinstance(head, CtcHead):
            return (ctc.decode(rows, classes, head.blank)[0].strip(),)
    except BundleError:
        return ()
    best = int(output.reshape(-1).argmax())
    return (classes[best],) if isinstance(head, ClassHead) and best < len(classes) else ()


def regions(head: DbHead, output: Array, prepared: Prepared) -> F32:
    """Regions of text that a map shows, ``(n, 4, 2)`` corners in picture pixels."""
    height, width = output.shape[-2:]
    (content_w, content_h), (scale_x, scale_y) = prepared.content_wh, prepared.scale_xy
    scale_xy = content_w * scale_x / width, content_h * scale_y / height
    size_wh = round(content_w * scale_x), round(content_h * scale_y)
    return db.regions(output.reshape(height, width), head, scale_xy, size_wh)[0]


def _box(quad: Array) -> tuple[float, float, float, float]:
    (left, top), (right, bottom) = quad.min(axis=0).tolist(), quad.max(axis=0).tolist()
    return left, top, right, bottom


def lost(
    reference: Sequence[tuple[Decision, ...]], candidate: Sequence[tuple[Decision, ...]]
) -> frozenset[tuple[int, int]]:
    """Picture and number of each of the reference's decisions that the candidate does not make."""
    return frozenset(
        (i, k)
        for i, (wanted, made) in enumerate(zip(reference, candidate, strict=True))
        for k, decision in enumerate(wanted)
        if not any(_same(decision, other) for other in made)
    )


def _same(a: Decision, b: Decision) -> bool:
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return _iou(a, b) >= SAME_REGION_IOU


def _iou(a: Sequence[float], b: Sequence[float]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(x[2] - x[0]) * (x[3] - x[1]) for x in (a, b)]
    return float(np.float64(width * height) / (sum(areas) - width * height))


def restored(before: frozenset[tuple[int, int]], after: frozenset[tuple[int, int]]) -> float | None:
    """Share of the lost decisions that came back; ``None`` if none was lost."""
    return 1 - len(before & after) / len(before) if before else None
