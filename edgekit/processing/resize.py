"""Pixels at another size, by the algorithm that the bundle names."""

from __future__ import annotations

import cv2

from edgekit.bundle.manifest import ResizeAlgorithm
from edgekit.processing.pillow_resize import pillow_resize
from edgekit.types import U8, Array


def resize(
    pixels: U8, size_wh: tuple[int, int], algorithm: ResizeAlgorithm, until_wh: tuple[int, int] | None = None
) -> U8:
    """Resizes ``(height, width, 3)`` pixels; channels are treated alike, and the same size changes nothing.

    Args:
        pixels: the picture.
        size_wh: of the whole result.
        algorithm: by which.
        until_wh: only so many columns and rows of the result are needed, from its upper left; there may be more.

    Raises:
        EnvironmentLacks: the algorithm is Pillow's, which is not installed.
    """
    height, width = pixels.shape[:2]
    if size_wh == (width, height):
        return pixels
    if algorithm == "opencv_linear_exact":
        return _linear_exact(pixels, size_wh, until_wh or size_wh)
    return pillow_resize(pixels, size_wh, algorithm)


def _linear_exact(pixels: U8, size_wh: tuple[int, int], until_wh: tuple[int, int]) -> U8:
    """What is needed of ``INTER_LINEAR_EXACT``, bit by bit as in the whole.

    A column's position and weights depend on its number and on the factor (OpenCV, ``imgproc/src/resize.cpp``,
    ``interpolationLinear``), so columns and rows beyond the needed ones can be left away, if the factor is said in
    place of the size. Of EfficientNet's centre crop of a wide picture that saves a quarter of the time.
    """
    (width, height), (columns, rows) = size_wh, until_wh
    whole_height, whole_width = pixels.shape[:2]
    # the last needed one reads two pixels, the second of which lies at most 1 behind its own edge
    needed = pixels[: -(-rows * whole_height // height) + 2, : -(-columns * whole_width // width) + 2]
    made: Array = (
        cv2.resize(pixels, size_wh, interpolation=cv2.INTER_LINEAR_EXACT)
        if needed.shape == pixels.shape
        else cv2.resize(
            needed,
            None,
            fx=width / whole_width,
            fy=height / whole_height,
            interpolation=cv2.INTER_LINEAR_EXACT,
        )
    )
    return made
