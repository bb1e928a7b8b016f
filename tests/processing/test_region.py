from __future__ import annotations

import numpy as np
import pytest

from edgekit.processing.region import around, part, steady, whole


def box(*values):
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("xyxy", "margin", "expected"),
    [
        ((10, 20, 30, 60), 0.0, (10, 20, 30, 60)),
        ((10, 20, 30, 60), 0.1, (8, 16, 32, 64)),
        ((10.5, 20.5, 30.2, 60.9), 0.0, (10, 20, 31, 61)),
        ((-5, -5, 500, 500), 0.5, (0, 0, 100, 80)),
        ((5, 5, 5, 5), 0.0, (5, 5, 6, 6)),
        ((100, 80, 100, 80), 0.0, (99, 79, 100, 80)),  # past the edge
        ((200, 200, 300, 300), 0.0, (99, 79, 100, 80)),
    ],
)
def test_a_box_becomes_whole_pixels_within_the_picture(xyxy, margin, expected):
    assert around(box(*xyxy), (100, 80), margin) == expected


def test_a_region_that_only_trembles_is_the_one_before():
    before = (10, 10, 110, 110)
    assert steady((12, 11, 111, 109), before) == before
    assert steady((40, 10, 140, 110), before) == (40, 10, 140, 110)
    assert steady(before, None) == before


def test_pixels_of_a_region():
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    assert part(pixels, (1, 2, 3, 4)).tolist() == pixels[2:4, 1:3].tolist()
    assert part(pixels, whole((5, 4))).shape == (4, 5, 3)
