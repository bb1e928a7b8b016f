from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgekit.annotate import BACKGROUND, OUTLINE, annotate, line_height
from edgekit.types import Classification, Frame, TextRegions

CLASSES = Classification(np.array([0.1, 0.7, 0.2], np.float32), ("red", "green", "blue"))
NOTHING = TextRegions(np.zeros((0, 4, 2), np.float32), (), np.zeros(0, np.float32))


def frame(height=240, width=320, color="bgr"):
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[..., 0] = 200
    return Frame(pixels, color)


def regions(*texts, quad=((100, 100), (200, 100), (200, 130), (100, 130))):
    quads = np.array([quad] * len(texts), np.float32).reshape(len(texts), 4, 2)
    return TextRegions(quads, texts, np.full(len(texts), 0.9, np.float32))


def changed(picture, original):
    return np.any(picture != original, axis=2)


def test_the_frame_is_left_as_it_is():
    source = frame()
    before = source.pixels.copy()
    annotate(source, CLASSES, "3.1 ms")
    np.testing.assert_array_equal(source.pixels, before)


@pytest.mark.parametrize(("color", "blue"), [("bgr", 200), ("rgb", 0)])
def test_the_picture_is_bgr_whatever_the_frame_was(color, blue):
    picture = annotate(frame(color=color), NOTHING)
    assert picture[0, 0].tolist() == [blue, 0, 200 - blue]
    assert picture.flags.c_contiguous


def test_three_classes_stand_in_the_upper_left_corner():
    source = frame()
    mask = changed(annotate(source, CLASSES), source.pixels)
    rows = np.flatnonzero(mask.any(axis=1))
    assert (rows[0], rows[-1]) == (0, 3 * line_height(source.pixels) - 1)
    assert mask[0, 0]
    assert not mask[:, 200:].any()


def test_a_caption_stands_in_the_lower_left_corner():
    source = frame()
    picture = annotate(source, NOTHING, "3.1 ms")
    assert changed(picture, source.pixels)[-1, 0]
    assert picture[-1, 0].tolist() == list(BACKGROUND)


def test_text_stands_above_its_outline():
    source = frame()
    picture = annotate(source, regions("SALE"))
    assert picture[115, 100].tolist() == list(OUTLINE)
    assert picture[130, 150].tolist() == list(OUTLINE)
    band = changed(picture, source.pixels)[100 - line_height(source.pixels) : 99]
    assert band.any()


@pytest.mark.parametrize("text", ["naïve Straße", "中文", "日本語", "Ελλάδα", "a\nb", "", "x" * 500])
def test_any_text_is_drawn_within_the_picture(text):
    source = frame()
    quad = ((300, 2), (400, 2), (400, 40), (300, 40))  # partly outside
    picture = annotate(source, regions(text, quad=quad))
    assert picture.shape == source.pixels.shape
    assert changed(picture, source.pixels).any()


@pytest.mark.skipif(int(cv2.__version__.split(".")[0]) < 5, reason="OpenCV 4 draws ASCII only")
def test_different_characters_look_different():
    first, second, third = (annotate(frame(), regions(text)) for text in ("中", "文", "?"))
    assert (first != second).any()
    assert (first != third).any()


@pytest.mark.parametrize("size", [(1, 1), (8, 500), (2000, 10)])
def test_odd_sizes(size):
    picture = annotate(frame(*size), CLASSES, "1 ms")
    assert picture.shape == (*size, 3)
