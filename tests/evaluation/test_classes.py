import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.evaluation.classes import TopOne
from edgekit.evaluation.outcome import Flips
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import wilson
from edgekit.types import Classification


def test_labelled(sample, chosen):
    scorer = TopOne(labelled=True)
    plan = [(0, 0, 0)] * 80 + [(0, 0, 1)] * 7 + [(0, 1, 0)] * 3 + [(0, 1, 2)] * 4 + [(0, 2, 2)] * 6
    for i, (truth, one, two) in enumerate(plan):
        scorer.add(sample(str(i), truth), chosen(one), chosen(two))
    score = scorer.score()
    assert (score.metric, score.clusters) == ("top1", 100)
    assert (score.reference, score.candidate, score.drop) == pytest.approx((0.87, 0.83, 0.04))
    assert score.flips == Flips(changed=14, right_to_wrong=7, wrong_to_right=3)
    assert score.agreement == pytest.approx(0.86)
    expected = tango(7, 3, 100)
    found = score.interval_at(1.0)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert score.agreement_interval.low == 1 - wilson(14, 100).high
    assert score.mcnemar_p == pytest.approx(0.34375)


def test_unlabelled_is_disagreement(sample, chosen):
    scorer = TopOne(labelled=False)
    for i in range(50):
        scorer.add(sample(str(i)), chosen(0), chosen(1 if i < 5 else 0))
    score = scorer.score()
    assert (score.metric, score.reference, score.candidate, score.drop) == ("disagreement", 0.0, 0.1, 0.1)
    assert score.flips == Flips(5, None, None)
    assert score.interval_at(1.0) == wilson(5, 50)
    assert score.interval_at(4.0) == wilson(20, 200)
    assert score.mcnemar_p is None
    assert "from above" in score.meaning


@pytest.mark.parametrize("labelled", [True, False])
def test_clusters_widen(sample, chosen, labelled):
    alone, together = TopOne(labelled), TopOne(labelled)
    for i in range(400):
        changed = i // 10 in (3, 4)
        for scorer, cluster in ((alone, str(i)), (together, str(i // 10))):
            scorer.add(sample(str(i), 0 if labelled else None, cluster), chosen(0), chosen(int(changed)))
    one, two = alone.score(), together.score()
    assert one.drop == two.drop == 0.05
    assert (one.clusters, two.clusters) == (400, 40)
    assert two.interval_at(1.0).high > 1.5 * one.interval_at(1.0).high
    assert two.mcnemar_p is None


def test_changes_in_words_and_by_severity(sample, chosen):
    scorer = TopOne(labelled=True)
    same = scorer.add(sample("1", 2), chosen(0, 0.9), chosen(0, 0.6))
    flip = scorer.add(sample("2", 0), chosen(0, 0.9), chosen(1, 0.6))
    assert (same.changed, same.severity) == (False, pytest.approx(0.3))
    assert (flip.changed, flip.severity) == (True, pytest.approx(1.7))
    assert (flip.reference, flip.candidate, flip.truth, same.truth) == ("a (0.900)", "b (0.600)", "a", "c")


def test_the_same_labels_in_another_order_are_compared_by_name(sample, chosen):
    scorer = TopOne(labelled=True)
    turned = ("c", "a", "b")
    same = scorer.add(sample("1", 0), chosen(0), chosen(1, labels=turned))
    flip = scorer.add(sample("2", 0), chosen(0), chosen(0, labels=turned))
    assert (same.changed, flip.changed, flip.candidate) == (False, True, "c (0.800)")
    assert (scorer.score().candidate, scorer.score().flips.right_to_wrong) == (0.5, 1)
    with pytest.raises(UsageError, match="e.g. 'd' is none of the reference's"):
        scorer.add(sample("3", 0), chosen(0), chosen(1, labels=("c", "a", "d")))


def test_other_labels_are_refused(sample, chosen):
    with pytest.raises(UsageError, match="differ in their labels: 3 and 2"):
        TopOne(True).add(sample("1", 0), chosen(0), chosen(0, labels=("a", "b")))


def test_other_results_are_a_bug(sample, chosen, read):
    with pytest.raises(TypeError, match="classifications"):
        TopOne(True).add(sample("1", 0), chosen(0), read("x"))


def test_broken_scores_are_as_bad_as_can_be(sample, chosen):
    broken = Classification(np.full(3, np.nan, np.float32), ("a", "b", "c"))
    change = TopOne(True).add(sample("1", 1), chosen(1), broken)
    assert (change.changed, change.severity) == (True, 2.0)


def test_confidence_widens(sample, chosen):
    scorer = TopOne(labelled=True)
    for i in range(100):
        scorer.add(sample(str(i), 0), chosen(0), chosen(1 if i < 5 else 0))
    narrow, wide = (scorer.score().interval_at(1.0, c) for c in (0.95, 0.999))
    expected = tango(5, 0, 100, 0.999)
    assert (wide.low, wide.high) == pytest.approx((expected.low, expected.high))
    assert wide.low < narrow.low < 0.05 < narrow.high < wide.high


def test_the_primary_is_a_new_one_without_measures(sample, chosen):
    scorer = TopOne(labelled=True)
    scorer.add(sample("1", 0), chosen(0), chosen(1))
    light = scorer.primary()
    light.add(sample("2", 0), chosen(0), chosen(0))
    assert (light.score().drop, light.score().measures) == (0.0, ())
    assert scorer.score().measures


def test_order_does_not_matter(sample, chosen):
    plan = [
        (sample(str(i), i % 3, str(i % 7)), chosen(i % 3, 0.6), chosen((i * i) % 3, 0.7)) for i in range(60)
    ]
    first, second = TopOne(True), TopOne(True)
    for row in plan:
        first.add(*row)
    for row in reversed(plan):
        second.add(*row)
    one, two = first.score(), second.score()
    assert one.interval_at(1.0, 0.95) == two.interval_at(1.0, 0.95)
    assert (one.measures, one.agreement_interval) == (two.measures, two.agreement_interval)
