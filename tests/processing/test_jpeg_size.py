from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from edgekit.processing.jpeg_size import jpeg_size


def jpeg(width, height, *flags):
    return cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8), flags)[1].tobytes()


@pytest.mark.parametrize(("width", "height"), [(1, 1), (64, 48), (3000, 2)])
@pytest.mark.parametrize("progressive", [0, 1])
def test_the_size_is_read(width, height, progressive):
    assert jpeg_size(jpeg(width, height, cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)) == (width, height)


def test_segments_and_fill_bytes_before_it_are_passed_over():
    data = jpeg(64, 48)
    comment = b"\xff\xff\xfe\x00\x06\xff\xc0!!"
    assert jpeg_size(data[:2] + comment + data[2:]) == (64, 48)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG",
        jpeg(64, 48)[:20],
        b"\xff\xd8\xff\xc0\x00\x11\x08\x00\x00\x00\x40",  # no height
        b"\xff\xd8" + b"\xff\xe0\x00\x00" * 9,
    ],
)
def test_what_has_none(data):
    assert jpeg_size(data) is None


def test_fuzz():
    rng, whole = random.Random(1), jpeg(64, 48)
    for _ in range(2000):
        data = bytearray(whole[: rng.randrange(len(whole))])
        for _ in range(rng.randrange(6)):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
        size = jpeg_size(bytes(data))
        assert size is None or (0 < size[0] < 65536 and 0 < size[1] < 65536)
