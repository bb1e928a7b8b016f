from __future__ import annotations

import json
import struct

import cv2
import numpy as np
import pytest

from edgekit.types import Frame
from edgekit.web.records import LONGEST_SIDE, jpeg, record


def test_lengths_json_and_picture():
    data = record("frame", {"index": 3, "name": "é"}, b"JPEG")
    text, picture = struct.unpack(">II", data[:8])
    assert json.loads(data[8 : 8 + text]) == {"kind": "frame", "index": 3, "name": "é"}
    assert data[8 + text :] == b"JPEG"
    assert picture == 4


def test_names_that_are_no_utf8():
    data = record("frame", {"name": "bad\udce9.jpg"})
    assert json.loads(data[8:])["name"] == "bad\\udce9.jpg"


def decoded(frame):
    return cv2.imdecode(np.frombuffer(jpeg(frame), np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_colours_stay(color):
    pixels = np.zeros((16, 24, 3), np.uint8)
    pixels[:, :, 0 if color == "bgr" else 2] = 200  # blue
    got = decoded(Frame(pixels, color))
    assert got.shape == (16, 24, 3)
    assert np.abs(got.astype(int) - [200, 0, 0]).max() <= 6


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [
        ((540, LONGEST_SIDE), (540, LONGEST_SIDE)),
        ((1080, 1920), (540, 960)),
        ((3000, 2), (960, 1)),
        ((1, 1), (1, 1)),
    ],
)
def test_large_pictures_are_made_smaller(size_hw, expected):
    assert decoded(Frame(np.zeros((*size_hw, 3), np.uint8), "bgr")).shape[:2] == expected
