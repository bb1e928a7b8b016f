import numpy as np
import pytest

from edgekit.data.crops import crop, crop_box
from edgekit.types import Frame


def test_first_is_the_whole_picture():
    assert crop_box((640, 480), "ab", 0, 0) == (0, 0, 640, 480)


def test_pinned_so_that_every_machine_draws_the_same():
    assert [crop_box((640, 480), "ab", 1, i) for i in (1, 2)] == PINNED


PINNED = [(5, 89, 389, 339), (103, 73, 401, 364)]


@pytest.mark.parametrize("size_wh", [(640, 480), (33, 900), (20, 20), (1, 1)])
def test_inside_and_not_tiny(size_wh):
    for i in range(1, 60):
        left, top, width, height = crop_box(size_wh, "cd", 3, i)
        assert 0 <= left <= left + width <= size_wh[0]
        assert 0 <= top <= top + height <= size_wh[1]
        assert width >= min(32, size_wh[0])
        assert height >= min(32, size_wh[1])


def test_areas_cover_the_range():
    areas = [w * h / (640 * 480) for _, _, w, h in (crop_box((640, 480), "ef", 0, i) for i in range(1, 400))]
    assert 0.19 < min(areas) < 0.25
    assert 0.9 < max(areas) <= 1.0
    assert np.mean(areas) == pytest.approx(0.6, abs=0.05)


def test_follows_content_seed_and_index():
    boxes = {crop_box((640, 480), *key) for key in (("a", 0, 1), ("b", 0, 1), ("a", 1, 1), ("a", 0, 2))}
    assert len(boxes) == 4


def test_crop_keeps_what_the_frame_says():
    pixels = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    part = crop(Frame(pixels, "bgr", index=5, name="x"), (1, 2, 3, 2))
    assert (part.color, part.index, part.name, part.size_wh) == ("bgr", 5, "x", (3, 2))
    assert part.pixels.flags.c_contiguous
    assert np.array_equal(part.pixels, pixels[2:4, 1:4])


def test_whole_frame_is_not_copied():
    frame = Frame(np.zeros((4, 6, 3), np.uint8))
    assert crop(frame, (0, 0, 6, 4)) is frame
