"""Quantiles of the normal and Student's t distribution, without scipy (a device does not have it)."""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95
"""Every interval that edgekit reports is two-sided at this level, unless it says otherwise."""

_NORMAL = NormalDist()
_SERIES_BELOW = 100  # degrees of freedom from which the expansion errs by 1e-9, by 2e-6 at 1 - 3e-8


def normal_quantile(confidence: float = CONFIDENCE) -> float:
    """The ``z`` with ``P(|Z| <= z) = confidence``: 1.95996 at 0.95."""
    return _NORMAL.inv_cdf((1 + confidence) / 2)


def t_quantile(dof: int, confidence: float = CONFIDENCE) -> float:
    """The ``t`` with ``P(|T| <= t) = confidence`` for Student's t.

    Solves the finite series of Abramowitz & Stegun 26.7.3–4 below 100 degrees of freedom and uses the
    expansion 26.7.5 from there.

    Args:
        dof: degrees of freedom, at least 1.
        confidence: two-sided, between 0 and 1.
    """
    z = normal_quantile(confidence)
    if dof >= _SERIES_BELOW:
        return _expansion(z, dof)
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _central_mass(middle, dof) < confidence else (low, middle)
    return math.sqrt(dof) * math.tan(low)


def _expansion(z: float, dof: int) -> float:
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(dof) ** (i + 1) for i, term in enumerate(terms))


def _central_mass(theta: float, dof: int) -> float:
    """``P(|T| <= t)`` with ``theta = atan(t / sqrt(dof))``."""
    sine, cosine = math.sin(theta), math.cos(theta)
    odd = dof % 2
    term = cosine if odd else 1.0
    total = term if dof > 1 else 0.0
    for k in range(2 + odd, dof - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    return 2 / math.pi * (theta + sine * total) if odd else sine * total
