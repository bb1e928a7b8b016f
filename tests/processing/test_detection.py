"""Heads by hand: every box code, every choice, and the shapes that are refused."""

import numpy as np
import pytest
from msgspec.structs import replace

from edgekit.bundle.detect_head import (
    AbsoluteBoxes,
    DetectHead,
    DistanceBoxes,
    Level,
    OffsetBoxes,
    Part,
    SizeBoxes,
    TanhBoxes,
)
from edgekit.errors import BundleError
from edgekit.processing.detection import detect, part_values

PIXELS = AbsoluteBoxes("cxcywh", "pixel")


def head(boxes, *levels, **changes):
    return DetectHead(levels=levels, labels="labels.txt", boxes=boxes, min_score=0.1, **changes)


def rows(**changes):
    """Boxes and scores of a list of positions, channels last."""
    return head(PIXELS, Level(Part("s", channels="last"), Part("b", channels="last")), **changes)


def listed(scores, boxes):
    return {"s": np.array([scores], np.float32), "b": np.array([boxes], np.float32)}


def found(result):
    return [
        (*box, round(float(s), 4), int(i))
        for box, s, i in zip(result.xyxy.tolist(), result.score, result.index, strict=True)
    ]


def logit(p):
    return float(np.log(p / (1 - p)))


@pytest.mark.parametrize(
    ("code", "box", "expected"),
    [
        (AbsoluteBoxes("cxcywh", "pixel"), (20, 10, 8, 4), (16, 8, 24, 12)),
        (AbsoluteBoxes("xyxy", "pixel"), (16, 8, 24, 12), (16, 8, 24, 12)),
        (AbsoluteBoxes("cxcywh", "share"), (0.5, 0.5, 0.25, 0.5), (24, 8, 40, 24)),
        (AbsoluteBoxes("xyxy", "share"), (0.0, 0.25, 0.5, 1.0), (0, 8, 32, 32)),
    ],
)
def test_absolute_boxes(code, box, expected):
    one = replace(rows(), boxes=code)
    assert found(detect(listed([[0.5]], [box]), one, 1, (64, 32))) == [(*expected, 0.5, 0)]


def grid(values, rows_columns):
    """``(1, channels, rows, columns)`` from one value a channel at one cell, others far below."""
    made = np.full((1, len(values), *rows_columns), -20, np.float32)
    made[0, :, 1, 2] = values
    return made


def test_tanh_boxes_of_one_map():
    """FastestDet: objectness, box, classes in one tensor, and the powers of its score."""
    level = Level(Part("m", 5), Part("m", 1), objectness=Part("m", 0), stride=16)
    one = head(TanhBoxes(), level, objectness_power=0.6, score_power=0.4)
    output = np.zeros((1, 7, 2, 4), np.float32)
    output[0, :, 1, 2] = [0.5, np.arctanh(0.5), np.arctanh(-0.25), logit(0.25), 0.0, 0.2, 0.8]
    result = detect({"m": output}, one, 2, (64, 32))
    assert found(result) == [(32, 4, 48, 20, round(0.5**0.6 * 0.8**0.4, 4), 1)]
    assert result.xyxy.dtype == result.score.dtype == np.float32
    assert result.index.dtype == np.int32


@pytest.mark.parametrize(
    ("code", "values", "expected"),
    [
        (DistanceBoxes(), (1, 0.5, 2, 1), (12, 8, 36, 20)),  # of (20, 12), in cells of 8
        (DistanceBoxes(unit="pixel"), (4, 2, 6, 3), (16, 10, 26, 15)),
        (DistanceBoxes(unit="pixel", point=0.0), (4, 2, 6, 3), (12, 6, 22, 11)),
        (DistanceBoxes(bins=2), (0, 0, 0, 30, 30, 0, 0, 30), (16, 4, 20, 20)),  # 0.5, 1, 0 and 1
    ],
)
def test_distances(code, values, expected):
    level = Level(Part("s", activation="sigmoid"), Part("b"), stride=8)
    outputs = {"s": grid([logit(0.7)], (2, 4)), "b": grid(values, (2, 4))}
    box = found(detect(outputs, head(code, level), 1, (32, 16)))
    assert box == [(*[pytest.approx(v, abs=1e-5) for v in expected], 0.7, 0)]


