import cv2
import numpy as np
import pytest

from edgekit.data.conditions import under
from edgekit.data.dataset import Dataset
from edgekit.data.sample import Sample
from edgekit.errors import DataError
from edgekit.evaluation.score import Change
from edgekit.evaluation.worst import LONGEST_WORDS, WorstSamples, illustrate, thumbnail
from edgekit.types import Frame, Question


def change(severity, truth=None, words="a"):
    return Change(severity >= 1, severity, words, "b", truth)


class Inputs:
    """A source that counts what it decodes."""

    id, sha256, recipe, truth = "inputs", "ab" * 32, "inputs", "none"

    def __init__(self, *contents):
        self.contents = contents
        self.count = len(contents)
        self.decoded = []

    def samples(self):
        for i, content in enumerate(self.contents):
            yield Sample(f"s{i}", str(i), lambda i=i, content=content: self.decoded.append(i) or content)


def coloured(index, color="rgb"):
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:, :, index] = 255
    return Frame(pixels, color)


def pixels_of(jpeg):
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR).astype(int)


def test_keeps_the_worst_and_of_equal_ones_the_first(sample):
    severities = [0.5, 1.0, 0.0, 2.0, 1.0, 1.0, 0.2]
    for order in (range(7), reversed(range(7)), [4, 1, 3, 6, 0, 2, 5]):
        kept = WorstSamples(3)
        for i in order:
            kept.add(i, "", sample(str(i)), change(severities[i]))
        assert [(w.id, w.number, w.severity) for w in kept.worst()] == [
            ("3", 3, 2.0),
            ("1", 1, 1.0),
            ("4", 4, 1.0),
        ]


def test_the_same_sample_under_several_conditions(sample):
    kept = WorstSamples(3)
    for condition in ("noise", "", "blur", "jpeg"):
        kept.add(7, condition, sample("x"), change(1.0))
    assert [(w.number, w.condition) for w in kept.worst()] == [(7, ""), (7, "blur"), (7, "jpeg")]


def test_nothing_changed_nothing_kept(sample):
    kept, none = WorstSamples(3), WorstSamples(0)
    kept.add(0, "", sample("1"), change(0.0))
    none.add(0, "", sample("1"), change(1.0))
    assert kept.worst() == none.worst() == ()


def test_long_texts_are_cut(sample):
    kept = WorstSamples(1)
    kept.add(0, "", sample("1"), change(1.0, "t" * (LONGEST_WORDS + 1), "r" * LONGEST_WORDS))
    (found,) = kept.worst()
    assert found.truth == "t" * (LONGEST_WORDS - 1) + "…"
    assert found.reference == "r" * LONGEST_WORDS
    assert found.thumbnail is None


def test_only_the_worst_are_decoded_and_pictured():
    source = Inputs(coloured(0), "a text", Question(coloured(1), "what?"), coloured(2), coloured(0))
    dataset, kept = Dataset(("x",), (source,)), WorstSamples(5)
    for number, condition in [(3, ""), (1, ""), (2, "")]:
        kept.add(number, condition, Sample(f"s{number}", "", list), change(float(number)))
    before = kept.worst()
    found = illustrate(before, dataset)
    assert sorted(source.decoded) == [1, 2, 3]
    assert [w.number for w in found] == [3, 2, 1]
    assert pixels_of(found[0].thumbnail)[32, 32] == pytest.approx([255, 0, 0], abs=6)  # blue: BGR
    assert pixels_of(found[1].thumbnail)[32, 32] == pytest.approx([0, 255, 0], abs=6)
    assert (found[2].thumbnail, found[2].id) == (None, "s1")
    assert illustrate((), dataset) == ()


def test_pictured_as_seen_under_the_condition():
    frame = Frame(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    source, kept = Inputs(frame), WorstSamples(5)
    for condition in ("darkness", ""):
        kept.add(0, condition, Sample("s0", "", list), change(1.0))
    found = illustrate(kept.worst(), Dataset(("x",), (source,)))
    assert source.decoded == [0]
    assert found[0].thumbnail == thumbnail(frame)
    assert found[1].thumbnail == thumbnail(under("darkness", frame, "s0"))


def test_of_another_data_set():
    kept = WorstSamples(1)
    kept.add(9, "", Sample("s9", "", list), change(1.0))
    with pytest.raises(DataError, match="number 9"):
        illustrate(kept.worst(), Dataset(("x",), (Inputs(coloured(0)),)))


@pytest.mark.parametrize(
    ("size_wh", "expected"),
    [((640, 480), (192, 144)), ((100, 20), (100, 20)), ((2000, 50), (576, 14)), ((3, 900), (1, 192))],
)
def test_thumbnail_size(size_wh, expected):
    jpeg = thumbnail(Frame(np.zeros((size_wh[1], size_wh[0], 3), np.uint8)))
    assert pixels_of(jpeg).shape[1::-1] == expected


@pytest.mark.parametrize(("color", "index"), [("rgb", 0), ("bgr", 2)])
def test_thumbnail_colours(color, index):
    assert pixels_of(thumbnail(coloured(index, color)))[32, 32] == pytest.approx([0, 0, 255], abs=6)
