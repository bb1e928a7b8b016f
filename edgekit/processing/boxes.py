"""Boxes as arrays: ``(n, 4)`` float32, left, top, right, bottom, in the pixels of whatever they lie in."""

from __future__ import annotations

import numpy as np

from edgekit.types import F32, Array


def from_centers(cxcywh: F32) -> F32:
    """``(n, 4)`` centre and size to ``(n, 4)`` xyxy."""
    half = cxcywh[:, 2:] / np.float32(2)
    return np.hstack([cxcywh[:, :2] - half, cxcywh[:, :2] + half])


def areas(xyxy: F32) -> F32:
    """``(n,)`` areas; 0 where a side is not above 0."""
    sides = np.maximum(xyxy[:, 2:] - xyxy[:, :2], np.float32(0))
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def ious(xyxy: F32, other_xyxy: F32) -> F32:
    """Overlap (intersection over union) of each box with each: ``(n, 4)``, ``(m, 4)`` → ``(n, m)``, 0–1.

    Two boxes without area overlap by 0.
    """
    top_left = np.maximum(xyxy[:, np.newaxis, :2], other_xyxy[np.newaxis, :, :2])
    bottom_right = np.minimum(xyxy[:, np.newaxis, 2:], other_xyxy[np.newaxis, :, 2:])
    sides = np.maximum(bottom_right - top_left, np.float32(0))
    inter = sides[..., 0] * sides[..., 1]
    union = areas(xyxy)[:, np.newaxis] + areas(other_xyxy)[np.newaxis] - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0), np.float32)


def to_picture(xyxy: F32, scale_xy: tuple[float, float], offset_xy: tuple[float, float]) -> F32:
    """``(n, 4)`` boxes in a graph's input to pixels of the picture; see :class:`~.preprocess.Prepared`.

    Computed in float64 and rounded once.
    """
    moved = xyxy.astype(np.float64) * (scale_xy * 2) + (offset_xy * 2)
    return moved.astype(np.float32)


def clipped(xyxy: F32, size_wh: tuple[int, int]) -> F32:
    """``(n, 4)`` boxes within a picture: every edge inside, 0 to width and 0 to height."""
    limits = np.asarray(size_wh * 2, np.float32)
    return np.clip(xyxy, np.float32(0), limits)


def has_area(xyxy: F32) -> Array:
    """``(n,)`` bool: all four numbers are finite, and both sides above 0."""
    sides = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    return np.asarray(sides & np.isfinite(xyxy).all(axis=1))
