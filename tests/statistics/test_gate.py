import pytest

from edgekit.statistics.gate import gate, least_n, needed_n
from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import wilson


@pytest.mark.parametrize(
    ("upper", "lower", "limit", "verdict"),
    [
        (1.9, 0.1, 2.0, "PASS"),
        (2.0, 0.1, 2.0, "PASS"),
        (2.1, 0.1, 2.0, "INCONCLUSIVE"),
        (9.0, 2.0, 2.0, "INCONCLUSIVE"),
        (9.0, 2.1, 2.0, "FAIL"),
        (-0.5, -3.0, 0.0, "PASS"),
    ],
)
def test_gate(upper, lower, limit, verdict):
    assert gate(upper, lower, limit) == verdict


@pytest.mark.parametrize(
    ("limit", "n"), [(0.005, 598), (0.02, 149), (0.01, 299), (0.5, 5), (0.94, 2), (1.0, 1), (2, 1)]
)
def test_least_n(limit, n):
    assert least_n(limit) == n
    assert wilson(0, n).high <= limit
    assert n == 1 or wilson(0, n - 1).high > limit


def test_least_n_follows_the_confidence():
    assert least_n(0.005, 0.9) == least_n(0.005)
    assert least_n(0.005, 1 - 0.0444) == 622  # at the last of four looks
    assert wilson(0, 622, 1 - 0.0444).high <= 0.005 < wilson(0, 621, 1 - 0.0444).high


def test_least_n_of_nothing():
    assert least_n(0.0) is None
    assert least_n(-0.01) is None


def at(events, n):
    return lambda scale: wilson(events * scale, n * scale)


def test_needed_n_is_the_first_that_passes():
    needed = needed_n(at(10, 1000), 1000, 0.015)
    assert wilson(needed / 100, needed).high <= 0.015 < wilson((needed - 2) / 100, needed - 2).high


def test_needed_n_without_events_is_the_least():
    assert needed_n(at(0, 100), 100, 0.005) == 598


def test_needed_n_edges():
    assert needed_n(at(10, 1000), 1000, 0.01) is None  # the rate seen is the limit itself
    assert needed_n(at(10, 1000), 1000, 0.005) is None
    assert needed_n(at(10, 1000), 1000, 0.02) == 1000  # it passes already
    assert needed_n(lambda scale: Interval(0, 1 / scale), 10, 0.0) is None
