"""Interval of any smooth statistic of independent samples, from each sample's influence on it."""

from __future__ import annotations

import numpy as np

from edgekit.statistics.ratio import F64, RatioMoments
from edgekit.types import Array


def influence_moments(drop: float, influence: F64, share: F64, clusters: Array) -> RatioMoments:
    """Moments for :meth:`edgekit.statistics.ratio.RatioMoments.interval`.

    Args:
        drop: the estimate.
        influence: ``(n,)`` how far each sample moves it; their sum is 0.
        share: ``(n,)`` the most that losing the sample could do, relative to losing all; sums to 1.
        clusters: ``(n,)`` source of each sample, numbered from 0 without gaps.
    """
    moved, weights = np.bincount(clusters, influence), np.bincount(clusters, share)
    square, fourth = float((moved**2).sum()), float((moved**4).sum())
    return RatioMoments(
        ratio=drop,
        clusters=len(moved),
        changed=square * square / fourth if fourth > 0 else 0,
        weight=1.0,
        weight2=float((weights**2).sum()),
        residual2=square,
        residual3=float((moved**3).sum()),
    )
