from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgekit.camera.pixels import to_bgr

UYVY = int.from_bytes(b"UYVY", "little")


def test_bgr_stays_itself():
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    picture, form = to_bgr(pixels)
    assert picture is pixels
    assert form == "bgr"


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 1)])
def test_grey(shape):
    picture, form = to_bgr(np.full(shape, 7, np.uint8))
    assert (picture.shape, form) == ((2, 4, 3), "grey")
    assert (picture == 7).all()


def test_sixteen_bits_keep_the_high_byte():
    picture, form = to_bgr(np.full((2, 4), 0x1234, np.uint16))
    assert form == "grey"
    assert (picture == 0x12).all()


def test_alpha_is_left_out():
    pixels = np.zeros((2, 4, 4), np.uint8)
    pixels[:] = (10, 20, 30, 99)
    picture, form = to_bgr(pixels)
    assert form == "bgra"
    assert (picture == (10, 20, 30)).all()


@pytest.mark.parametrize(("fourcc", "order", "form"), [(0, (0, 1), "yuyv"), (UYVY, (1, 0), "uyvy")])
def test_packed_yuv_in_both_orders(fourcc, order, form):
    pixels = np.zeros((2, 4, 2), np.uint8)
    pixels[:, :, order[0]] = 81  # luma, and chroma of pure red (BT.601): U 90, V 240
    pixels[:, 0::2, order[1]], pixels[:, 1::2, order[1]] = 90, 240
    picture, found = to_bgr(pixels, fourcc)
    assert found == form
    assert np.abs(picture.astype(int) - (0, 0, 254)).max() <= 2


def test_bytes_of_a_jpeg():
    data = np.frombuffer(cv2.imencode(".jpg", np.full((48, 64, 3), 90, np.uint8))[1].tobytes(), np.uint8)
    for raw in (data[None, :], data[:, None], data[None, :, None]):
        picture, form = to_bgr(raw)
        assert (picture.shape, form) == ((48, 64, 3), "jpeg")


@pytest.mark.parametrize(
    "pixels",
    [
        None,
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((2, 4, 5), np.uint8),
        np.zeros((2, 4, 3), np.float32),
        np.zeros(8, np.uint8),
        np.zeros((1, 2, 4, 3), np.uint8),
        np.zeros((2, 3, 2), np.uint8),  # packed YUV comes in pairs
        np.frombuffer(b"\xff\xd8\xff" + bytes(200), np.uint8)[None, :],
    ],
)
def test_what_is_no_picture(pixels):
    assert to_bgr(pixels) is None
