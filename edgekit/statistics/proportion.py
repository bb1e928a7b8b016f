"""Interval of one proportion."""

from __future__ import annotations

import math

from edgekit.statistics.interval import Interval
from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile


def unseen_upper(n: float, confidence: float = CONFIDENCE) -> float:
    """Upper bound of the rate of something that did not happen once in ``n`` independent samples.

    ``1 - (1 - confidence)^(1/n)``, about ``3 / n``. With no event the lower end of an interval cannot err, so
    the whole error goes to the upper end and the two-sided ``[0, this]`` still covers at ``confidence``.
    """
    return 1.0 if n <= 1 else float(-math.expm1(math.log1p(-confidence) / n))


def wilson(events: float, n: float, confidence: float = CONFIDENCE) -> Interval:
    """Wilson's score interval (J. Am. Stat. Assoc. 22, 1927), exact at its ends.

    With no event, or only events, the free end is the exact one of :func:`unseen_upper`.

    Args:
        events: how often it happened, 0 to ``n``; a fraction where clusters were discounted.
        n: samples, or effective samples, above 0.
        confidence: two-sided level.
    """
    if not 0 <= events <= n or n <= 0:
        raise ValueError(f"wilson: expected 0 <= events <= n and n > 0, got {events} of {n}")
    if events == 0:
        return Interval(0.0, unseen_upper(n, confidence))
    if events == n:
        return Interval(1 - unseen_upper(n, confidence), 1.0)
    z2 = normal_quantile(confidence) ** 2
    rate = events / n
    middle = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (rate * (1 - rate) + z2 / (4 * n)) / n) / (1 + z2 / n)
    return Interval(max(middle - half, 0.0), min(middle + half, 1.0))
