"""Pixels at another size, by the algorithm that the bundle names."""

from __future__ import annotations

import cv2

from edgekit.bundle.manifest import ResizeAlgorithm
from edgekit.processing.pillow_resize import pillow_resize
from edgekit.types import U8, Array


def resize(pixels: U8, size_wh: tuple[int, int], algorithm: ResizeAlgorithm) -> U8:
    """Resizes ``(height, width, 3)`` pixels; channels are treated alike, and the same size changes nothing.

    Raises:
        EnvironmentLacks: the algorithm is Pillow's, which is not installed.
    """
    height, width = pixels.shape[:2]
    if size_wh == (width, height):
        return pixels
    if algorithm == "opencv_linear_exact":
        made: Array = cv2.resize(pixels, size_wh, interpolation=cv2.INTER_LINEAR_EXACT)
        return made
    return pillow_resize(pixels, size_wh, algorithm)
