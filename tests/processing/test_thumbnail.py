from __future__ import annotations

import numpy as np
import pytest

from edgekit.processing.thumbnail import CHANGED, thumbnail


def grey(value=100, size_wh=(128, 128)):
    return np.full((size_wh[1], size_wh[0], 3), value, np.uint8)


@pytest.mark.parametrize("size_wh", [(1, 1), (5, 3), (16, 16), (127, 129), (640, 360), (1920, 1080)])
def test_any_size_becomes_sixteen_cells_each_way(size_wh):
    small = thumbnail(grey(37, size_wh))
    assert small.cells.shape == (16, 16, 3)
    assert small.cells.min() == small.cells.max() == 37
    assert small.size_wh == size_wh


def test_equal_pictures_do_not_differ():
    one, other = thumbnail(grey()), thumbnail(grey())
    assert one.changed(other) == one.difference(other) == 0.0


def test_a_part_that_changes():
    changed = grey()
    changed[:64, :64] += CHANGED + 1  # a quarter
    one, other = thumbnail(grey()), thumbnail(changed)
    assert one.changed(other) == 0.25
    assert one.difference(other) == pytest.approx((CHANGED + 1) / 255)


def test_a_small_change_of_all_is_no_change_of_the_scene_but_a_difference():
    one, other = thumbnail(grey()), thumbnail(grey(100 + CHANGED))
    assert one.changed(other) == 0.0
    assert one.difference(other) == pytest.approx(CHANGED / 255)


def test_one_channel_counts():
    blue = grey()
    blue[..., 0] = 255
    assert thumbnail(grey()).changed(thumbnail(blue)) == 1.0


def test_noise_of_a_camera_is_averaged():
    rng = np.random.default_rng(0)
    noisy = np.clip(grey(100, (640, 360)) + rng.normal(0, 5, (360, 640, 3)), 0, 255).astype(np.uint8)
    one, other = thumbnail(grey(100, (640, 360))), thumbnail(noisy)
    assert one.changed(other) == 0.0
    assert one.difference(other) < 0.02


def test_pictures_of_other_sizes_are_others():
    one, other = thumbnail(grey(size_wh=(64, 64))), thumbnail(grey(size_wh=(64, 65)))
    assert one.changed(other) == one.difference(other) == 1.0


def test_the_picture_is_left_as_it_is():
    pixels = grey()
    thumbnail(pixels).cells[:] = 0
    assert pixels.min() == 100