@pytest.mark.parametrize(
    ("code", "offset", "expected"),
    [
        (SizeBoxes(), True, (14, 6, 22, 22)),  # centre (2.25, 1.75) cells of 8
        (SizeBoxes(unit="pixel"), True, (17.5, 13, 18.5, 15)),
        (SizeBoxes(), False, (12, 0, 20, 16)),
    ],
)
def test_sizes_around_a_centre(code, offset, expected):
    level = Level(Part("s"), Part("b"), offset=Part("o") if offset else None, stride=8)
    outputs = {"s": grid([0.7], (2, 4)), "b": grid([1, 2], (2, 4)), "o": grid([0.25, 0.75], (2, 4))}
    assert found(detect(outputs, head(code, level), 1, (32, 16))) == [(*expected, 0.7, 0)]


def anchored(n):
    """Two levels in the same tensors: 4 x 2 cells of 8 pixels, two anchors each, then 2 x 1 of 16, three each."""
    scores, boxes = Part("s", channels="last", activation="sigmoid"), Part("b", channels="last")
    levels = Level(scores, boxes, stride=8, anchors=2), Level(scores, boxes, stride=16, anchors=3, first=n)
    return head(OffsetBoxes(unit="pixel"), *levels, iou_threshold=0.3, overlaps="blend", found_score=0.2)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (0, (4 + 1 - 3, 4 - 2 - 4, 4 + 1 + 3, 4 - 2 + 4)),
        (1, (2, -2, 8, 6)),  # the same cell's other anchor
        (13, (20 + 1 - 3, 12 - 2 - 4, 24, 14)),  # cell 6: column 2, row 1
        (16, (8 + 1 - 3, 8 - 2 - 4, 12, 10)),  # the second level's first
        (21, (24 + 1 - 3, 2, 28, 10)),
    ],
)
def test_anchors_of_levels_behind_each_other(position, expected):
    scores = np.full((1, 22, 1), -30, np.float32)
    scores[0, position] = logit(0.7)
    outputs = {"s": scores, "b": np.tile(np.float32([1, -2, 6, 8, 99]), (1, 22, 1))}
    assert found(detect(outputs, anchored(16), 1, (32, 16))) == [(*expected, 0.7, 0)]


def test_boxes_that_overlap_are_blended():
    scores = np.full((1, 22, 1), -30, np.float32)
    scores[0, :2, 0] = logit(0.6), logit(0.2)
    boxes = np.zeros((1, 22, 4), np.float32)
    boxes[0, :2] = [0, 0, 8, 8], [2, 0, 8, 8]  # around (4, 4) and (6, 4): (0.6 · 4 + 0.2 · 6) / 0.8 = 4.5
    ((left, top, right, bottom, score, _),) = found(
        detect({"s": scores, "b": boxes}, anchored(16), 1, (32, 16))
    )
    assert (left, top, right, bottom) == pytest.approx((0.5, 0, 8.5, 8), abs=1e-5)
    assert score == 0.6


def test_boxes_in_pixels_are_told_as_shares_of_a_side():
    outputs = {"s": np.zeros((1, 22, 1), np.float32), "b": np.full((1, 22, 4), 8, np.float32)}
    assert part_values(outputs, anchored(16), 32).tolist() == [0.5] * 22 + [0.25] * 88
    assert part_values(outputs, anchored(16)).tolist() == [0.5] * 22 + [8] * 88
    shares = replace(anchored(16), boxes=OffsetBoxes())
    assert part_values(outputs, shares, 32).tolist() == [0.5] * 22 + [8] * 88


def test_a_level_that_ends_too_early():
    outputs = {"s": np.zeros((1, 22, 1)), "b": np.zeros((1, 22, 4))}
    with pytest.raises(BundleError, match="expected 4 x 2 x 2 positions .stride 8., got 15"):
        detect(outputs, anchored(15), 1, (32, 16))


