"""Several views of one picture, the same on every machine and with every library version."""

from __future__ import annotations

import hashlib
import math

import numpy as np

from edgekit.types import Frame

LEAST_AREA = 0.2
LARGEST_ASPECT = 4 / 3
LEAST_SIDE = 32


def crop_box(size_wh: tuple[int, int], sha256: str, seed: int, index: int) -> tuple[int, int, int, int]:
    """Where crop ``index`` of a picture lies.

    Crop 0 is the whole picture. The others take 20 to 100 % of its area at an aspect ratio of 3:4 to 4:3, as
    classifiers are trained (Szegedy et al. 2015, Inception), at a place that follows from the picture's
    content, the seed and the index alone.

    Args:
        size_wh: of the picture.
        sha256: of the picture's content.
        seed: another seed gives other crops.
        index: from 0.

    Returns:
        Left, top, width and height in pixels, within the picture.
    """
    width, height = size_wh
    if index == 0:
        return 0, 0, width, height
    draws = hashlib.sha256(f"crop/1/{sha256}/{seed}/{index}".encode()).digest()
    area, aspect, x, y = (int.from_bytes(draws[i : i + 8], "big") / 2**64 for i in range(0, 32, 8))
    wanted = width * height * (LEAST_AREA + (1 - LEAST_AREA) * area)
    ratio = math.exp(math.log(LARGEST_ASPECT) * (2 * aspect - 1))
    crop_w = min(max(round(math.sqrt(wanted * ratio)), LEAST_SIDE), width)
    crop_h = min(max(round(math.sqrt(wanted / ratio)), LEAST_SIDE), height)
    return int(x * (width - crop_w + 1)), int(y * (height - crop_h + 1)), crop_w, crop_h


def crop(frame: Frame, box: tuple[int, int, int, int]) -> Frame:
    """That part of a frame, as contiguous pixels."""
    left, top, width, height = box
    if (width, height) == frame.size_wh:
        return frame
    pixels = np.ascontiguousarray(frame.pixels[top : top + height, left : left + width])
    return Frame(pixels, frame.color, index=frame.index, name=frame.name)
