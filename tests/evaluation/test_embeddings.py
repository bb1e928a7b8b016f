import numpy as np
import pytest

from edgekit.errors import DataError, UsageError
from edgekit.evaluation import embeddings
from edgekit.evaluation.embeddings import Recall
from edgekit.evaluation.outcome import Flips
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import wilson
from edgekit.statistics.rank_correlation import similarity_correlation
from edgekit.statistics.recall import nearest, ranks
from edgekit.types import Embedding


def drawn(n=120, classes=12, noise=0.8, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    given = (rng.normal(size=(classes, 16))[labels] + rng.normal(size=(n, 16))).astype(np.float32)
    return labels, given, (given + noise * rng.normal(size=(n, 16))).astype(np.float32)


def scored(sample, labels, given, other, labelled=True, order=None):
    scorer = Recall(labelled)
    for i in range(len(given)) if order is None else order:
        truth = int(labels[i]) if labelled else None
        scorer.add(sample(f"{i:04}", truth), Embedding(given[i]), Embedding(other[i]))
    return scorer.score()


def test_recall(sample):
    labels, given, other = drawn()
    score = scored(sample, labels, given, other)
    sources = np.arange(120)
    was, now = ranks(given, labels, sources) < 1, ranks(other, labels, sources) < 1
    assert (score.metric, score.clusters) == ("recall_at_1", 120)
    assert (score.reference, score.candidate) == pytest.approx((was.mean(), now.mean()))
    assert score.drop == pytest.approx(was.mean() - now.mean())
    lost, gained = int((was & ~now).sum()), int((now & ~was).sum())
    differ = int((nearest(given, sources) != nearest(other, sources)).sum())
    assert score.flips == Flips(differ, lost, gained)
    expected, found = tango(lost, gained, 120, 0.99), score.interval_at(1.0, 0.99)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_measures(sample):
    labels, given, other = drawn()
    five, ten, order, distance = scored(sample, labels, given, other).measures
    assert [five.name, ten.name] == ["recall_at_5", "recall_at_10"]
    assert five.reference == pytest.approx(100 * (ranks(given, labels, np.arange(120)) < 5).mean(), abs=1e-6)
    assert ten.candidate == pytest.approx(100 * (ranks(other, labels, np.arange(120)) < 10).mean(), abs=1e-6)
    known = similarity_correlation(given, other, np.arange(120))
    assert (order.name, order.unit, order.reference) == ("similarity_spearman", "rho", 1.0)
    assert order.candidate == pytest.approx(known.rho, abs=1e-6)
    assert order.interval[0] < order.drop < order.interval[1]
    cosines = (given * other).sum(1) / np.linalg.norm(given, axis=1) / np.linalg.norm(other, axis=1)
    assert (distance.name, distance.unit) == ("cosine_distance", "1 - cosine")
    assert distance.drop == pytest.approx(1 - cosines.mean(), abs=1e-5)
    assert distance.interval[0] < distance.drop < distance.interval[1]


def test_order_does_not_matter(sample):
    labels, given, other = drawn()
    one = scored(sample, labels, given, other)
    two = scored(sample, labels, given, other, order=np.random.default_rng(1).permutation(120))
    assert (one.drop, one.flips, one.measures) == (two.drop, two.flips, two.measures)
    assert one.interval_at(1.0, 0.95) == two.interval_at(1.0, 0.95)


def test_without_labels_the_nearest_neighbour_counts(sample):
    labels, given, other = drawn(noise=0.1)
    score = scored(sample, labels, given, other, labelled=False)
    sources = np.arange(120)
    differ = int((nearest(given, sources) != nearest(other, sources)).sum())
    assert 0 < differ < 60
    assert (score.metric, score.drop, score.flips) == (
        "disagreement",
        differ / 120,
        Flips(differ, None, None),
    )
    assert score.interval_at(1.0, 0.95) == wilson(differ, 120)
    assert [m.name for m in score.measures] == ["similarity_spearman", "cosine_distance"]


def test_same_vectors_change_nothing(sample):
    labels, given, _ = drawn()
    score = scored(sample, labels, given, given * 3)
    assert (score.drop, score.flips, score.agreement) == (0.0, Flips(0, 0, 0), 1.0)


def test_labels_that_nothing_else_has_are_not_asked_for(sample):
    scorer = Recall(True)
    for i, (truth, vector) in enumerate([(0, [1, 0]), (0, [1, 0.1]), (1, [0, 1])]):
        scorer.add(sample(str(i), truth), *[Embedding(np.array(vector, np.float32))] * 2)
    score = scorer.score()
    assert (score.reference, score.clusters) == (1.0, 3)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("1", 0, "a"), ("2", 0, "a")], "all 2 samples are of one source"),
        ([("1", 0, "a"), ("2", 1, "b")], "no two of 2 sources have a label in common"),
    ],
)
def test_nothing_to_compare(sample, rows, message):
    scorer = Recall(True)
    for name, truth, cluster in rows:
        scorer.add(sample(name, truth, cluster), *[Embedding(np.ones(2, np.float32))] * 2)
    with pytest.raises(DataError, match=message):
        scorer.score()


def test_more_than_is_kept(sample, monkeypatch):
    monkeypatch.setattr(embeddings, "MOST_BYTES", 8 * 4 * 3)
    scorer, vector = Recall(True), Embedding(np.ones(4, np.float32))
    for i in range(3):
        scorer.add(sample(str(i), 0), vector, vector)
    with pytest.raises(
        DataError, match=r"at most 3 samples of 4 values, got more \(draw some of them: --limit 3"
    ):
        scorer.add(sample("3", 0), vector, vector)


def test_vectors_of_other_models(sample, chosen):
    with pytest.raises(UsageError, match="vectors of 4 and 5 values"):
        Recall(True).add(sample("1", 0), Embedding(np.ones(4, np.float32)), Embedding(np.ones(5, np.float32)))
    with pytest.raises(TypeError, match="embeddings"):
        Recall(True).add(sample("1", 0), chosen(0), chosen(0))


@pytest.mark.parametrize(
    ("other", "severity"), [([1, 0], 0.0), ([0, 1], 1.0), ([-2, 0], 2.0), ([0, 0], 1.0), ([np.nan, 1], 1.0)]
)
def test_severity_is_the_distance(sample, other, severity):
    change = Recall(True).add(
        sample("1", 3), Embedding(np.array([3, 0], np.float32)), Embedding(np.array(other, np.float32))
    )
    assert (change.changed, change.severity, change.truth) == (False, pytest.approx(severity), "label 3")
    assert change.candidate == f"cosine {1 - severity:.4f}"
