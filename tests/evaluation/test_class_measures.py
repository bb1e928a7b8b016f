import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score

from edgekit.evaluation import class_measures
from edgekit.evaluation.class_measures import ClassMeasures, divergence
from edgekit.statistics.paired import tango
from edgekit.types import Classification


def scores(*values):
    return Classification(np.array(values, np.float32), tuple(map(str, range(len(values)))))


def named(measures):
    return {m.name: m for m in measures.measures()}


@pytest.mark.parametrize("seed", range(5))
def test_divergence_is_that_of_scipy(seed):
    p, q = np.random.default_rng(seed).dirichlet(np.ones(20), 2).astype(np.float32)
    assert divergence(p, q) == pytest.approx(entropy(p, q), rel=1e-5)


def test_divergence_at_its_edges():
    assert divergence(np.array([0.25, 0.75]), np.array([0.25, 0.75])) == 0.0
    assert divergence(np.array([1.0, 0.0]), np.array([0.5, 0.5])) == pytest.approx(np.log(2))
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(27.631, abs=1e-3)
    assert divergence(np.array([0.9, 0.9]), np.array([0.5, 0.5])) is None
    assert divergence(np.array([0.5, 0.5]), np.array([1.5, -0.5])) is None
    assert divergence(np.array([0.5, 0.5]), np.array([np.nan, 0.5])) is None


def test_divergence_has_an_interval_over_sources():
    measures = ClassMeasures(labelled=False)
    for i in range(40):
        shift = 0.1 + 0.01 * (i % 5)
        measures.add(str(i // 2), None, scores(0.5, 0.5), scores(0.5 + shift, 0.5 - shift))
    kl = named(measures)["kl"]
    expected = np.mean([entropy([0.5, 0.5], [0.6 + 0.01 * k, 0.4 - 0.01 * k]) for k in range(5)])
    assert (kl.unit, kl.reference, kl.candidate) == ("nats", None, None)
    assert kl.drop == pytest.approx(expected, rel=1e-4)
    assert 0 < kl.interval[0] < kl.drop < kl.interval[1] < 1.3 * kl.drop


def test_no_divergence_where_one_sample_has_no_probabilities():
    measures = ClassMeasures(labelled=False)
    measures.add("1", None, scores(0.5, 0.5), scores(0.5, 0.5))
    measures.add("2", None, scores(0.9, 0.8), scores(0.9, 0.8))
    measures.add("3", None, scores(0.5, 0.5), scores(0.5, 0.5))
    assert named(measures) == {}


def dirichlet(n, classes, seed):
    """Calibrated scores, noisier ones of a candidate, and labels."""
    rng = np.random.default_rng(seed)
    given = rng.dirichlet(np.full(classes, 0.4), n)
    truth = np.array([rng.choice(classes, p=row) for row in given])
    worse = 0.5 * given + 0.5 * rng.dirichlet(np.full(classes, 0.4), n)
    return given.astype(np.float32), worse.astype(np.float32), truth


@pytest.mark.parametrize("classes", [2, 4])
def test_area_is_that_of_scikit_learn(classes):
    given, worse, truth = dirichlet(300, classes, 1)
    measures = ClassMeasures(labelled=True)
    for i in range(300):
        measures.add(str(i), int(truth[i]), scores(*given[i]), scores(*worse[i]))
    auc = named(measures)["auc"]

    def oracle(values):
        if classes == 2:
            return 100 * roc_auc_score(truth, values[:, 1])
        return 100 * roc_auc_score(truth, values.astype(float), multi_class="ovr", labels=range(classes))

    assert (auc.reference, auc.candidate) == pytest.approx((oracle(given), oracle(worse)), abs=1e-4)
    assert auc.drop == pytest.approx(auc.reference - auc.candidate, abs=2e-6)
    assert auc.interval[0] < auc.drop < auc.interval[1]


@pytest.mark.parametrize(("classes", "told"), [(20, True), (21, False)])
def test_no_area_of_many_classes(classes, told):
    given, worse, truth = dirichlet(40, classes, 2)
    measures = ClassMeasures(labelled=True)
    for i in range(40):
        measures.add(str(i), int(truth[i]), scores(*given[i]), scores(*worse[i]))
    assert ("auc" in named(measures)) == told


def test_no_area_beyond_what_is_kept(monkeypatch):
    monkeypatch.setattr(class_measures, "MOST_SCORES_AUC", 10)
    measures = ClassMeasures(labelled=True)
    for i in range(5):
        measures.add(str(i), i % 2, scores(0.6, 0.4), scores(0.6, 0.4))
    assert named(measures)["auc"].reference == 50.0
    measures.add("5", 1, scores(0.6, 0.4), scores(0.6, 0.4))
    assert "auc" not in named(measures)


def test_calibration_error_and_its_change():
    measures = ClassMeasures(labelled=True)
    for i in range(100):  # right in 80 of 100 at a confidence of 0.8, then of 0.95
        measures.add(str(i), int(i >= 80), scores(0.8, 0.2), scores(0.95, 0.05))
    ece = named(measures)["ece"]
    assert (ece.unit, ece.reference, ece.candidate, ece.drop) == pytest.approx(
        ("points", 0, 15, 15), abs=1e-4
    )
    assert ece.interval[0] < 15 < ece.interval[1]


def test_logits_are_not_calibrated():
    measures = ClassMeasures(labelled=True)
    measures.add("1", 0, scores(3.0, -1.0), scores(2.0, -1.0))
    measures.add("2", 1, scores(3.0, -1.0), scores(2.0, -1.0))
    assert set(named(measures)) == {"auc"}


def test_top5():
    measures = ClassMeasures(labelled=True)
    falling = scores(*np.linspace(10, 1, 10) / 55)
    rising = scores(*np.linspace(1, 10, 10) / 55)
    for i in range(100):
        measures.add(str(i), 4 if i < 80 else 7, falling, rising if i < 30 else falling)
    top5 = named(measures)["top5"]
    assert (top5.unit, top5.reference, top5.candidate, top5.drop) == ("points", 80.0, 50.0, 30.0)
    expected = tango(30, 0, 100)
    assert top5.interval == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-6)


@pytest.mark.parametrize(("classes", "labelled"), [(9, True), (10, False)])
def test_no_top5_of_few_classes_or_without_labels(classes, labelled):
    measures = ClassMeasures(labelled)
    measures.add("1", 0 if labelled else None, *[scores(*np.full(classes, 1 / classes))] * 2)
    assert "top5" not in named(measures)