def test_the_last_cell_of_a_side_may_reach_out():
    """800 x 608 by 64: 13 rows, 10 columns."""
    level = Level(Part("s", channels="last"), Part("b", channels="last"), stride=64)
    scores = np.zeros((1, 130, 1), np.float32)
    scores[0, 129] = 0.9
    outputs = {"s": scores, "b": np.full((1, 130, 4), 0.5, np.float32)}
    assert found(detect(outputs, head(DistanceBoxes(), level), 1, (608, 800))) == [
        (576, 768, 640, 832, 0.9, 0)
    ]


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ("best", [(1, 0.6), (0, 0.5)]),
        ("all", [(1, 0.6), (0, 0.5), (1, 0.5), (0, 0.4)]),
    ],
)
def test_best_class_or_all(classes, expected):
    """Of equal scores, the first class and the first position."""
    outputs = listed([[0.5, 0.5, 0.0], [0.4, 0.6, 0.05]], [(9, 9, 4, 4), (30, 9, 4, 4)])
    result = detect(outputs, rows(classes=classes), 3, (64, 32))
    assert [(i, s) for *_, s, i in found(result)] == expected


@pytest.mark.parametrize(
    ("background", "expected"),
    [("last", [(0, 0.7311)]), ("first", [(0, 0.2689)]), ("none", [(0, 0.7311)])],
)
def test_background_is_in_the_softmax_and_no_class(background, expected):
    level = Level(Part("s", channels="last", activation="softmax"), Part("b", channels="last"))
    one = head(PIXELS, level, background=background)
    classes = 2 if background == "none" else 1
    result = detect(listed([[1.0, 0.0]], [(9, 9, 4, 4)]), one, classes, (64, 32))
    assert [(i, s) for *_, s, i in found(result)] == expected


def test_peaks_of_each_class():
    """A plateau has as many peaks as cells; the edge of the map has fewer neighbours."""
    level = Level(Part("s"), Part("b"), stride=8)
    scores = np.zeros((1, 2, 3, 4), np.float32)
    scores[0, 0] = [[0.9, 0.8, 0, 0], [0.8, 0.4, 0, 0], [0, 0, 0.5, 0.5]]
    scores[0, 1, 0, 1] = 0.3
    outputs = {"s": scores, "b": np.ones((1, 2, 3, 4), np.float32)}
    one = head(SizeBoxes(), level, peaks=True, classes="all")
    result = detect(outputs, one, 2, (32, 24))
    assert [(i, s) for *_, s, i in found(result)] == [(0, 0.9), (0, 0.5), (0, 0.5), (1, 0.3)]
    everywhere = detect(outputs, replace(one, peaks=False), 2, (32, 24))
    assert len(everywhere.score) == 7


def test_the_number_of_candidates_and_of_objects():
    places = [(10 * i + 5, 5, 8, 8) for i in range(6)]
    outputs = listed([[0.2], [0.7], [0.6], [0.5], [0.4], [0.3]], places)
    assert len(detect(outputs, rows(max_candidates=4), 1, (64, 32)).score) == 4
    best = detect(outputs, rows(max_objects=2), 1, (64, 32))
    assert best.score.tolist() == pytest.approx([0.7, 0.6])


def test_candidates_are_thinned_before_overlaps_are():
    outputs = listed([[0.9], [0.8], [0.7]], [(9, 9, 4, 4), (9, 9, 4, 4), (40, 9, 4, 4)])
    assert len(detect(outputs, rows(iou_threshold=0.5), 1, (64, 32)).score) == 2
    assert len(detect(outputs, rows(iou_threshold=0.5, max_candidates=2), 1, (64, 32)).score) == 1


@pytest.mark.parametrize(("score", "n"), [(0.1, 1), (0.0999, 0), (np.nan, 0), (np.inf, 1)])
def test_from_min_score_on(score, n):
    assert len(detect(listed([[score]], [(9, 9, 4, 4)]), rows(), 1, (64, 32)).score) == n


