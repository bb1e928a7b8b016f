"""Looks at a gate on the way, before all samples are measured, that keep the error rate of one look.

Who looks K times at an interval and stops when it suits errs more often than who looks once. So the error is
spent: each look's interval gets a part of it, and the parts add up to the whole.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist

from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile

MOST_LOOKS = 5
"""At a sixteenth of the samples 5e-15 of the error is spent; an earlier look could not stop anything."""

_NORMAL = NormalDist()


def plan_looks(n: int, looks: int) -> tuple[int, ...]:
    """Numbers of samples at which to look, each twice the one before, the last one ``n``.

    They are fixed before anything is measured: that is what the spending rests on.

    Args:
        n: all samples, at least 1.
        looks: how many looks, 1 to ``MOST_LOOKS``; fewer are planned where ``n`` is too small for so many.

    Raises:
        ValueError: another number.
    """
    if n < 1 or not 1 <= looks <= MOST_LOOKS:
        raise ValueError(f"looks: expected n >= 1 and 1 to {MOST_LOOKS} looks, got n = {n} and {looks} looks")
    return tuple(sorted({-(-n // 2**k) for k in range(looks)}))


def look_confidences(looks: Sequence[int], confidence: float = CONFIDENCE) -> tuple[float, ...]:
    """Two-sided confidence of each look's interval, of all looks together ``confidence``.

    The error ``1 - confidence`` is spent as Lan & DeMets (Biometrika 70, 1983) do in the manner of O'Brien and
    Fleming: ``alpha(t) = 2 - 2 Phi(z / sqrt(t))`` once the share ``t`` of the samples is measured, so that
    early looks stop only what is beyond doubt, and the last one loses little (95.6 % instead of 95 %). Look
    ``k`` gets the increment ``alpha(t_k) - alpha(t_(k-1))`` as its own error (Bonferroni). The usual boundaries
    are a little tighter, but need jointly normal statistics; increments add up to the whole whatever the
    looks' dependence, so they hold for exact bounds as well, such as the one where nothing was seen.

    Args:
        looks: rising numbers of samples, as :func:`plan_looks` gives them.
        confidence: two-sided level of all looks together.

    Raises:
        ValueError: the looks do not rise, or start before the share that ``MOST_LOOKS`` allows.
    """
    shares = [n / looks[-1] for n in looks]
    if any(b <= a for a, b in pairwise(looks)) or shares[0] < 0.5**MOST_LOOKS * 2:
        raise ValueError(f"looks: expected rising numbers, the first at least 1/16 of the last, got {looks}")
    z = normal_quantile(confidence)
    spent = [0.0, *(2 * _NORMAL.cdf(-z / math.sqrt(share)) for share in shares)]
    return tuple(1 - (after - before) for before, after in pairwise(spent))
