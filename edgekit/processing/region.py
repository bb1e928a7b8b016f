"""Which part of a picture is looked at: whole pixels around a box, kept where the box only trembles."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np

from edgekit.processing.boxes import ious
from edgekit.types import U8, Array

Region: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels of the picture; the last two lie behind the last pixel."""

STEADY_IOU = 0.8
"""A region that overlaps the one before by so much is taken to be the same: boxes tremble from frame to frame."""


def whole(size_wh: tuple[int, int]) -> Region:
    """All of a picture."""
    return 0, 0, *size_wh


def around(box: Array, size_wh: tuple[int, int], margin: float) -> Region:
    """A box with a margin, within the picture; at least one pixel.

    Args:
        box: ``(4,)`` xyxy in pixels.
        size_wh: of the picture.
        margin: added on each side, as a share of the box's width or height.
    """
    left, top, right, bottom = (float(value) for value in box)
    more_x, more_y = (right - left) * margin, (bottom - top) * margin
    width, height = size_wh
    x0, x1 = _within(left - more_x, right + more_x, width)
    y0, y1 = _within(top - more_y, bottom + more_y, height)
    return x0, y0, x1, y1


def steady(region: Region, before: Region | None) -> Region:
    """The region before, where this one is nearly the same; else this one."""
    if before is None:
        return region
    pair = (np.array([one], np.float32) for one in (region, before))
    return before if ious(*pair)[0, 0] >= STEADY_IOU else region


def part(pixels: U8, region: Region) -> U8:
    """``(height, width, 3)`` pixels of a region: a view."""
    left, top, right, bottom = region
    return pixels[top:bottom, left:right]


def _within(low: float, high: float, size: int) -> tuple[int, int]:
    first = min(max(math.floor(low), 0), size - 1)
    return first, min(max(math.ceil(high), first + 1), size)
