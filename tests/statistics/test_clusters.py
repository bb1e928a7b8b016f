import numpy as np
import pytest

from edgekit.statistics.clusters import clustering
from edgekit.statistics.paired import tango
from edgekit.statistics.proportion import wilson


def of_events(events, sizes):
    events = np.asarray(events, float)
    return clustering(events, events, np.asarray(sizes, float))


def test_single_samples_are_independent():
    for events in ([0, 0, 0, 0], [1, 0, 1, 0]):
        assert of_events(events, [1, 1, 1, 1]).effective_n() == 4


def test_no_event_counts_whole_clusters():
    assert of_events([0] * 100, [10] * 100).effective_n() == pytest.approx(100)
    unequal = of_events([0, 0, 0], [10, 10, 100])
    assert unequal.effective_n() == pytest.approx(120**2 / (100 + 100 + 10_000))


def test_one_cluster_is_one_sample():
    assert of_events([3], [400]).effective_n() == 1


def test_whole_clusters_flip():
    found = of_events([10] * 5 + [0] * 95, [10] * 100)
    assert found.effective_n() == pytest.approx(100)


def test_scattered_events_earn_trust():
    few, many = of_events([1] * 2 + [0] * 98, [10] * 100), of_events([1] * 50 + [0] * 50, [10] * 100)
    assert 100 < few.effective_n() < many.effective_n() < 1000
    assert many.effective_n() == pytest.approx(976, abs=1)  # t for 99, hence not 1000


def test_scale_is_more_of_the_same():
    found = of_events([1] * 10 + [0] * 90, [10] * 100)
    twice = of_events([1] * 20 + [0] * 180, [10] * 200)
    assert found.effective_n(2.0) == pytest.approx(twice.effective_n(), rel=0.01)


def test_signed_values():
    lost_and_gained = clustering(
        np.zeros(50), np.full(50, 2.0), np.full(50, 10.0)
    )  # one each way, everywhere
    assert lost_and_gained.between == 0
    assert lost_and_gained.effective_n() == pytest.approx(476, abs=1)  # t for 49, hence not 500


def beta_binomial(rng, rate, likeness, sizes):
    """Events of clusters whose members resemble each other by ``likeness`` (the intra-class correlation)."""
    if likeness == 0:
        return rng.binomial(sizes, rate)
    if likeness == 1:
        return sizes * (rng.random(len(sizes)) < rate)
    spread = (1 - likeness) / likeness
    return rng.binomial(sizes, rng.beta(rate * spread, (1 - rate) * spread, len(sizes)))


@pytest.mark.parametrize("likeness", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize(("clusters", "size"), [(143, 14), (30, 30), (500, 4)])
@pytest.mark.parametrize("rate", [0.002, 0.01, 0.03])
def test_simulated_coverage_of_disagreement(clusters, size, rate, likeness):
    """One-sided misses of the upper end, 400 repetitions: nominal 2.5 %, none above 5 %."""
    rng = np.random.default_rng(3)
    sizes = np.full(clusters, size)
    missed = 0
    for _ in range(400):
        events = beta_binomial(rng, rate, likeness, sizes)
        n = of_events(events, sizes).effective_n()
        missed += wilson(events.sum() / sizes.sum() * n, n).high < rate
    assert missed / 400 <= 0.05


@pytest.mark.parametrize("likeness", [0.0, 0.3])
def test_simulated_coverage_of_a_labelled_drop(likeness):
    rng = np.random.default_rng(4)
    sizes, missed = np.full(100, 10), 0
    for _ in range(300):
        lost = beta_binomial(rng, 0.03, likeness, sizes)
        gained = np.minimum(beta_binomial(rng, 0.01, likeness, sizes), sizes - lost)
        found = clustering((lost - gained).astype(float), (lost + gained).astype(float), sizes.astype(float))
        n = found.effective_n()
        missed += tango(lost.sum() / 1000 * n, gained.sum() / 1000 * n, n).high < 0.02
    assert missed / 300 <= 0.05


def test_student_follows_the_confidence():
    found = of_events([1] * 50 + [0] * 50, [10] * 100)
    assert found.effective_n(confidence=0.95) == found.effective_n()
    # squares of t for 99 over z, from tables: 1.6604 / 1.6449 and 4.0550 / 3.8906
    assert found.effective_n(confidence=0.9) / found.effective_n(confidence=0.9999) == pytest.approx(
        (4.0550 / 3.8906) ** 2 / (1.6604 / 1.6449) ** 2, rel=1e-4
    )
