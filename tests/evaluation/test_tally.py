import numpy as np
import pytest

from edgekit.evaluation.tally import RatioTally, Sums, Tally, agreement, share_interval
from edgekit.statistics.proportion import wilson
from edgekit.statistics.ratio import ratio_moments


def test_sums_by_cluster_in_the_order_of_names():
    sums = Sums(2)
    for cluster, one, two in [("b", 1, 10), ("a", 2, 20), ("b", 3, 30)]:
        sums.add(cluster, one, two)
    assert len(sums) == 2
    np.testing.assert_array_equal(sums.columns, [[2, 4], [20, 40]])


def test_no_samples():
    assert (len(Tally()), Tally().n, Tally().total, RatioTally().weight) == (0, 0, 0.0, 0.0)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_share(confidence):
    tally = Tally()
    for i in range(200):
        tally.add(str(i), i < 8)
    assert (tally.n, tally.total) == (200, 8)
    assert share_interval(tally, 1.0, confidence) == wilson(8, 200, confidence)
    assert share_interval(tally, 2.0, confidence) == wilson(16, 400, confidence)


def test_agreement_is_the_rest():
    tally = Tally()
    for i in range(50):
        tally.add(str(i), i < 5)
    share, interval = agreement(tally)
    expected = wilson(5, 50)
    assert share == 0.9
    assert (interval.low, interval.high) == (1 - expected.high, 1 - expected.low)


def test_ratio():
    tally = RatioTally()
    for i in range(12):
        tally.add(str(i % 6), i % 3, 10)
    assert (len(tally), tally.weight) == (6, 120)
    assert tally.moments() == ratio_moments(np.array([0.0, 2, 4, 0, 2, 4]), np.full(6, 20.0))
