from __future__ import annotations

import numpy as np
import pytest

from edgekit.camera.frozen import MIN_REPEATS, FrozenWatch

S = 1_000_000_000


def noise(seed, side=64):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def watch(pictures, patience_s=5.0, step_ns=S):
    frozen = FrozenWatch(patience_s)
    return [frozen.see(pixels, i * step_ns) for i, pixels in enumerate(pictures)]


def test_pictures_that_differ_move():
    assert watch(noise(i) for i in range(10)) == ["moving"] * 10


def test_the_same_one_is_still_then_frozen_then_a_reason_to_open_again():
    motions = watch([noise(0)] * 200)
    assert motions[0] == "moving"
    assert motions.index("frozen") == 5
    assert [i for i, motion in enumerate(motions) if motion == "reopen"] == [
        10,
        20,
        40,
        80,
        140,
    ]  # at most 60 s apart
    assert motions.count("frozen") == 1


def test_it_moves_again():
    motions = watch([*[noise(0)] * 8, noise(1), *[noise(2)] * 7])
    assert motions[8] == motions[9] == "moving"
    assert motions.count("frozen") == 2


def test_one_pixel_that_the_sample_misses_is_motion():
    first, second = noise(0), noise(0)
    second[1, 1, 0] ^= 1
    motions = watch([first if i % 2 else second for i in range(20)], patience_s=2.0)
    assert "frozen" not in motions


def test_a_leap_of_the_clock_freezes_nothing():
    frozen = FrozenWatch(5.0)
    assert frozen.see(noise(0), 0) == "moving"
    for repeat in range(1, MIN_REPEATS):
        assert frozen.see(noise(0), 1000 * S + repeat) == "still"
    assert frozen.see(noise(0), 1001 * S) == "frozen"


@pytest.mark.parametrize("side", [1, 2, 15, 17])
def test_small_and_odd_pictures(side):
    motions = watch([noise(0, side)] * 8)
    assert motions[-1] == "still" and motions[5] == "frozen"


def test_another_size_is_motion():
    assert watch([noise(0, 32), noise(0, 33), np.ascontiguousarray(noise(0, 32))]) == ["moving"] * 3


def test_without_patience_nothing_is_compared():
    assert watch([noise(0)] * 50, patience_s=None) == ["moving"] * 50


def test_after_the_camera_was_away_it_begins_anew():
    frozen = FrozenWatch(2.0)
    for i in range(8):
        frozen.see(noise(0), i * S)
    frozen.forget()
    assert frozen.see(noise(0), 9 * S) == "moving"
    assert frozen.since_ns == 9 * S


def test_pixels_that_are_not_contiguous():
    wide = noise(0)[:, ::2]
    assert watch([wide] * 7)[5] == "frozen"