@pytest.mark.parametrize("min_score", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("classes", ["best", "all"])
def test_logits_that_cannot_reach_min_score_change_nothing(min_score, classes):
    """What is sorted out before the sigmoid is what the sigmoid would sort out."""
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 4, (40, 5))
    logits[0] = 50.0  # a sigmoid of 1
    boxes = rng.uniform(1, 30, (40, 4))
    sigmoid = Level(Part("s", channels="last", activation="sigmoid"), Part("b", channels="last"))
    one = replace(rows(classes=classes, max_objects=1000), levels=(sigmoid,), min_score=min_score)
    plain = replace(rows(classes=classes, max_objects=1000), min_score=min_score)
    score = (1 / (1 + np.exp(-logits.astype(np.float32)))).astype(np.float32)
    first, second = (
        detect(listed(logits, boxes), one, 5, (64, 32)),
        detect(listed(score, boxes), plain, 5, (64, 32)),
    )
    assert np.array_equal(first.score, second.score)
    assert sorted(found(first)) == sorted(found(second))


@pytest.mark.parametrize("box", [(9, 9, 0, 4), (9, 9, -4, 4), (np.nan, 9, 4, 4), (9, 9, np.inf, 4)])
def test_a_box_without_area_is_none(box):
    assert len(detect(listed([[0.9]], [box]), rows(), 1, (64, 32)).score) == 0


def test_nothing_found():
    result = detect(listed([[0.0]], [(9, 9, 4, 4)]), rows(iou_threshold=0.5), 1, (64, 32))
    assert result.xyxy.shape == (0, 4)
    assert result.score.shape == result.index.shape == (0,)


def test_levels_compete():
    levels = [Level(Part(f"s{i}"), Part(f"b{i}"), stride=8 * i) for i in (1, 2)]
    outputs = {
        "s1": grid([0.5], (2, 4)), "b1": grid([1, 1], (2, 4)),
        "s2": np.full((1, 1, 1, 2), 0.8, np.float32), "b2": np.ones((1, 2, 1, 2), np.float32),
    }  # fmt: skip
    assert [s for *_, s, _ in found(detect(outputs, head(SizeBoxes(), *levels), 1, (32, 16)))] == [
        0.8,
        0.8,
        0.5,
    ]


@pytest.mark.parametrize(
    ("outputs", "problem"),
    [
        ({"s": np.zeros((1, 3, 2))}, "expected an output b, got s"),
        ({"s": np.zeros((2, 3, 2)), "b": np.zeros((1, 3, 4))}, r"got shape \(2, 3, 2\)"),
        ({"s": np.zeros((1, 3, 1)), "b": np.zeros((1, 3, 4))}, "channels 0 to 1 last"),
        (
            {"s": np.zeros((1, 3, 3)), "b": np.zeros((1, 3, 4))},
            "3 channels from 0 on, expected 2 for 2 labels",
        ),
        ({"s": np.ones((1, 3, 2)), "b": np.zeros((1, 2, 4))}, "expected more than 2 positions, got 2"),
        ({"s": np.ones(3), "b": np.zeros((1, 2, 4))}, r"got shape \(3,\)"),
    ],
)
def test_shapes_that_do_not_fit(outputs, problem):
    with pytest.raises(BundleError, match=problem):
        detect(outputs, rows(), 2, (64, 32))


def test_positions_that_are_no_map_of_the_input():
    level = Level(Part("s"), Part("b"), stride=8)
    outputs = {"s": np.zeros((1, 1, 3, 4)), "b": np.zeros((1, 2, 3, 4))}
    with pytest.raises(BundleError, match="expected 4 x 2 positions .stride 8., got 12"):
        detect(outputs, head(SizeBoxes(), level), 1, (32, 16))


def test_part_values_are_all_that_is_read_once():
    level = Level(Part("m", 1, activation="sigmoid"), Part("b"), objectness=Part("m"), stride=8)
    outputs = {"m": np.zeros((1, 3, 1, 2), np.float32), "b": np.full((1, 4, 1, 2), 2, np.float32)}
    values = part_values(outputs, head(DistanceBoxes(), level))
    assert values.tolist() == [0.5] * 4 + [2.0] * 8 + [0.0] * 2
