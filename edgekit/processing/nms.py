"""Non-maximum suppression: of boxes that overlap, only the best stays, or a mean of all."""

from __future__ import annotations

from collections.abc import Iterator

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
    stays = [int(group[0]) for group in _groups(xyxy, score, index, iou_threshold)]
    return _best_first(np.array(stays, np.intp), score)


def blend(xyxy: F32, score: F32, index: Array, iou_threshold: float, found_score: float) -> tuple[Array, F32]:
    """As :func:`nms`, but each box that stays becomes the mean of those it suppresses and its own, by their scores.

    Arguments are those of :func:`nms`, with scores above 0; suppressed boxes below ``found_score`` do not count.

    Returns:
        ``(k,)`` positions of the boxes that stay, best first, and their ``(k, 4)`` float32 boxes.
    """
    means = {}
    for group in _groups(xyxy, score, index, iou_threshold):
        counted = np.concatenate([group[:1], group[1:][score[group[1:]] >= np.float32(found_score)]])
        means[int(group[0])] = _mean(xyxy[counted], score[counted])
    stays = _best_first(np.array(list(means), np.intp), score)
    return stays, np.array([means[int(i)] for i in stays], np.float32).reshape(-1, 4)


def _groups(xyxy: F32, score: F32, index: Array, iou_threshold: float) -> Iterator[Array]:
    """Positions of each box that stays, and behind it of those it suppresses."""
    order = ranked(score)
    for name in np.unique(index):
        left = order[index[order] == name]
        while left.size:
            overlap = ious(xyxy[left[:1]], xyxy[left[1:]])[0]
            over = overlap > np.float32(iou_threshold)
            yield np.concatenate([left[:1], left[1:][over]])
            left = left[1:][~over]


def _best_first(stays: Array, score: F32) -> Array:
    """Positions from the best score to the worst; equal ones in the order of all boxes."""
    stays = np.sort(stays)
    return stays[ranked(score[stays])]


def _mean(xyxy: F32, weight: F32) -> Array:
    return np.average(xyxy.astype(np.float64), axis=0, weights=weight.astype(np.float64))
