"""``opencv_linear_exact`` as docs/bundle-processing.md defines it, in integers, against OpenCV.

The definition is what a reader in another language implements, so it is proven here and not only described.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest


def taps(source: int, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Left neighbour of each target pixel, and the weight of its right neighbour in 1/256."""
    scale = 1.0 / (target / source)  # two roundings, in this order
    lefts, weights = np.zeros(target, np.int64), np.zeros(target, np.int64)
    for index in range(target):
        position = scale * (index + 0.5) - 0.5
        left = math.floor(position)
        if left < 0 or source == 1:
            continue
        if left >= source - 1:
            lefts[index] = source - 1
            continue
        lefts[index], weights[index] = left, round((position - left) * 256)  # ties to even
    return lefts, weights


def resize(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    values = pixels.astype(np.int64)
    left, u = taps(pixels.shape[1], width)
    top, v = taps(pixels.shape[0], height)
    right, bottom = np.minimum(left + 1, pixels.shape[1] - 1), np.minimum(top + 1, pixels.shape[0] - 1)
    u, v = u[None, :, None], v[:, None, None]
    rows = values[:, left] * (256 - u) + values[:, right] * u
    return ((rows[top] * (256 - v) + rows[bottom] * v + 32768) >> 16).astype(np.uint8)


SIZES = [
    ((1, 1), (1, 1)),
    ((1, 1), (5, 7)),
    ((1, 9), (3, 4)),
    ((2, 2), (1, 1)),
    ((640, 480), (320, 240)),
    ((640, 480), (341, 256)),
    ((480, 640), (256, 341)),
    ((17, 13), (224, 224)),
    ((97, 101), (48, 320)),
    ((300, 200), (300, 100)),
]


@pytest.mark.parametrize(("source", "target"), SIZES)
@pytest.mark.parametrize("kind", ["noise", "black and white"])
def test_the_definition_is_opencvs_to_the_bit(source, target, kind):
    rng = np.random.default_rng(source[0] * 1000 + target[0])
    pixels = rng.integers(0, 256, (source[1], source[0], 3), np.uint8)
    if kind == "black and white":
        pixels = (pixels > 127).astype(np.uint8) * 255
    expected = cv2.resize(pixels, target, interpolation=cv2.INTER_LINEAR_EXACT)
    np.testing.assert_array_equal(resize(pixels, *target), expected)


def test_random_sizes():
    rng = np.random.default_rng(5)
    for _ in range(100):
        width, height, new_width, new_height = (int(n) for n in rng.integers(1, 200, 4))
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        expected = cv2.resize(pixels, (new_width, new_height), interpolation=cv2.INTER_LINEAR_EXACT)
        np.testing.assert_array_equal(resize(pixels, new_width, new_height), expected)
