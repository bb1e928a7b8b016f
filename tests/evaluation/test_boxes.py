import numpy as np
import pytest

from edgekit.data.sample import TrueBoxes
from edgekit.errors import DataError, UsageError
from edgekit.evaluation.boxes import LEAST_SCORE, AveragePrecision
from edgekit.evaluation.outcome import Flips
from edgekit.statistics.average_precision import ap_drop, average_precision
from edgekit.statistics.matching import MatchTable, matches
from edgekit.statistics.ratio import ratio_moments
from edgekit.types import Detections

LABELS = ("cat", "dog", "car")


def found(*rows, labels=LABELS):
    """Detections of rows (left, top, right, bottom, score, class)."""
    table = np.array(rows, np.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32), labels)


def true(*rows):
    """True boxes of rows (left, top, right, bottom, class) or the same with a crowd's 1."""
    table = np.array([(*row, 0)[:6] for row in rows], np.float32).reshape(-1, 6)
    return TrueBoxes(table[:, :4], table[:, 4].astype(np.int32), table[:, 5].astype(bool))


CAT, DOG = (0, 0, 10, 10), (20, 20, 40, 30)


def pictures(n=40, seed=0):
    """Objects, boxes of a reference near them, and of a candidate that misses more."""
    rng = np.random.default_rng(seed)
    for _ in range(n):
        corners = rng.uniform(0, 80, (4, 2))
        boxes = np.hstack([corners, corners + rng.uniform(10, 30, (4, 2))])
        classes = rng.integers(0, 3, 4)
        sides = []
        for miss, spread in [(0.1, 1.0), (0.25, 2.0)]:
            kept = rng.random(4) > miss
            moved = boxes[kept] + rng.normal(0, spread, (int(kept.sum()), 4))
            score = rng.uniform(0.2, 1, len(moved))
            sides.append(found(*np.column_stack([moved, score, classes[kept]])))
        yield true(*np.column_stack([boxes, classes])), *sides


def test_average_precision(sample):
    scorer, tables = AveragePrecision(True), (MatchTable(), MatchTable())
    for i, (truth, one, two) in enumerate(pictures()):
        scorer.add(sample(f"{i:03}", truth), one, two)
        for table, side in zip(tables, (one, two), strict=True):
            table.add(matches(side, truth.xyxy, truth.index, truth.crowd))
    score = scorer.score()
    expected = ap_drop(tables[0].found(), tables[1].found(), np.arange(40))
    assert (score.metric, score.clusters) == ("ap", 40)
    assert (score.reference, score.candidate) == (expected.reference.ap, expected.candidate.ap)
    assert 0.05 < score.drop == expected.drop
    assert score.interval_at(1.0, 0.99) == expected.interval(1.0, 0.99)
    ap50, f1 = score.measures
    at_50 = [100 * average_precision(table.found(), (0,)).ap for table in tables]
    assert ap50.name == "ap50"
    assert (ap50.reference, ap50.candidate) == pytest.approx(at_50, abs=1e-6)
    assert ap50.interval[0] < ap50.drop < ap50.interval[1]
    assert (f1.name, f1.unit) == ("f1", "points")
    assert f1.interval[0] < f1.drop < f1.interval[1]


