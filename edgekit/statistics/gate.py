"""Whether a measured drop holds a limit, and how many samples it would take to know.

One convention throughout: the reported interval is two-sided at 95 % (of several looks together, see
:mod:`edgekit.statistics.spending`), and the gate uses its two ends. A
verdict that is wrong on either side therefore has a nominal chance of 2.5 %, and of at most 5 % where no flip
was seen (see :func:`edgekit.statistics.proportion.unseen_upper`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import MOST_UNSEEN_ERROR
from edgekit.statistics.quantiles import CONFIDENCE

Verdict: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE"]

LARGEST_N = 10**8
"""Beyond this many samples a gate counts as out of reach."""


def gate(drop_upper: float, drop_lower: float, max_drop: float) -> Verdict:
    """PASS if the upper bound holds the limit, FAIL if even the lower one breaks it, else INCONCLUSIVE."""
    if drop_upper <= max_drop:
        return "PASS"
    return "FAIL" if drop_lower > max_drop else "INCONCLUSIVE"


def least_n(max_drop: float, confidence: float = CONFIDENCE) -> int | None:
    """Fewest independent samples with which a gate can pass at all, if nothing flips: 598 for 0.005.

    Args:
        max_drop: as a fraction.
        confidence: of the upper bound.

    Returns:
        ``ln(1 - confidence) / ln(1 - max_drop)`` rounded up (an error of 5 % at most, as for
        :func:`edgekit.statistics.proportion.unseen_upper`); ``None`` for a gate of 0, which nothing passes.
    """
    if max_drop <= 0:
        return None
    if max_drop >= 1:
        return 1
    error = min(1 - confidence, MOST_UNSEEN_ERROR)
    return math.ceil(math.log(error) / math.log1p(-max_drop) - 1e-9)


def needed_n(interval_at: Callable[[float], Interval], n: int, max_drop: float) -> int | None:
    """Samples of the same kind with which the gate would pass, if they went on as they did so far.

    Args:
        interval_at: the interval as if there were ``scale`` times as many samples.
        n: samples there are.
        max_drop: the limit, in the interval's unit.

    Returns:
        ``None`` if no number would do: the drop seen so far is not below the limit.
    """
    low, high = 1.0, max(LARGEST_N / n, 1.0)
    if interval_at(high).high > max_drop:
        return None
    if interval_at(low).high <= max_drop:
        return n
    while high / low > 1 + 1e-6:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if interval_at(middle).high <= max_drop else (middle, high)
    return math.ceil(n * high)
