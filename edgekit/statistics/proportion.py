"""Interval of one proportion."""

from __future__ import annotations

import math

from edgekit.statistics.interval import Interval
from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile

MOST_UNSEEN_ERROR = 0.05
"""An end of a 90 % interval serves as a one-sided bound at 95 %, also where nothing happened."""


def unseen_upper(n: float, confidence: float = CONFIDENCE) -> float:
    """Upper bound of the rate of something that did not happen once in ``n`` independent samples.

    ``1 - (1 - confidence)^(1/n)``, about ``3 / n``. With no event the lower end of an interval cannot err, so
    the whole error goes to the upper end and the two-sided ``[0, this]`` still covers at ``confidence``; but
    never more than ``MOST_UNSEEN_ERROR``.
    """
    error = min(1 - confidence, MOST_UNSEEN_ERROR)
    return 1.0 if n <= 1 else float(-math.expm1(math.log(error) / n))


def wilson(events: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval (J. Am. Stat. Assoc. 22, 1927), corrected where it errs.

    With no event, or only events, the free end is the exact one of :func:`unseen_upper`. The end that looks
    towards the nearer of 0 and 1 errs too often (in up to 9 % of the cases instead of 2.5 %), because counts
    are whole and skewed: :func:`inner_shift` moves it to where the exact interval (Clopper & Pearson,
    Biometrika 26, 1934) has it. The other end is Wilson's.

    Args:
        events: how often it happened, 0 to ``n``; a fraction where clusters were discounted.
        n: samples, or effective samples, above 0.
        confidence: two-sided level.
    """
    if not 0 <= events <= n or n <= 0:
        raise ValueError(f"wilson: expected 0 <= events <= n and n > 0, got {events} of {n}")
    if 2 * events > n:
        mirrored = wilson(n - events, n, confidence)
        return Interval(1 - mirrored.high, 1 - mirrored.low)
    if events == 0:
        return Interval(0.0, unseen_upper(n, confidence))
    z = normal_quantile(confidence)
    inner = max(events - inner_shift(1 - 2 * events / n, z), 0.0)
    return Interval(max(_score_end(inner, n, -z), 0.0), _score_end(events, n, z))


def inner_shift(skewness: float, z: float) -> float:
    """Events that a score interval must leave out at the end towards 0 to cover as it says.

    ``1/2`` because counts are whole, and ``(z^2 - 1) / 6`` because they are skewed, which the score test
    neglects: the first terms of an expansion of Cornish and Fisher. Both in proportion to the skewness.

    Args:
        skewness: third over second cumulant of the count, 1 for rare events, 0 for even ones.
        z: normal quantile of the level.
    """
    return skewness * (0.5 + max(z * z - 1, 0.0) / 6)


def _score_end(events: float, n: float, z: float) -> float:
    rate, z2 = events / n, z * z
    middle = rate + z2 / (2 * n)
    return (middle + z * math.sqrt((rate * (1 - rate) + z2 / (4 * n)) / n)) / (1 + z2 / n)
