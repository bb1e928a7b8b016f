import math

import numpy as np
import pytest

from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import unseen_upper, wilson


def test_wilson_published():  # Newcombe 1998, table I: 81/263, 15/148, 1/29
    for events, n, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ):
        found = wilson(events, n)
        assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def test_no_event_is_exact():
    assert wilson(0, 598).high == pytest.approx(0.004997, abs=1e-6)
    assert wilson(0, 597).high > 0.005
    assert wilson(0, 598).low == 0
    assert wilson(10, 10) == Interval(1 - unseen_upper(10), 1.0)
    assert unseen_upper(1) == unseen_upper(0.5) == 1.0


def test_symmetry_and_growth():
    assert wilson(3, 50).high == pytest.approx(1 - wilson(47, 50).low)
    ends = [wilson(events, 200).high for events in range(201)]
    assert ends == sorted(ends)


@pytest.mark.parametrize(("events", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_nonsense_is_refused(events, n):
    with pytest.raises(ValueError, match="wilson: expected"):
        wilson(events, n)


@pytest.mark.parametrize(("n", "rate"), [(100, 0.01), (100, 0.05), (1000, 0.004), (1000, 0.02), (1000, 0.5)])
def test_upper_end_covers(n, rate):
    """Exactly, by the binomial distribution: the upper end misses in at most 5 % (none seen) or about 2.5 %."""
    missed = sum(
        math.comb(n, k) * rate**k * (1 - rate) ** (n - k) for k in range(n + 1) if wilson(k, n).high < rate
    )
    assert missed <= 0.05


def test_interval():
    assert Interval(0.1, 0.2).scaled(100) == Interval(10, 20)
    assert Interval(-0.5, 2).clipped(0, 1) == Interval(0, 1)
    assert Interval(-0.5, -0.2).clipped(0, 1) == Interval(0, 0)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(1, 0)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(np.nan, 0)
