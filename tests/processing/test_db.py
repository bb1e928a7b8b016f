import cv2
import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.manifest import DbHead
from edgekit.errors import BundleError
from edgekit.processing.db import dilate, regions

HEAD = DbHead(
    "p", threshold=0.3, box_threshold=0.5, unclip_ratio=1.5, min_side=3, max_regions=100, dilate=False
)


def probability(*filled: tuple[int, int, int, int, float], shape: tuple[int, int] = (96, 128)) -> np.ndarray:
    values = np.full(shape, 0.01, np.float32)
    for left, top, right, bottom, value in filled:
        values[top : bottom + 1, left : right + 1] = value
    return values


def find(values, head=HEAD, scale_xy=(1.0, 1.0), size_wh=None):
    return regions(values, head, scale_xy, size_wh or values.shape[::-1])


def test_one_region_grows_by_area_times_ratio_over_perimeter():
    quads, scores = find(probability((20, 30, 80, 50, 0.9)))
    distance = 60 * 20 * 1.5 / 160  # 11.25
    expected = np.rint([[20 - distance, 30 - distance], [80 + distance, 50 + distance]])
    assert quads.shape == (1, 4, 2)
    assert quads[0, 0] == pytest.approx(expected[0])
    assert quads[0, 2] == pytest.approx(expected[1])
    assert quads.dtype == scores.dtype == np.float32
    assert scores[0] == pytest.approx(0.9, abs=1e-4)


def test_dilate_moves_each_side_by_the_same():
    center, (width, height), angle = dilate(((5.0, 6.0), (60.0, 20.0), 30.0), 2.0)
    assert (center, angle) == ((5.0, 6.0), 30.0)
    assert (width, height) == pytest.approx((90.0, 50.0))  # 1200 * 2 / 160 = 15 on every side


def test_turned_region_is_found_turned():
    values = np.full((200, 200), 0.01, np.float32)
    corners = cv2.boxPoints(((100, 100), (100, 20), 25))
    cv2.fillPoly(values, [np.rint(corners).astype(np.int32)], 0.8)
    quads, _ = find(values)
    top = quads[0, 1] - quads[0, 0]
    assert np.degrees(np.arctan2(top[1], top[0])) == pytest.approx(25, abs=1.5)
    assert np.linalg.norm(top) == pytest.approx(100 + 2 * 100 * 20 * 1.5 / 240, abs=3)


def test_scale_leads_to_the_picture_and_corners_stay_inside():
    quads, _ = find(probability((0, 0, 127, 30, 0.9)), scale_xy=(2.0, 3.0), size_wh=(256, 288))
    assert quads[0].min() == 0
    assert quads[0, 1, 0] == 255
    assert quads[0, 2, 1] == pytest.approx((30 + 127 * 30 * 1.5 / 314) * 3, abs=1)


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (probability(), "nothing"),
        (probability((20, 30, 80, 50, 0.3)), "not above the threshold"),
        (probability((20, 30, 80, 50, 0.45)), "score below the box threshold"),
        (probability((20, 30, 80, 32, 0.9)), "two pixels high"),
        (probability((20, 30, 20, 30, 0.9)), "one pixel"),
    ],
)
def test_what_is_no_region(values, why):
    quads, scores = find(values)
    assert quads.shape == (0, 4, 2), why
    assert scores.shape == (0,)


def test_a_region_too_small_after_growing_is_left_out():
    assert len(find(probability((20, 30, 80, 33, 0.9)), replace(HEAD, unclip_ratio=0.01))[0]) == 0


def test_a_region_too_small_in_the_picture_is_left_out():
    assert len(find(probability((20, 30, 80, 50, 0.9)), scale_xy=(0.05, 0.05), size_wh=(6, 5))[0]) == 0


def test_dilation_joins_neighbours():
    values = probability((10, 30, 30, 50, 0.9), (32, 30, 60, 50, 0.9))
    assert len(find(values)[0]) == 2
    assert len(find(values, replace(HEAD, dilate=True))[0]) == 1


def test_holes_are_no_regions_but_what_lies_in_them_is():
    values = probability((5, 5, 120, 90, 0.9))
    values[15:80, 15:110] = 0.01
    values[40:56, 40:80] = 0.9
    quads, _ = find(values, replace(HEAD, box_threshold=0.0))
    widths = sorted(float(quad[1, 0] - quad[0, 0]) for quad in quads)
    assert len(quads) == 2
    assert widths[0] < 70
    assert widths[1] > 120


def test_of_too_many_the_largest_are_kept():
    values = probability((5, 5, 25, 15, 0.9), (40, 5, 90, 30, 0.9), (5, 50, 40, 70, 0.9))
    quads, _ = find(values, replace(HEAD, max_regions=2, unclip_ratio=0.1))
    assert len(quads) == 2
    assert all(quad[1, 0] - quad[0, 0] > 30 for quad in quads)


def test_half_precision_maps_are_understood():
    quads, scores = find(probability((20, 30, 80, 50, 0.9)).astype(np.float16))
    assert len(quads) == 1
    assert scores[0] == pytest.approx(0.9, abs=1e-3)


def test_a_map_of_other_rank_is_refused():
    with pytest.raises(BundleError, match=r"expected a probability map .*got \(1, 4, 4\)"):
        regions(np.zeros((1, 4, 4), np.float32), HEAD, (1.0, 1.0), (4, 4))
