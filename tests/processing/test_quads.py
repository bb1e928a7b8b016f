import itertools

import cv2
import numpy as np
import pytest

from edgekit.processing.quads import along_text, cut, order_corners, side_lengths


def box(x: float, y: float, width: float, height: float) -> np.ndarray:
    return np.asarray([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::3])
def test_corners_come_in_one_order_whatever_they_came_in(order):
    slanted = np.asarray([[10, 5], [90, 15], [88, 45], [8, 35]], np.float32)
    assert np.array_equal(order_corners(slanted[list(order)]), slanted)


def test_side_lengths_are_the_longer_ones():
    quad = np.asarray([[0, 0], [30, 0], [33, 10], [0, 14]], np.float32)
    assert side_lengths(quad) == pytest.approx((np.hypot(33, 4), 14.0))


@pytest.mark.parametrize(("height", "turned"), [(149, False), (150, True), (300, True)])
def test_tall_regions_start_top_right(height, turned):
    quad = box(0, 0, 100, height)
    expected = quad[[1, 2, 3, 0]] if turned else quad
    assert np.array_equal(along_text(quad), expected)


def test_level_cut_is_the_picture_itself():
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    assert np.array_equal(cut(pixels, box(7, 5, 30, 12)), pixels[5:17, 7:37])


def test_tall_cut_is_turned_counterclockwise():
    pixels = np.random.default_rng(2).integers(0, 256, (60, 40, 3), dtype=np.uint8)
    straight = cut(pixels, along_text(box(6, 4, 10, 50)))
    assert straight.shape == (10, 50, 3)
    turned = np.rot90(pixels[4:54, 6:16])
    assert np.abs(straight[1:].astype(int) - turned[:-1]).max() == 0  # the same, one row of edge lower


def test_slanted_text_comes_out_level():
    pixels = np.full((200, 200, 3), 255, np.uint8)
    quad = cv2.boxPoints(((100, 100), (120, 30), 20))
    cv2.fillPoly(pixels, [quad.astype(np.int32)], (0, 0, 0))
    straight = cut(pixels, order_corners(quad))
    assert np.abs(np.subtract(straight.shape, (30, 120, 3))).max() <= 1
    assert straight[4:-4, 4:-4].max() == 0


@pytest.mark.parametrize(
    "quad",
    [
        np.zeros((4, 2), np.float32),
        np.asarray([[0, 0], [9, 0], [9, 0], [0, 0]], np.float32),
        np.asarray([[0, 0], [9, 9], [18, 18], [5, 5]], np.float32),
        box(-50, -50, 20, 20),
        box(500, 500, 20, 20),
    ],
)
def test_degenerate_and_outside_regions_give_some_picture(quad):
    straight = cut(np.zeros((30, 30, 3), np.uint8), quad)
    assert straight.ndim == 3
    assert min(straight.shape) >= 1
