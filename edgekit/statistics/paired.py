"""Difference of two proportions measured on the same samples: Tango's interval, McNemar's test."""

from __future__ import annotations

import math

from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import unseen_upper
from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile


def tango(lost: float, gained: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Tango's score interval of the paired difference ``(lost - gained) / n`` (Stat. Med. 17, 1998).

    It inverts the score test with the nuisance probability at its restricted maximum likelihood, which keeps
    its coverage where flips are few and Wald's interval collapses. With no flip at all both ends are
    ``unseen_upper(n)``: a difference that large shows itself in ``n`` samples with that confidence.

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
    z = normal_quantile(confidence)
    estimate = (lost - gained) / n
    low = _where_score(lost, gained, n, z, -1.0, estimate)
    high = _where_score(lost, gained, n, -z, estimate, 1.0)
    return Interval(low, high)


def _where_score(lost: float, gained: float, n: float, target: float, low: float, high: float) -> float:
    """The difference at which the score, which falls as the difference grows, is ``target``."""
    for _ in range(60):
        middle = (low + high) / 2
        if _score(lost, gained, n, middle) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _score(lost: float, gained: float, n: float, difference: float) -> float:
    """Tango's equation (10): the standardised distance of the observed from the assumed difference."""
    b = -lost - gained + (2 * n - lost + gained) * difference
    c = -gained * difference * (1 - difference)
    gain_rate = (math.sqrt(max(b * b - 8 * n * c, 0.0)) - b) / (4 * n)
    variance = n * (2 * gain_rate + difference * (1 - difference))
    distance = lost - gained - n * difference
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


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
