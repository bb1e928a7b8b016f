import math

import numpy as np
import pytest

from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import unseen_upper, wilson


@pytest.mark.parametrize(
    ("events", "n", "exact_low", "wilson_high"),
    [(81, 263, 0.2527, 0.3662), (15, 148, 0.0578, 0.1605), (1, 29, 0.0009, 0.1718)],
)
def test_published(events, n, exact_low, wilson_high):
    """Newcombe 1998, table I: Wilson's upper end, and about the exact lower one."""
    found = wilson(events, n)
    assert round(found.high, 4) == wilson_high
    assert found.low == pytest.approx(exact_low, abs=2e-3)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.9999])
@pytest.mark.parametrize(("events", "n"), [(2, 100), (3, 1000), (10, 1000), (30, 200), (100, 1000)])
def test_lower_end_is_about_the_exact_one(events, n, confidence):
    beta = pytest.importorskip("scipy.stats").beta
    exact = n * beta.ppf((1 - confidence) / 2, events, n - events + 1)
    assert n * wilson(events, n, confidence).low == pytest.approx(exact, abs=0.25)


def test_no_event_is_exact():
    assert wilson(0, 598).high == pytest.approx(0.004997, abs=1e-6)
    assert wilson(0, 597).high > 0.005
    assert wilson(0, 598).low == 0
    assert wilson(10, 10) == Interval(1 - unseen_upper(10), 1.0)
    assert unseen_upper(1) == unseen_upper(0.5) == 1.0


def test_symmetry_and_growth():
    assert wilson(3, 50).high == pytest.approx(1 - wilson(47, 50).low)
    ends = [wilson(events, 200) for events in range(201)]
    assert [e.high for e in ends] == sorted(e.high for e in ends)
    assert [e.low for e in ends] == sorted(e.low for e in ends)


@pytest.mark.parametrize(("events", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_nonsense_is_refused(events, n):
    with pytest.raises(ValueError, match="wilson: expected"):
        wilson(events, n)


RATES = [(100, 0.005), (100, 0.01), (100, 0.05), (100, 0.1), (1000, 0.004), (1000, 0.02), (1000, 0.5)]


@pytest.mark.parametrize(("confidence", "bar"), [(0.9, 0.06), (0.95, 0.03)])
@pytest.mark.parametrize(("n", "rate"), RATES)
def test_ends_cover(n, rate, confidence, bar):
    """Exactly, by the binomial distribution: an end misses in at most half of the error, or a little more."""
    ends = [
        (wilson(k, n, confidence), math.comb(n, k) * rate**k * (1 - rate) ** (n - k)) for k in range(n + 1)
    ]
    assert sum(chance for end, chance in ends if end.high < rate) <= bar
    assert sum(chance for end, chance in ends if end.low > rate) <= bar


def test_nothing_seen_never_errs_more_than_a_one_sided_bound_at_95():
    assert unseen_upper(100, 0.8) == unseen_upper(100, 0.9) == unseen_upper(100, 0.95)
    assert unseen_upper(100, 0.99) > unseen_upper(100, 0.95)
    for rate in np.linspace(0.001, 0.06, 60):
        assert unseen_upper(100, 0.9) >= rate or (1 - rate) ** 100 <= 0.05


def test_interval():
    assert Interval(0.1, 0.2).scaled(100) == Interval(10, 20)
    assert Interval(-0.5, 2).clipped(0, 1) == Interval(0, 1)
    assert Interval(-0.5, -0.2).clipped(0, 1) == Interval(0, 0)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(1, 0)
    with pytest.raises(ValueError, match="low <= high"):
        Interval(np.nan, 0)
