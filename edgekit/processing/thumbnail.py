"""How much one picture differs from another: the mean colours of a few cells, and what changed in them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edgekit.types import U8, Array

CELLS = 16
"""Cells along each side."""

SAMPLES = 8
"""Pixels of a cell that are looked at along each side; a mean of 64 hides a camera's noise, and the rest costs time."""

CHANGED = 20
"""A cell has changed where a channel's mean moved by more than this, of 255: more than noise and flicker do."""


@dataclass(frozen=True, slots=True, eq=False)
class Thumbnail:
    """A picture in small.

    Attributes:
        cells: ``(16, 16, 3)`` uint8, mean colours.
        size_wh: of the picture itself.
    """

    cells: U8
    size_wh: tuple[int, int]

    def changed(self, other: Thumbnail) -> float:
        """Share of the cells that differ clearly, 0 to 1; 1 of pictures of other sizes."""
        if self.size_wh != other.size_wh:
            return 1.0
        return float((cv2.absdiff(self.cells, other.cells).max(axis=2) > CHANGED).mean())

    def difference(self, other: Thumbnail) -> float:
        """The largest difference of a cell, as a share of the full range, 0 to 1; 1 of pictures of other sizes.

        The largest and not the mean: what is small and new is new.
        """
        if self.size_wh != other.size_wh:
            return 1.0
        return float(cv2.absdiff(self.cells, other.cells).max()) / 255


def thumbnail(pixels: U8) -> Thumbnail:
    """Looks at up to 128 × 128 pixels of a picture; a tenth of a millisecond, whatever its size.

    Args:
        pixels: ``(height, width, 3)`` uint8.
    """
    height, width = pixels.shape[:2]
    step_y, step_x = max(height // (CELLS * SAMPLES), 1), max(width // (CELLS * SAMPLES), 1)
    some = np.ascontiguousarray(pixels[step_y // 2 :: step_y, step_x // 2 :: step_x])
    cells: Array = cv2.resize(some, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return Thumbnail(np.asarray(cells, np.uint8), (width, height))
