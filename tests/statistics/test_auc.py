import numpy as np
import pytest

from edgekit.statistics.auc import auc_drop


def scores_of(rng, truth, classes, noise):
    logits = rng.normal(0, 1, (len(truth), classes)) * noise + 1.5 * np.eye(classes)[truth]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("digits", [1, 8])
def test_equals_scikit_learn(classes, digits):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(classes)
    truth = rng.integers(0, classes, 300)
    one, two = (scores_of(rng, truth, classes, noise).round(digits) for noise in (1, 2))
    found = auc_drop(one, two, truth, np.arange(300))
    for ours, scores in ((found.reference, one), (found.candidate, two)):
        each = [metrics.roc_auc_score(truth == c, scores[:, c]) for c in range(classes)]
        assert ours == pytest.approx(np.mean(each), abs=1e-12)
    assert found.moments.ratio == pytest.approx(found.reference - found.candidate)


def delong_variance(one, two, positive):
    """Of the difference, from the definition: every positive beside every negative."""
    parts = []
    for scores in (one, two):
        beside = scores[positive][:, None] - scores[~positive][None]
        parts.append(np.where(beside == 0, 0.5, beside > 0))
    difference = parts[0] - parts[1]
    by_positive, by_negative = difference.mean(axis=1), difference.mean(axis=0)
    return by_positive.var(ddof=1) / len(by_positive) + by_negative.var(ddof=1) / len(by_negative)


def test_spread_is_delongs():
    rng = np.random.default_rng(3)
    truth = (rng.random(200) < 0.3).astype(int)
    one, two = (scores_of(rng, truth, 2, noise).round(2) for noise in (1, 1.3))
    found = auc_drop(one, two, truth, np.arange(200))
    expected = delong_variance(one[:, 1], two[:, 1], truth == 1)
    assert found.moments.residual2 == pytest.approx(expected, rel=1e-9)


def test_absent_classes_do_not_count():
    rng = np.random.default_rng(4)
    truth = rng.choice([0, 3], 50)
    scores = scores_of(rng, truth, 6, 1.0)
    assert auc_drop(scores, scores, truth, np.arange(50)).classes.tolist() == [0, 3]
    assert auc_drop(scores, scores, np.zeros(50, int), np.arange(50)) is None


def test_same_scores_and_perfect_ones():
    truth = np.array([0, 1] * 20)
    perfect = np.eye(2)[truth]
    found = auc_drop(perfect, perfect, truth, np.arange(40))
    assert found.reference == found.candidate == 1
    assert found.moments.interval().low < 0 < found.moments.interval().high
    assert auc_drop(perfect, perfect[:, ::-1], truth, np.arange(40)).moments.ratio == 1


def test_sources_that_repeat_say_no_more():
    rng = np.random.default_rng(6)
    truth = rng.integers(0, 2, 100)
    one, two = (scores_of(rng, truth, 2, noise) for noise in (1, 2))
    alone = auc_drop(one, two, truth, np.arange(100)).moments.interval()
    twice = [np.repeat(part, 2, axis=0) for part in (one, two, truth, np.arange(100))]
    again = auc_drop(*twice).moments.interval()
    assert again.high - again.low == pytest.approx(alone.high - alone.low, rel=0.02)


def test_simulated_coverage():
    """One-sided misses, 400 repetitions: nominal 2.5 %, none above 5 %."""
    rng = np.random.default_rng(7)

    def draw(n):
        truth = (rng.random(n) < 0.3).astype(int)
        signal = truth + rng.normal(0, 0.7, n)
        columns = [signal + rng.normal(0, noise, n) for noise in (0.1, 0.5)]
        return *(np.stack([-c, c], 1) for c in columns), truth, np.arange(n)

    truth = auc_drop(*draw(400_000)).moments.ratio
    found = [auc_drop(*draw(200)).moments.interval() for _ in range(400)]
    assert sum(f.high < truth for f in found) / 400 <= 0.05
    assert sum(f.low > truth for f in found) / 400 <= 0.05
