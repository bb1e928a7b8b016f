"""Non-maximum suppression: of boxes that overlap, only the best stays."""

from __future__ import annotations

import numpy as np

from edgekit.processing.boxes import ious
from edgekit.types import F32, Array


def ranked(score: F32) -> Array:
    """``(n,)`` positions from the best score to the worst; equal ones stay in their order."""
    return np.argsort(-score, kind="stable")


def nms(xyxy: F32, score: F32, index: Array, iou_threshold: float) -> Array:
    """Greedy suppression, class by class.

    From the best box to the worst, each is kept unless it overlaps a kept one of its class by more than
    ``iou_threshold``. Equal scores are taken in the order given.

    Args:
        xyxy: ``(n, 4)`` float32.
        score: ``(n,)`` float32.
        index: ``(n,)`` class of each.
        iou_threshold: 0–1; an overlap of exactly this much is kept.

    Returns:
        ``(k,)`` positions of the boxes that stay, best first.
    """
    order = ranked(score)
    stays = np.zeros(len(score), bool)
    for name in np.unique(index):
        left = order[index[order] == name]
        while left.size:
            best, left = left[0], left[1:]
            stays[best] = True
            overlap = ious(xyxy[best : best + 1], xyxy[left])[0]
            left = left[overlap <= np.float32(iou_threshold)]
    return order[stays[order]]
