import cv2
import numpy as np
import pytest

from edgekit.data.sample import Sample
from edgekit.evaluation.score import Change
from edgekit.evaluation.worst import WorstSamples, thumbnail
from edgekit.types import Frame


def change(severity):
    return Change(severity >= 1, severity, "a", "b", None)


def test_keeps_the_worst_and_of_equal_ones_the_first(sample):
    kept = WorstSamples(3, thumbnails=False)
    for i, severity in enumerate([0.5, 1.0, 0.0, 2.0, 1.0, 1.0, 0.2]):
        kept.add(sample(str(i)), change(severity))
    assert [(w.id, w.severity) for w in kept.worst()] == [("3", 2.0), ("1", 1.0), ("4", 1.0)]
    assert kept.worst()[0].thumbnail is None


def test_nothing_changed_nothing_kept(sample):
    kept = WorstSamples(3, thumbnails=True)
    kept.add(sample("1"), change(0.0))
    none = WorstSamples(0, thumbnails=True)
    none.add(sample("1"), change(1.0))
    assert kept.worst() == none.worst() == ()


@pytest.mark.parametrize(
    ("size_wh", "expected"),
    [((640, 480), (192, 144)), ((100, 20), (100, 20)), ((2000, 50), (576, 14)), ((3, 900), (1, 192))],
)
def test_thumbnail_size(size_wh, expected):
    jpeg = thumbnail(Frame(np.zeros((size_wh[1], size_wh[0], 3), np.uint8)))
    decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape[1::-1] == expected


@pytest.mark.parametrize("color", ["rgb", "bgr"])
def test_thumbnail_colours(color):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :, 0 if color == "rgb" else 2] = 255
    kept = WorstSamples(1, thumbnails=True)
    kept.add(Sample("1", "1", lambda: Frame(pixels, color)), change(1.0))
    decoded = cv2.imdecode(np.frombuffer(kept.worst()[0].thumbnail, np.uint8), cv2.IMREAD_COLOR)
    assert decoded[32, 32] == pytest.approx([0, 0, 255], abs=6)
