import numpy as np
import pytest

from edgekit.statistics.rank_correlation import MOST, similarity_correlation

scipy_stats = pytest.importorskip("scipy.stats")


def vectors(n, noise, seed=0, d=16):
    rng = np.random.default_rng(seed)
    centre = np.random.default_rng(99).normal(size=(5, d))
    first = centre[rng.integers(0, 5, n)] + rng.normal(size=(n, d))
    return first, first + noise * rng.normal(size=(n, d))


def by_scipy(first, second, sources):
    row, column = np.triu_indices(len(first), 1)
    apart = sources[row] != sources[column]
    unit = [side / np.linalg.norm(side, axis=1, keepdims=True) for side in (first, second)]
    pairs = [(side @ side.T)[row, column][apart] for side in unit]
    return scipy_stats.spearmanr(*pairs)[0]


@pytest.mark.parametrize("noise", [0.01, 0.3, 3.0])
@pytest.mark.parametrize("per_source", [1, 3])
def test_rho_is_scipys(noise, per_source):
    first, second = vectors(90, noise)
    sources = np.arange(90) // per_source * 7
    found = similarity_correlation(first, second, sources)
    assert found.rho == pytest.approx(by_scipy(first, second, sources), abs=1e-9)


def test_ties_share_their_rank():
    first = np.repeat(np.eye(4), 5, axis=0)
    second = first + 0.1 * np.random.default_rng(0).normal(size=first.shape)
    found = similarity_correlation(first, second, np.arange(20))
    assert found.rho == pytest.approx(by_scipy(first, second, np.arange(20)), abs=1e-9)


def test_length_does_not_matter_and_equal_sides_are_one():
    first, _ = vectors(40, 0.1)
    found = similarity_correlation(first, 3 * first, np.arange(40))
    assert found.rho == pytest.approx(1.0, abs=1e-12)
    assert found.moments.dense_interval().high < 1e-9


def test_the_interval_covers_the_truth():
    truth = np.mean(
        [similarity_correlation(*vectors(800, 0.3, seed), np.arange(800)).rho for seed in (1001, 1002)]
    )
    covered, widths, estimates = 0, [], []
    for seed in range(120):
        found = similarity_correlation(*vectors(60, 0.3, seed), np.arange(60))
        interval = found.moments.dense_interval()
        covered += interval.low <= 1 - truth <= interval.high
        widths.append(interval.high - interval.low)
        estimates.append(found.rho)
    assert covered >= 110
    assert np.mean(widths) < 8 * np.std(estimates)


@pytest.mark.parametrize(
    ("n", "sources"),
    [(0, []), (1, [0]), (2, [0, 1]), (6, [0, 0, 0, 1, 1, 1])],
    ids=["none", "one", "two", "of two"],
)
def test_too_few_sources(n, sources):
    first, second = vectors(n, 0.1)
    assert similarity_correlation(first, second, np.asarray(sources, np.int64)) is None


def test_a_side_without_order():
    first, _ = vectors(10, 0.1)
    assert similarity_correlation(first, np.ones((10, 3)), np.arange(10)) is None
    assert similarity_correlation(np.zeros((10, 3)), first, np.arange(10)) is None


def test_many_samples_are_thinned():
    first, second = vectors(MOST + 300, 0.3, d=4)
    found = similarity_correlation(first, second, np.arange(len(first)))
    assert found.moments.clusters == MOST
