import math

import numpy as np
import pytest

from edgekit.statistics.paired import mcnemar_exact, tango
from edgekit.statistics.proportion import unseen_upper, wilson


def score_by_search(lost, gained, n, difference, shift=0.0):
    """Tango's statistic with the nuisance probability found by a grid instead of the closed form."""
    rates = np.linspace(max(0, -difference), (1 - difference) / 2, 400_001)[1:-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        likelihood = (n - lost - gained) * np.log(1 - 2 * rates - difference)
        likelihood += np.where(gained > 0, gained * np.log(rates), 0)
        likelihood += np.where(lost > 0, lost * np.log(rates + difference), 0)
    rate = rates[np.argmax(likelihood)]
    return (lost - gained - shift - n * difference) / math.sqrt(n * (2 * rate + difference - difference**2))


@pytest.mark.parametrize(
    ("lost", "gained", "n"), [(12, 2, 50), (9, 5, 100), (1, 0, 44), (0, 3, 200), (25, 25, 60)]
)
def test_ends_solve_the_score_equation(lost, gained, n):
    found = tango(lost, gained, n)
    difference, flips = (lost - gained) / n, (lost + gained) / n
    third = difference * (1 - 3 * flips + 2 * difference**2)
    shift = third / (flips - difference**2) * (1.96**2 + 2) / 6  # of the end towards 0
    low, high = (shift, 0) if lost > gained else (0, shift)
    assert score_by_search(lost, gained, n, found.low, low) == pytest.approx(1.96, abs=0.01)
    assert score_by_search(lost, gained, n, found.high, high) == pytest.approx(-1.96, abs=0.01)


def test_one_way_flips_are_one_proportion():
    assert tango(9, 0, 44).high == pytest.approx(wilson(9, 44).high)
    assert tango(40, 0, 400).low == pytest.approx(wilson(40, 400).low)


def test_mirrored():
    one, two = tango(9, 5, 100), tango(5, 9, 100)
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))


def test_no_flip():
    assert tango(0, 0, 598).high == unseen_upper(598)
    assert tango(0, 0, 598).low == -unseen_upper(598)


def test_all_flipped():
    found = tango(50, 0, 50)
    assert found.low == pytest.approx((50 - 1.96**2) / (50 + 1.96**2), abs=1e-4)
    assert found.high == pytest.approx(1.0)


def test_fractions_of_clusters():
    whole, half = tango(20, 10, 400), tango(10, 5, 200)
    assert half.low < whole.low < whole.high < half.high


@pytest.mark.parametrize(("lost", "gained", "n"), [(-1, 0, 5), (3, 3, 5), (0, 0, 0)])
def test_nonsense_is_refused(lost, gained, n):
    with pytest.raises(ValueError, match="tango: expected"):
        tango(lost, gained, n)


@pytest.mark.parametrize(
    ("lost", "gained", "p"), [(12, 2, 0.0129395), (5, 5, 1.0), (0, 0, 1.0), (0, 6, 0.03125)]
)
def test_mcnemar(lost, gained, p):
    assert mcnemar_exact(lost, gained) == pytest.approx(p, abs=1e-6)
    assert mcnemar_exact(gained, lost) == mcnemar_exact(lost, gained)


def test_mcnemar_many_agrees_with_few():
    assert mcnemar_exact(520, 480) == pytest.approx(0.2174, abs=2e-4)  # exact binomial, 1000 flips
    assert mcnemar_exact(519, 480) == pytest.approx(mcnemar_exact(520, 481), abs=0.003)
    assert mcnemar_exact(3000, 2000) < 1e-40


@pytest.mark.parametrize(("confidence", "bar"), [(0.9, 0.062), (0.95, 0.05)])
@pytest.mark.parametrize("rate", [0.005, 0.01, 0.025, 0.05, 0.1])
@pytest.mark.parametrize("share", [1.0, 0.75, 0.5, 0.0])
def test_ends_cover(rate, share, confidence, bar):
    """Exactly, by the trinomial distribution of 100 samples: how often an end misses."""
    n, loss, gain = 100, rate * share, rate * (1 - share)
    above = below = 0.0
    for lost in range(25):
        for gained in range(25):
            ways = math.comb(n, lost) * math.comb(n - lost, gained)
            chance = ways * loss**lost * gain**gained * (1 - loss - gain) ** (n - lost - gained)
            if chance > 1e-7:
                found = tango(lost, gained, n, confidence)
                below += chance * (found.high < loss - gain)
                above += chance * (found.low > loss - gain)
    assert max(above, below) <= bar
