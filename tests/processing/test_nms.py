import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.processing.boxes import ious
from edgekit.processing.nms import blend, nms, ranked

PAIR = np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32)  # overlap 0.5


def kept(xyxy, score, index=None, iou_threshold=0.5):
    index = np.zeros(len(score), np.int32) if index is None else np.array(index, np.int32)
    found = nms(
        np.asarray(xyxy, np.float32).reshape(-1, 4), np.array(score, np.float32), index, iou_threshold
    )
    return found.tolist()


@pytest.mark.parametrize(
    ("score", "iou_threshold", "expected"),
    [
        ((0.9, 0.8), 0.49, [0]),
        ((0.9, 0.8), 0.5, [0, 1]),  # exactly the threshold stays
        ((0.8, 0.9), 0.49, [1]),
        ((0.8, 0.8), 0.49, [0]),  # the first of equal ones
        ((0.8, 0.9), 1.0, [1, 0]),
    ],
)
def test_of_two(score, iou_threshold, expected):
    assert kept(PAIR, score, iou_threshold=iou_threshold) == expected


def test_none():
    assert kept([], []) == []


def test_other_classes_do_not_suppress():
    assert kept(PAIR, (0.8, 0.9), (1, 0), 0.1) == [1, 0]


def test_what_is_suppressed_suppresses_nothing():
    chain = [[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]]  # neighbours overlap by 6/14
    assert kept(chain, (0.9, 0.8, 0.7), iou_threshold=0.4) == [0, 2]


def blended(xyxy, score, index, iou_threshold, found_score=0.0):
    stays, boxes = blend(
        np.asarray(xyxy, np.float32).reshape(-1, 4),
        np.array(score, np.float32),
        np.array(index),
        iou_threshold,
        found_score,
    )
    return stays.tolist(), boxes.tolist()


def test_blend_is_the_mean_by_scores_of_what_a_box_suppresses():
    """(0.6 · 0 + 0.2 · 4) / 0.8 = 1; the third is another class's, the fourth overlaps only what is gone."""
    boxes = [[0, 0, 10, 10], [4, 0, 14, 10], [0, 0, 10, 10], [8, 0, 18, 10]]
    stays, means = blended(boxes, (0.6, 0.2, 0.7, 0.1), (0, 0, 1, 0), 0.4)
    assert stays == [2, 0, 3]
    assert means == [pytest.approx(v, abs=1e-6) for v in ([0, 0, 10, 10], [1, 0, 11, 10], [8, 0, 18, 10])]


def test_what_is_not_found_does_not_count_in_a_blend():
    boxes = [[0, 0, 10, 10], [4, 0, 14, 10], [-4, 0, 6, 10]]
    stays, means = blended(boxes, (0.6, 0.2, 0.1), (0, 0, 0), 0.4, found_score=0.2)
    assert (stays, means) == ([0], [pytest.approx([1, 0, 11, 10], abs=1e-6)])
    assert blended(boxes, (0.4, 0.2, 0.1), (0, 0, 0), 0.4, found_score=0.5) == ([0], [boxes[0]])


def test_blend_of_none():
    assert blended([], [], [], 0.5) == ([], [])


def test_rank_is_stable():
    assert ranked(np.array([0.5, 0.9, 0.5, 0.9], np.float32)).tolist() == [1, 3, 0, 2]


def plainly(xyxy, score, index, iou_threshold):
    """One box at a time, in plain words."""
    stays = []
    for i in sorted(range(len(score)), key=lambda i: -score[i]):
        same = [j for j in stays if index[j] == index[i]]
        if all(ious(xyxy[i : i + 1], xyxy[j : j + 1])[0, 0] <= np.float32(iou_threshold) for j in same):
            stays.append(i)
    return stays


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 30), st.sampled_from((0.0, 0.3, 0.45, 0.7)))
def test_equals_the_plain_loop(seed, n, iou_threshold):
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 20, (n, 2))
    xyxy = np.hstack([corner, corner + rng.integers(0, 15, (n, 2))]).astype(np.float32)
    score = (rng.integers(0, 5, n) / 4).astype(np.float32)  # many equal ones
    index = rng.integers(0, 3, n)
    assert kept(xyxy, score, index, iou_threshold) == plainly(xyxy, score.tolist(), index, iou_threshold)
    stays, boxes = blended(xyxy, score + 0.25, index, iou_threshold)
    assert stays == kept(xyxy, score, index, iou_threshold)
    if len(stays) == n:  # nothing to blend
        assert np.array_equal(boxes, xyxy[stays]) or n == 0
