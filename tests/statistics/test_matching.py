import numpy as np
import pytest

from edgekit.statistics.matching import MatchTable, matches, overlaps
from edgekit.types import Detections

BOX = [10.0, 10, 50, 50]


def detections(boxes, scores, index=None):
    return Detections(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(index if index is not None else [0] * len(scores), np.int32),
        ("cat", "dog"),
    )


def match(found, boxes, index=None, crowd=None):
    n = len(boxes)
    return matches(
        found,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(index or [0] * n, np.int32),
        np.array(crowd or [False] * n),
    )


def test_overlaps():
    found = overlaps(
        np.array([BOX, [50, 50, 60, 60], [10, 10, 30, 50]], np.float32),
        np.array([BOX, [0, 0, 100, 100]], np.float32),
        np.array([False, True]),
    )
    assert found == pytest.approx(np.array([[1, 1], [0, 1], [0.5, 1]]))


def test_bits_are_thresholds():
    found = match(detections([BOX, [10, 10, 50, 42]], [0.9, 0.8], [0, 1]), [BOX, BOX], [0, 1])
    assert found.hit.tolist() == [0b1111111111, 0b0001111111]  # 0.8 of the object: thresholds 0.50 to 0.80
    assert found.objects.tolist() == [0, 1]


def test_an_object_is_taken_once_by_the_best_score():
    found = match(detections([BOX, BOX], [0.3, 0.9]), [BOX])
    assert found.score.tolist() == pytest.approx([0.9, 0.3])
    assert found.hit.tolist() == [1023, 0]


def test_a_crowd_takes_any_number_but_only_what_no_object_is_left_for():
    found = match(detections([BOX] * 3, [0.9, 0.8, 0.7]), [BOX, [0, 0, 100, 100]], crowd=[False, True])
    assert found.hit.tolist() == [1023, 0, 0]
    assert found.ignored.tolist() == [0, 1023, 1023]
    assert found.objects.tolist() == [0]


def test_other_class_is_no_match():
    assert match(detections([BOX], [0.9], [1]), [BOX]).hit.tolist() == [0]


def test_best_hundred_of_a_class():
    found = match(detections([BOX] * 250, np.linspace(0, 1, 250), [0] * 130 + [1] * 120), [])
    assert np.bincount(found.index).tolist() == [100, 100]
    assert found.score.min() == pytest.approx(30 / 249)


def test_nothing():
    found = match(detections([], []), [])
    assert len(found.score) == len(found.objects) == 0


def test_table():
    table = MatchTable()
    assert table.found().images == 0
    table.add(match(detections([BOX], [0.9]), [BOX, BOX]))
    table.add(match(detections([], []), []))
    table.add(match(detections([BOX, BOX], [0.5, 0.6]), [BOX]))
    found = table.found()
    assert found.images == 3
    assert found.image.tolist() == [0, 2, 2]
    assert found.object_image.tolist() == [0, 0, 2]
    assert found.hit.tolist() == [1023, 1023, 0]
