import numpy as np
import pytest

from edgekit.statistics.proportion import unseen_upper
from edgekit.statistics.ratio import ratio_moments


def interval(changes, weights, scale=1.0):
    return ratio_moments(np.asarray(changes, float), np.asarray(weights, float)).interval(scale)


def test_nothing_changed():
    found = interval([0] * 1000, [12] * 1000)
    assert found.high == pytest.approx(unseen_upper(1000)) == -found.low
    assert interval([0] * 3, [10, 10, 100]).high == pytest.approx(unseen_upper(120**2 / 10_200))


def test_never_below_what_was_not_seen():
    found = interval([1] + [0] * 1999, [12] * 2000)
    assert found.high == pytest.approx(1 / 24_000 + unseen_upper(2000))
    assert -0.001 < found.low < 0


def test_many_even_changes_approach_the_normal_interval():
    rng = np.random.default_rng(0)
    changes = rng.poisson(2.0, 20_000).astype(float)
    found = interval(changes, [20] * 20_000)
    half = 1.96 * changes.std() / np.sqrt(20_000) / 20
    assert (found.low, found.high) == pytest.approx(
        (changes.mean() / 20 - half, changes.mean() / 20 + half), abs=2e-5
    )


def test_skewed_changes_reach_further_up():
    changes = np.zeros(1000)
    changes[:10] = 12
    found = interval(changes, [12] * 1000)
    assert found.high - 0.01 > 1.2 * (0.01 - found.low)


def test_scale_narrows():
    changes = [1, -1] * 20 + [3] * 10 + [0] * 450
    wide, narrow = interval(changes, [12] * 500), interval(changes, [12] * 500, 4.0)
    assert wide.low < narrow.low < narrow.high < wide.high
    again = interval(changes * 4, [12] * 2000)
    assert (narrow.low, narrow.high) == pytest.approx((again.low, again.high), rel=1e-3)


def test_one_cluster_and_no_weight():
    assert interval([2], [10]).high >= 1.0
    with pytest.raises(ValueError, match="more than 0"):
        interval([1.0], [0.0])


def lines(rng, n, rate, kind):
    """Changes of simulated lines of 2 to 40 characters, and the expected ratio over a long run."""
    weights = np.clip(rng.gamma(6, 2, n).round(), 2, 40)
    hit = rng.random(n) < rate
    size = {
        "one": np.ones(n),
        "several": np.minimum(rng.geometric(0.5, n), weights),
        "rarely whole": np.where(rng.random(n) < 0.1, weights, rng.geometric(0.6, n)),
        "both ways": np.where(rng.random(n) < 0.5, 1.0, -1.0),
        "whole": weights,
    }[kind]
    return hit * size, weights


@pytest.mark.parametrize("kind", ["one", "several", "rarely whole", "both ways", "whole"])
@pytest.mark.parametrize(("n", "rate"), [(100, 0.02), (1000, 0.005), (1000, 0.02), (1000, 0.1)])
def test_simulated_coverage(n, rate, kind):
    """One-sided misses, 300 repetitions: nominal 2.5 %, none above 5 %."""
    rng = np.random.default_rng(8)
    changes, weights = lines(rng, 400_000, 1.0, kind)
    truth = rate * changes.sum() / weights.sum()
    found = [ratio_moments(*lines(rng, n, rate, kind)).interval() for _ in range(300)]
    assert sum(f.high < truth for f in found) / 300 <= 0.05
    assert sum(f.low > truth for f in found) / 300 <= 0.05


def test_confidence_widens():
    moments = ratio_moments(np.array([1.0, -1, 3] * 10 + [0] * 470), np.full(500, 12.0))
    assert moments.interval(1.0, 0.95) == moments.interval()
    ends = [moments.interval(confidence=c) for c in (0.5, 0.9, 0.95, 0.99, 1 - 3e-8)]
    assert [e.high for e in ends] == sorted(e.high for e in ends)
    assert [e.low for e in ends] == sorted((e.low for e in ends), reverse=True)


def test_dense_changes_need_few_clusters():
    changes, weights = np.array([1.0, 3.0, 2.0, 2.0]), np.full(4, 100.0)
    moments = ratio_moments(changes, weights)
    assert (moments.ratio, moments.largest) == pytest.approx((0.02, 0.01))
    found = moments.dense_interval()
    half = 3.182446 * np.sqrt(2 * 4 / 3) / 400  # Student's t of three degrees of freedom, no skewness
    assert (found.low, found.high) == pytest.approx((0.02 - half, 0.02 + half), rel=1e-4)
    assert moments.interval().high > 0.5
    assert moments.dense_interval(4.0).high < found.high < moments.dense_interval(1.0, 0.99).high


def test_dense_interval_is_never_narrower_than_what_was_not_seen():
    weights = np.full(100, 10.0)
    changes = np.zeros(100)
    changes[0] = 5.0
    moments = ratio_moments(changes, weights)
    assert moments.largest == pytest.approx(0.495)
    assert moments.dense_interval().low <= 0.005 - 0.495 * unseen_upper(100)


@pytest.mark.parametrize(("changes", "weights"), [([0.0, 0.0], [3.0, 1.0]), ([2.0], [4.0])])
def test_dense_interval_of_nothing_seen(changes, weights):
    moments = ratio_moments(np.array(changes), np.array(weights))
    assert moments.dense_interval() == moments.interval()
