import numpy as np
import pytest

from edgekit.processing.boxes import areas, clipped, from_centers, has_area, ious, to_picture


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


def test_centre_and_size():
    assert from_centers(boxes((10, 20, 4, 6), (0, 0, 0, 0))).tolist() == [[8, 17, 12, 23], [0, 0, 0, 0]]
    assert from_centers(boxes()).shape == (0, 4)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),
        ((0, 0, 10, 10), (2, 2, 4, 5), 0.06),  # within
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),  # edge to edge
        ((0, 0, 10, 10), (11, 11, 12, 12), 0.0),
        ((0, 0, 0, 10), (0, 0, 0, 10), 0.0),  # no area at all
        ((5, 5, 1, 1), (0, 0, 10, 10), 0.0),  # turned over
    ],
)
def test_iou(first, second, expected):
    overlap = ious(boxes(first), boxes(second))
    assert overlap.dtype == np.float32
    assert overlap.tolist() == [[pytest.approx(expected)]]


def test_iou_of_none():
    assert ious(boxes(), boxes((0, 0, 1, 1))).shape == (0, 1)
    assert areas(boxes()).shape == (0,)


def test_back_to_the_picture():
    """A 640 x 480 picture in 320 x 320: half the size, 40 rows of padding on top."""
    found = to_picture(boxes((0, 40, 320, 280), (10, 50, 20, 60)), (2.0, 2.0), (0.0, -80.0))
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 0, 640, 480], [20, 20, 40, 40]]


def test_clip_and_what_is_left():
    within = clipped(boxes((-5, -5, 3, 4), (90, 40, 130, 70), (-9, 2, -1, 4), (100, 0, 101, 9)), (100, 50))
    assert within.tolist() == [[0, 0, 3, 4], [90, 40, 100, 50], [0, 2, 0, 4], [100, 0, 100, 9]]
    assert has_area(within).tolist() == [True, True, False, False]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_box_without_a_number_has_no_area(bad):
    assert has_area(boxes((0, 0, bad, 1), (bad, 0, 1, 1))).tolist() == [False, False]
