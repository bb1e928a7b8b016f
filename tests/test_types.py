import sys
from types import SimpleNamespace

import numpy as np
import pytest

from edgekit import Classification, Frame, TextRegions
from edgekit.errors import DataError, EnvironmentLacks
from edgekit.types import Detections, TokenScores


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        [[0, 0, 0]],
    ],
)
def test_frame_refuses_what_is_no_picture(pixels):
    with pytest.raises(DataError, match="picture: expected"):
        Frame(pixels)


def test_frame_size_is_width_then_height():
    assert Frame(np.zeros((3, 7, 3), np.uint8)).size_wh == (7, 3)


def test_top_orders_by_score_and_breaks_ties_by_index():
    result = Classification(np.array([0.1, 0.4, 0.1, 0.4], np.float32), ("a", "b", "c", "d"))
    assert [(c.index, c.label) for c in result.top(3)] == [(1, "b"), (3, "d"), (0, "a")]
    assert result.top(0) == []
    assert len(result.top(99)) == 4
    assert result.as_json()["top"][0] == {"index": 1, "label": "b", "score": 0.4}


def test_classification_refuses_another_number_of_scores():
    with pytest.raises(DataError, match="expected 2 scores"):
        Classification(np.zeros(3, np.float32), ("a", "b"))


def test_text_regions_refuses_shapes_that_do_not_fit():
    with pytest.raises(DataError, match=r"expected quads \(1, 4, 2\)"):
        TextRegions(np.zeros((2, 4, 2), np.float32), ("a",), np.zeros(1, np.float32))


def test_text_regions_as_text_and_json():
    quad = np.array([[[0, 0], [9.04, 0], [9, 5], [0, 5]]] * 2, np.float32)
    regions = TextRegions(quad, ("one", "two"), np.array([0.5, 1], np.float32))
    assert len(regions) == 2
    assert regions.text == "one\ntwo"
    assert regions.as_json()["lines"][0] == {
        "quad": [[0.0, 0.0], [9.0, 0.0], [9.0, 5.0], [0.0, 5.0]],
        "text": "one",
        "score": 0.5,
    }


@pytest.mark.parametrize("top", [np.zeros((2, 0)), np.zeros(2), np.zeros((1, 3))])
def test_token_scores_refuse_shapes_that_do_not_fit(top):
    with pytest.raises(DataError, match=r"expected top_index and top_logprob \(2, k\), k at least 1"):
        TokenScores(np.zeros(2, np.float32), top.astype(np.int32), top.astype(np.float32), 4)


TWO = Detections(
    np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.float32),
    np.array([0.5, 0.2], np.float32),
    np.array([1, 0], np.int32),
    ("car", "person"),
    found_score=0.5,
)


def test_objects_that_count_as_found():
    assert TWO.found().label == ("person",)
    assert TWO.found().found_score == 0.5
    assert len(TWO.found().found()) == 1


def test_detections_for_supervision(monkeypatch):
    """By a stand-in that takes what supervision takes; the next test asks the real one where it is."""
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=lambda **given: given))
    given = TWO.to_supervision()
    assert given["xyxy"].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert given["confidence"].tolist() == pytest.approx([0.5, 0.2])
    assert given["class_id"].dtype.kind == "i"
    assert given["class_id"].tolist() == [1, 0]
    assert given["data"]["class_name"].tolist() == ["person", "car"]


@pytest.mark.parametrize("n", [0, 2])
def test_the_real_supervision_takes_them(n):
    supervision = pytest.importorskip("supervision")
    found = Detections(TWO.xyxy[:n], TWO.score[:n], TWO.index[:n], TWO.labels).to_supervision()
    assert isinstance(found, supervision.Detections)
    assert len(found) == n


def test_without_supervision(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(EnvironmentLacks, match="pip install supervision"):
        TWO.to_supervision()
