import hashlib

import numpy as np
import pytest

from edgekit.data.conditions import (
    BLUR_SIGMA,
    CONDITIONS,
    NOISE_SIGMA,
    blur,
    darkness,
    jpeg,
    noise,
    scale,
    under,
)
from edgekit.errors import DataError, UsageError
from edgekit.types import Frame

NAMES = ("blur", "noise", "jpeg", "darkness", "scale")


def picture(width=64, height=48):
    """Waves and an edge, of whole numbers only."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([(x * 7 + y * 3) % 256, (x * y) % 256, np.where(x > y, 230, 20)], axis=2)
    return pixels.astype(np.uint8)


def flat(value, width=64, height=48):
    return np.full((height, width, 3), value, np.uint8)


def test_names():
    assert tuple(CONDITIONS) == NAMES
    assert all(condition.meaning for condition in CONDITIONS.values())
    with pytest.raises(UsageError, match=r"got 'rain' \(expected blur, noise, jpeg, darkness, scale\)"):
        under("rain", Frame(picture()), "")


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("blur", "edaff896e4b2ae21"),
        ("noise", "2826c50a81934a62"),
        ("jpeg", "e6e99264abc0e2de"),
        ("darkness", "63491ec6790ca0a1"),
        ("scale", "77bfb3d2d693899f"),
    ],
)
def test_pinned_so_that_every_machine_makes_the_same(name, digest):
    made = under(name, Frame(picture()), "photo.jpg#1").pixels
    assert hashlib.sha256(made.tobytes()).hexdigest()[:16] == digest


@pytest.mark.parametrize("name", NAMES)
def test_keeps_colour_order_shape_and_what_the_frame_says(name):
    rgb = under(name, Frame(picture(), "rgb", 3, 4, 5, "x"), "k")
    bgr = under(name, Frame(np.ascontiguousarray(picture()[:, :, ::-1]), "bgr"), "k")
    assert (rgb.color, rgb.index, rgb.arrived_ns, rgb.capture_ns, rgb.name) == ("rgb", 3, 4, 5, "x")
    assert bgr.color == "bgr"
    assert np.array_equal(rgb.pixels, bgr.pixels[:, :, ::-1])
    assert rgb.pixels.dtype == np.uint8
    assert rgb.pixels.shape == (48, 64, 3)
    assert rgb.pixels.flags.c_contiguous
    assert not np.array_equal(rgb.pixels, picture())


@pytest.mark.parametrize("name", NAMES)
def test_input_is_not_changed_and_key_alone_decides(name):
    pixels = picture()
    one, same, other = (under(name, Frame(pixels), key).pixels for key in ("a", "a", "b\ud800"))
    assert np.array_equal(pixels, picture())
    assert np.array_equal(one, same)
    assert np.array_equal(one, other) == (name != "noise")


@pytest.mark.parametrize("size", [(1, 1), (9, 1), (2, 3), (1, 700), (700, 500)])
@pytest.mark.parametrize("name", NAMES)
def test_any_size(name, size):
    assert under(name, Frame(flat(200, *size)), "k").size_wh == size


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (700, 500), (1000, 1300)])
@pytest.mark.parametrize("value", [0, 1, 200, 255])
def test_blur_and_scale_leave_a_flat_picture(size, value):
    assert (blur(flat(value, *size), 0) == value).all()
    assert (scale(flat(value, *size), 0) == value).all()


def test_blur_is_a_gaussian():
    point = flat(0)
    point[24, 32] = 255
    row = blur(point, 0)[24, :, 0].astype(float)
    spread = ((np.arange(64) - 32) ** 2 * row).sum() / row.sum()
    assert spread**0.5 == pytest.approx(BLUR_SIGMA, rel=0.05)


def test_noise_has_its_strength_and_no_bias():
    added = noise(flat(128, 640, 480), 5).astype(float) - 128
    assert added.std() == pytest.approx(NOISE_SIGMA, rel=0.01)
    assert abs(added.mean()) < 0.1
    assert abs(np.corrcoef(added[:, 1:].ravel(), added[:, :-1].ravel())[0, 1]) < 0.01
    assert (noise(flat(0), 5) <= 6 * NOISE_SIGMA).all()


def test_large_pictures_get_as_much_as_small_ones():
    grains = noise(flat(128, 960, 960), 5)
    assert np.array_equal(grains[::2, ::2], grains[1::2, 1::2])
    edge = np.zeros((960, 960, 3), np.uint8)
    edge[:, 480:] = 255
    assert np.count_nonzero(np.diff(blur(edge, 0)[480, :, 0].astype(int))) > np.count_nonzero(
        np.diff(blur(edge[::2, ::2].copy(), 0)[240, :, 0].astype(int))
    )
    assert len(np.unique(scale(edge, 0)[480, 470:490, 0])) >= 4


def test_darkness_is_a_gain():
    dark = darkness(np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3), 0)[0, :, 0]
    assert dark[[0, 100, 255]].tolist() == [0, 39, 99]
    assert (np.diff(dark.astype(int)) >= 0).all()


def test_scale_halves_the_detail():
    stripes = flat(0)
    stripes[:, ::2] = 255
    assert (scale(stripes, 0) == 128).all()


def test_jpeg_errs_but_not_much():
    smooth = np.tile(np.arange(64, dtype=np.uint8)[None, :, None] * 3, (48, 1, 3))
    error = np.abs(jpeg(smooth, 0).astype(int) - smooth)
    assert 0 < error.mean() < 4


def test_jpeg_of_what_is_too_wide():
    with pytest.raises(DataError, match=r"no JPEG of a picture of shape \(1, 70000, 3\)"):
        under("jpeg", Frame(flat(0, 70000, 1)), "k")