def test_slices_by_class(sample):
    scorer, alone = AveragePrecision(True), [AveragePrecision(True) for _ in LABELS]
    with_class = [0, 0, 0]
    for i, (truth, one, two) in enumerate(pictures(30)):
        given = sample(f"{i:03}", truth, str(i // 2))
        scorer.add(given, one, two)
        for c in range(3):
            kept = [d.index == c for d in (truth, one, two)]
            if any(k.any() for k in kept):
                with_class[c] += 1
                only = TrueBoxes(truth.xyxy[kept[0]], truth.index[kept[0]], truth.crowd[kept[0]])
                sides = [
                    Detections(d.xyxy[k], d.score[k], d.index[k], LABELS)
                    for d, k in zip((one, two), kept[1:], strict=True)
                ]
                alone[c].add(sample(f"{i:03}", only, str(i // 2)), *sides)
    slices = scorer.score().slices
    assert [s.drop for s in slices] == sorted((s.drop for s in slices), reverse=True)
    for found in slices:
        c = LABELS.index(found.name)
        expected = alone[c].score()
        assert (found.kind, found.n, found.clusters) == ("class", with_class[c], expected.clusters)
        assert (found.reference, found.candidate) == pytest.approx(
            (100 * expected.reference, 100 * expected.candidate), abs=1e-6
        )
        interval = expected.interval_at(1.0, 1 - 0.05 / 3)
        assert found.interval == pytest.approx((100 * interval.low, 100 * interval.high), abs=1e-6)
        assert found.changed == expected.flips.changed


def test_f1_by_hand(sample):
    scorer = AveragePrecision(True)
    truth = true((*CAT, 0), (*DOG, 1))
    one = found((*CAT, 0.9, 0), (*DOG, 0.8, 1), (50, 50, 60, 60, 0.29, 2))
    two = found((*CAT, 0.9, 0), (*DOG, 0.2, 1), (50, 50, 60, 60, 0.9, 2), (*DOG, 0.5, 0))
    change = scorer.add(sample("1", truth), one, two)
    assert (change.changed, change.severity) == (True, 1.5)  # 3 errors more over 2 objects
    assert (change.reference, change.candidate, change.truth) == (
        "1 cat, 1 dog",
        "2 cat, 1 car",
        "1 cat, 1 dog",
    )
    score = scorer.score()
    f1 = score.measures[1]
    assert (f1.reference, f1.candidate) == pytest.approx((100, 40))
    assert score.flips == Flips(1, 1, 0)
    assert score.agreement == 0


def test_a_crowd_counts_neither_way(sample):
    scorer = AveragePrecision(True)
    truth = true((*CAT, 0), (50, 50, 90, 90, 0, 1))
    change = scorer.add(
        sample("1", truth), found((*CAT, 0.9, 0)), found((*CAT, 0.9, 0), (55, 55, 65, 65, 0.9, 0))
    )
    assert (change.changed, change.severity, change.truth) == (True, 0.0, "1 cat")
    assert scorer.score().flips == Flips(1, 0, 0)


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        (found((*CAT, 0.4, 0)), False),
        (found((0, 0, 10, 5.1, 0.9, 0)), False),
        (found((0, 0, 10, 4.9, 0.9, 0)), True),
        (found((*CAT, 0.9, 1)), True),
        (found((*CAT, LEAST_SCORE - 0.01, 0)), True),
        (found((*CAT, 0.9, 0), (*CAT, 0.8, 0)), True),
        (found((*CAT, 0.9, 0), (*DOG, 0.29, 0)), False),
        (found(), True),
    ],
)
def test_which_pictures_are_changed(sample, other, changed):
    change = AveragePrecision(False).add(sample("1"), found((*CAT, 0.9, 0)), other)
    assert change.changed == changed


def test_more_boxes_than_count_are_no_change(sample):
    rows = [(i, i, i + 5, i + 5, 0.5 + i / 1000, 1) for i in range(150)]
    change = AveragePrecision(False).add(sample("1"), found(*rows), found(*rows[::-1]))
    assert (change.changed, change.severity, change.reference) == (False, 0.0, "100 dog")


def test_without_true_boxes_it_is_disagreement(sample):
    scorer = AveragePrecision(False)
    for i in range(30):
        other = found((*CAT, 0.9, 0)) if i < 3 else found((*CAT, 0.9, 0), (*DOG, 0.5, 1))
        scorer.add(sample(f"{i:02}"), found((*CAT, 0.9, 0), (*DOG, 0.9, 1)), other)
    score = scorer.score()
    assert (score.metric, score.reference) == ("disagreement", 0.0)
    assert score.drop == score.candidate == 3 / 117
    assert score.flips == Flips(3, None, None)
    alone, boxes = np.array([1.0] * 3 + [0.0] * 27), np.array([3.0] * 3 + [4.0] * 27)
    expected = ratio_moments(alone, boxes).interval()
    assert score.interval_at(1.0, 0.95).high == expected.high
    assert score.interval_at(1.0, 0.95).low == max(expected.low, 0.0)
    assert "NOT bound" in score.meaning


@pytest.mark.parametrize(
    ("labelled", "message"),
    [
        (True, "no object in 1 pictures"),
        (False, "neither side found an object with a score of at least 0.3 in 1"),
    ],
)
def test_no_object_at_all(sample, labelled, message):
    scorer = AveragePrecision(labelled)
    scorer.add(sample("1", true() if labelled else None), found(), found((*CAT, 0.1, 0)))
    with pytest.raises(DataError, match=message):
        scorer.score()


def test_order_does_not_matter(sample):
    rows = [(sample(f"{i:03}", t, str(i // 3)), a, b) for i, (t, a, b) in enumerate(pictures(20))]
    one, two = AveragePrecision(True), AveragePrecision(True)
    for row in rows:
        one.add(*row)
    for row in reversed(rows):
        two.add(*row)
    first, second = one.score(), two.score()
    assert first.clusters == 7
    assert (first.reference, first.candidate) == (second.reference, second.candidate)
    assert first.measures == second.measures
    assert first.interval_at(1.0, 0.95) == second.interval_at(1.0, 0.95)


def test_the_primary_has_no_measures(sample):
    light = AveragePrecision(True).primary()
    light.add(sample("1", true((*CAT, 0))), found((*CAT, 0.9, 0)), found())
    score = light.score()
    assert (score.drop, score.measures, score.slices) == (pytest.approx(1.0), (), ())


def test_the_same_labels_in_another_order_are_compared_by_name(sample):
    turned, scorer = ("dog", "car", "cat"), AveragePrecision(True)
    same = scorer.add(
        sample("1", true((*CAT, 0))), found((*CAT, 0.9, 0)), found((*CAT, 0.9, 2), labels=turned)
    )
    other = scorer.add(
        sample("2", true((*CAT, 0))), found((*CAT, 0.9, 0)), found((*CAT, 0.9, 0), labels=turned)
    )
    assert (same.changed, same.candidate) == (False, "1 cat")
    assert (other.changed, other.candidate) == (True, "1 dog")
    assert scorer.score().drop == pytest.approx(1 - 51 / 101)


def test_other_labels_and_results_are_refused(sample, chosen):
    with pytest.raises(UsageError, match="differ in their labels"):
        AveragePrecision(True).add(sample("1", true()), found(), found(labels=("cat",)))
    with pytest.raises(TypeError, match="detections"):
        AveragePrecision(True).add(sample("1", true()), found(), chosen(0))
