import pytest

from edgekit.evaluation.measure import of_shares
from edgekit.evaluation.paired import PairedShares
from edgekit.statistics.paired import mcnemar_exact, tango


def shares(cluster_size=1):
    found = PairedShares()
    for i in range(100):
        found.add(str(i // cluster_size), i < 80, 6 <= i < 82)
    return found


def test_both_shares_and_their_difference():
    found = shares()
    assert (found.reference, found.candidate, found.drop) == (0.8, 0.76, 0.04)
    assert (found.lost, found.gained) == (6, 2)
    assert found.mcnemar_p == mcnemar_exact(6, 2)
    for scale, confidence in [(1.0, 0.95), (3.0, 0.95), (1.0, 0.99)]:
        expected = tango(6 * scale, 2 * scale, 100 * scale, confidence)
        interval = found.interval(scale, confidence)
        assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high))


def test_sources_of_several_samples_say_less():
    alone, together = shares(), shares(5)
    assert together.mcnemar_p is None
    assert together.interval().high > alone.interval().high


def test_as_a_measure():
    measure = of_shares("top5", "meaning", shares())
    assert (measure.name, measure.meaning, measure.unit) == ("top5", "meaning", "points")
    assert (measure.reference, measure.candidate, measure.drop) == (80.0, 76.0, 4.0)
    expected = tango(6, 2, 100)
    assert measure.interval == pytest.approx((100 * expected.low, 100 * expected.high), abs=1e-6)
