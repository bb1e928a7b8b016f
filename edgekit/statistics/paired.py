"""Difference of two proportions measured on the same samples: Tango's interval, McNemar's test."""

from __future__ import annotations

import math

from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import inner_shift, unseen_upper
from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile


def tango(lost: float, gained: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Tango's score interval of the paired difference ``(lost - gained) / n`` (Stat. Med. 17, 1998).

    It inverts the score test with the nuisance probability at its restricted maximum likelihood, which keeps
    its coverage where flips are few and Wald's interval collapses. With no flip at all both ends are
    ``unseen_upper(n)``: a difference that large shows itself in ``n`` samples with that confidence. The end
    towards 0, which errs too often (in up to 5.5 % of the cases instead of 2.5 %), is taken of a difference that
    is smaller by :func:`edgekit.statistics.proportion.inner_shift`; the other end is Tango's.

    Args:
        lost: samples that the reference had right and the candidate has wrong.
        gained: the other way round.
        n: all samples, flipped or not; effective ones where clusters were discounted (fractions allowed).
        confidence: two-sided level.
    """
    if min(lost, gained) < 0 or lost + gained > n * (1 + 1e-9) or n <= 0:
        raise ValueError(f"tango: expected 0 <= lost + gained <= n and n > 0, got {lost}, {gained} of {n}")
    if lost == gained == 0:
        bound = unseen_upper(n, confidence)
        return Interval(-bound, bound)
    if lost < gained:
        mirrored = tango(gained, lost, n, confidence)
        return Interval(-mirrored.high, -mirrored.low)
    z = normal_quantile(confidence)
    distance = lost - gained
    inner = distance - inner_shift(_skewness(distance / n, (lost + gained) / n), z)
    low = _where_score(lost, gained, n, z, inner)
    high = _where_score(lost, gained, n, -z, distance)
    return Interval(low, high)


def _skewness(difference: float, flips: float) -> float:
    """Third over second cumulant of the difference of a sample: 1 lost, -1 gained, 0 neither."""
    variance = flips - difference**2
    return difference * (1 - 3 * flips + 2 * difference**2) / variance if variance > 0 else 0.0


def _where_score(lost: float, gained: float, n: float, target: float, distance: float) -> float:
    """The difference at which the score, which falls as the difference grows, is ``target``."""
    low, high = -1.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _score(lost, gained, n, middle, distance) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(lost: float, gained: float, n: float, difference: float, distance: float) -> float:
    """Tango's equation (10): the standardised distance of the observed from the assumed difference.

    The nuisance probability is at its likeliest for what was seen; ``distance`` is ``lost - gained``, or less
    where it was shifted.
    """
    b = -lost - gained + (2 * n - lost + gained) * difference
    c = -gained * difference * (1 - difference)
    gain_rate = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * gain_rate + difference * (1 - difference))
    beyond = distance - n * difference
    if variance <= 0:
        return math.copysign(math.inf, beyond) if beyond else 0.0
    return beyond / math.sqrt(variance)


def mcnemar_exact(lost: int, gained: int) -> float:
    """Two-sided p-value that ``lost`` and ``gained`` come from a fair coin (McNemar 1947, exact binomial)."""
    flips = lost + gained
    tail = term = 1
    for k in range(min(lost, gained)):
        term = term * (flips - k) // (k + 1)
        tail += term
    return min(1.0, 2 * tail / 2**flips) if flips < 1000 else _mcnemar_many(flips, min(lost, gained))


def _mcnemar_many(flips: int, fewer: int) -> float:
    """The same where 2^flips is no longer a float: the sum of logarithms."""
    logs = [
        math.lgamma(flips + 1) - math.lgamma(k + 1) - math.lgamma(flips - k + 1) - flips * math.log(2)
        for k in range(fewer + 1)
    ]
    peak = max(logs)
    return float(min(1.0, 2 * math.exp(peak) * sum(math.exp(log - peak) for log in logs)))
