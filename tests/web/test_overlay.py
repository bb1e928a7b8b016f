from __future__ import annotations

import numpy as np

from edgekit.types import Classification, Detections, Embedding, TextRegions
from edgekit.web.overlay import SHAPES, overlay


def test_boxes_become_corners_and_faint_ones_stay_away():
    result = Detections(
        np.array([[1, 2, 30.04, 40], [5, 6, 7, 8]], np.float32),
        np.array([0.9, 0.2], np.float32),
        np.array([1, 0]),
        ("cat", "dog"),
    )
    assert overlay(result) == {
        "shapes": [{"points": [[1, 2], [30, 2], [30, 40], [1, 40]], "label": "dog", "score": 0.9}],
        "more": 0,
    }


def test_lines_of_text_keep_their_corners():
    quads = np.array([[[0, 0], [9, 1], [9, 5], [0, 4]]], np.float32)
    got = overlay(TextRegions(quads, ("t" * 500,), np.array([0.5], np.float32)))
    assert got["shapes"][0]["points"] == [[0, 0], [9, 1], [9, 5], [0, 4]]
    assert got["shapes"][0]["label"] == "t" * 120


def test_the_best_classes():
    result = Classification(np.array([0.1, 0.6, 0.2, 0.1], np.float32), ("a", "b", "c", "d"))
    assert [c["label"] for c in overlay(result)["classes"]] == ["b", "c", "a"]
    assert overlay(result)["classes"][0]["score"] == 0.6


def test_shapes_are_bounded():
    n = SHAPES + 7
    ones = np.ones(n, np.float32)
    result = Detections(np.ones((n, 4), np.float32), ones, np.zeros(n, int), ("x",))
    got = overlay(result)
    assert (len(got["shapes"]), got["more"]) == (SHAPES, 7)


def test_nothing_found_and_nothing_to_draw():
    empty = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, int), ("x",))
    assert overlay(empty) == {"shapes": [], "more": 0}
    assert overlay(Embedding(np.ones(3, np.float32))) == {}
