"""Four-cornered regions of a picture: order of corners, and cutting them out straight."""

from __future__ import annotations

import cv2
import numpy as np

from edgekit.types import F32, U8, Array

TALL = 1.5
"""A region at least this many times taller than wide is read as a line turned by 90°, as PP-OCR does."""


def order_corners(quad: Array) -> F32:
    """Corners in the order top left, top right, bottom right, bottom left, as they lie in the picture.

    The two leftmost corners are the left side, the higher one of each side is its top.

    Args:
        quad: ``(4, 2)`` x, y in any order.
    """
    by_x = quad[np.argsort(quad[:, 0], kind="stable")]
    left = by_x[:2][np.argsort(by_x[:2, 1], kind="stable")]
    right = by_x[2:][np.argsort(by_x[2:, 1], kind="stable")]
    return np.stack([left[0], right[0], right[1], left[1]]).astype(np.float32)


def side_lengths(quad: Array) -> tuple[float, float]:
    """Width and height of a region: the longer one of each pair of opposite sides."""
    top_left, top_right, bottom_right, bottom_left = quad.astype(np.float64)
    width = max(np.linalg.norm(top_right - top_left), np.linalg.norm(bottom_right - bottom_left))
    height = max(np.linalg.norm(bottom_left - top_left), np.linalg.norm(bottom_right - top_right))
    return float(width), float(height)


def along_text(quad: F32) -> F32:
    """Corners as the text runs: a tall region starts at its top right corner, and is read downwards."""
    width, height = side_lengths(quad)
    return np.roll(quad, -1, axis=0) if height >= TALL * width else quad


def cut(pixels: U8, quad: F32) -> U8:
    """The region, straightened, as large as it is in the picture.

    Args:
        pixels: ``(height, width, 3)`` uint8.
        quad: ``(4, 2)`` corners along the text, in pixels from the picture's edges.

    Returns:
        ``(height, width, 3)`` uint8, both at least 1; bilinear, edges repeated.
    """
    width, height = (max(1, int(side)) for side in side_lengths(quad))
    target = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(quad, np.float32), target)
    # Bilinear is equal to the bit on x86 and ARM; bicubic, which PP-OCR takes, is not, and reads no better.
    straight = cv2.warpPerspective(
        pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(straight, np.uint8)
