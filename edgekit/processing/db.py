"""Text regions from a probability map: differentiable binarisation (Liao et al. 2020, arXiv 1911.08947).

Section 3.5 of the paper: binarise by a constant threshold, take connected regions, and dilate each by
``D = A * r / L`` (equation 10), where the map shows text regions shrunk by the inverse. PP-OCR takes the
smallest rectangle around each region before and after; dilating a rectangle by ``D`` and taking the smallest
rectangle again is the rectangle with both sides longer by ``2 D``, so no polygon clipping is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np

from edgekit.bundle.manifest import DbHead
from edgekit.errors import BundleError
from edgekit.processing.quads import order_corners, side_lengths
from edgekit.types import F32, U8, Array

Rectangle: TypeAlias = tuple[Sequence[float], Sequence[float], float]
"""Centre, size and angle in degrees, as OpenCV's ``minAreaRect`` gives them."""

_KERNEL = np.ones((2, 2), np.uint8)
_SMALLEST_QUAD_PX = 3


def regions(
    probability: Array, head: DbHead, scale_xy: tuple[float, float], size_wh: tuple[int, int]
) -> tuple[F32, F32]:
    """Finds the regions of text in a probability map.

    Args:
        probability: ``(height, width)`` float, 0–1.
        head: thresholds and limits. ``min_side`` is in pixels of the map, and two more are asked for after
            dilation; of more than ``max_regions`` contours the largest are looked at.
        scale_xy: picture pixels per map pixel.
        size_wh: of the picture, in pixels.

    Returns:
        Corners ``(n, 4, 2)`` float32 in whole picture pixels, clockwise from top left and inside the picture,
        and scores ``(n,)`` float32, the mean probability within each region before dilation.

    Raises:
        BundleError: the map is not two-dimensional.
    """
    if probability.ndim != 2:
        raise BundleError(f"detector: expected a probability map (height, width), got {probability.shape}")
    probability = np.ascontiguousarray(probability, np.float32)
    quads, scores = [], []
    for contour in _contours(probability, head):
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < head.min_side:
            continue
        score = _mean_inside(probability, cv2.boxPoints(rectangle))
        if score < head.box_threshold:
            continue
        dilated = dilate(rectangle, head.unclip_ratio)
        if min(dilated[1]) < head.min_side + 2:
            continue
        quad = _in_picture(order_corners(cv2.boxPoints(dilated)), scale_xy, size_wh)
        if int(min(side_lengths(quad))) > _SMALLEST_QUAD_PX:
            quads.append(quad)
            scores.append(score)
    return np.asarray(quads, np.float32).reshape(-1, 4, 2), np.asarray(scores, np.float32)


def dilate(rectangle: Rectangle, ratio: float) -> Rectangle:
    """Moves every side outwards by area * ``ratio`` / perimeter (equation 10)."""
    center, (width, height), angle = rectangle
    distance = width * height * ratio / (2 * (width + height))
    return center, (width + 2 * distance, height + 2 * distance), angle


def _contours(probability: F32, head: DbHead) -> list[Array]:
    """Outlines of the regions above the threshold; holes are no regions."""
    mask: Array = (probability > np.float32(head.threshold)).view(np.uint8)
    if head.dilate:
        mask = cv2.dilate(mask, _KERNEL)  # one pixel to the right and down: corners become edges
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = np.reshape(hierarchy, (-1, 4))[:, 3] if contours else ()
    outer: list[Array] = [c for c, parent in zip(contours, parents, strict=True) if parent < 0]
    if len(outer) > head.max_regions:
        outer = sorted(outer, key=cv2.contourArea, reverse=True)[: head.max_regions]
    return outer


def _mean_inside(probability: F32, corners: Array) -> float:
    """Mean of the map inside a polygon (``(4, 2)``, rounded to whole pixels), its border included."""
    height, width = probability.shape
    points = np.rint(corners).astype(np.int32)  # truncation would hang on the last bit of 19.99999
    left, top = np.clip(points.min(axis=0), 0, (width - 1, height - 1))
    right, bottom = np.clip(points.max(axis=0), 0, (width - 1, height - 1))
    mask: U8 = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [points - (left, top)], 1)
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], mask)[0])


def _in_picture(quad: F32, scale_xy: tuple[float, float], size_wh: tuple[int, int]) -> F32:
    """Map to picture, to whole pixels: sums that differ in their last bit on another CPU give the same."""
    scaled = np.rint(quad.astype(np.float64) * scale_xy)
    return np.clip(scaled, 0, np.subtract(size_wh, 1)).astype(np.float32)
