"""Interval of a ratio of sums measured on the same samples, such as the rise of the character error rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import unseen_upper
from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile, t_quantile

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RatioMoments:
    """What the interval of ``sum(change) / sum(weight)`` is made of, over independent clusters.

    Attributes:
        ratio: the estimate.
        clusters: how many clusters, and
        changed: how many of them changed at all; a fraction where all did a little, see
            :func:`edgekit.statistics.influence.influence_moments`.
        weight: sum of the weights (characters of the reference text).
        weight2: sum of their squares.
        residual2: sum of the squared residuals ``change - ratio * weight``.
        residual3: sum of their cubes.
        largest: largest residual of a cluster over its weight; only for :meth:`dense_interval`.
    """

    ratio: float
    clusters: int
    changed: float
    weight: float
    weight2: float
    residual2: float
    residual3: float
    largest: float = 1.0

    def interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        """Score interval, corrected for skewness, that does not trust what it has not seen.

        In simulations (1,000 repetitions of 100 to 2,000 lines, 0.5 to 10 % of them changed by one character,
        by several, or lost whole) its upper end missed the truth in at most 3.3 % of the cases, where the
        bootstrap (BCa) missed in up to 30 %. Three things are put together:

        * Hall's monotone cubic transformation of the studentised ratio (J. R. Stat. Soc. B 54, 1992, 221),
          which answers for the skewness of rare large changes;
        * downwards, a normal interval with one pseudo-change of average weight, because two or three
          changes say little about their own spread;
        * upwards, ``ratio + unseen_upper``: a failure that loses whole lines may be rarer than was seen,
          and no sample of this size excludes it.

        Args:
            scale: as if there were that many times as many clusters of the same kind.
            confidence: two-sided level.
        """
        unseen = unseen_upper(scale * self.weight * self.weight / self.weight2, confidence)
        if self.changed == 0:
            return Interval(self.ratio - unseen, self.ratio + unseen)
        z = normal_quantile(confidence)
        spread2 = self.residual2 * scale * _unbiased(self.clusters * scale)
        pseudo2 = (spread2 + self.weight2 / self.clusters) / (self.changed * scale + 1)
        unit = 1 / (scale * self.weight)
        symmetric = z * math.sqrt(spread2 + pseudo2) * unit
        skew = self.residual3 * scale / spread2**1.5 if spread2 > 0 else 0.0
        error = math.sqrt(spread2) * unit
        low = min(self.ratio - symmetric, self.ratio - error * _hall(z, skew))
        high = max(self.ratio + unseen, self.ratio - error * _hall(-z, skew))
        return Interval(low, high)

    def dense_interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        """The same for values that change in every cluster, by some amount that has no natural limit.

        Log-likelihoods and divergences do: each document says something about the spread, so that few of them
        suffice. Hall's transformation with Student's t for the effective number of clusters, and on both sides
        at least ``unseen_upper`` times the largest deviation seen: a document that changes as much may be rarer
        than these show. One cluster, or none that changed, says nothing of the spread; then it is
        :meth:`interval`, which takes an unseen change as 1.

        In simulations (1,000 repetitions of documents of lognormal length, nominal 2.5 %) the upper end missed the
        truth in at most 5.0 % of the cases where changes were normal or t-distributed (5 to 2,000 documents) and
        6.7 % where exponential. Heavier tails need more documents: lognormal changes were missed in 8.5, 10.3, 5.8
        and 4.3 % with 5, 10, 30 and 300 documents; where one document in twenty changed 50 times as much in 48, 55,
        21, 4.6 and 3.3 % with 5, 10, 30, 62 and 300. A gate on a perplexity wants a hundred documents.

        Args:
            scale: as if there were that many times as many clusters of the same kind.
            confidence: two-sided level.
        """
        if self.changed == 0 or self.clusters < 2:
            return self.interval(scale, confidence)
        effective = scale * self.weight * self.weight / self.weight2
        t = t_quantile(max(int(effective) - 1, 1), confidence)
        spread2 = self.residual2 * scale * _unbiased(self.clusters * scale)
        skew = self.residual3 * scale / spread2**1.5 if spread2 > 0 else 0.0
        error = math.sqrt(spread2) / (scale * self.weight)
        unseen = self.largest * unseen_upper(effective, confidence)
        low = min(self.ratio - unseen, self.ratio - error * _hall(t, skew))
        high = max(self.ratio + unseen, self.ratio - error * _hall(-t, skew))
        return Interval(low, high)


def ratio_moments(changes: F64, weights: F64) -> RatioMoments:
    """Moments of per-cluster sums.

    Args:
        changes: ``(clusters,)`` signed change, e.g. edits of the candidate minus edits of the reference.
        weights: ``(clusters,)`` at least 0, not all 0, e.g. characters of the true text.
    """
    total = float(weights.sum())
    if total <= 0:
        raise ValueError("ratio: expected weights that sum to more than 0")
    ratio = float(changes.sum()) / total
    residuals = changes - ratio * weights
    weighed = weights > 0
    return RatioMoments(
        ratio=ratio,
        clusters=len(changes),
        changed=int(np.count_nonzero(changes)),
        weight=total,
        weight2=float(np.square(weights).sum()),
        residual2=float(np.square(residuals).sum()),
        residual3=float((residuals**3).sum()),
        largest=float(np.abs(residuals[weighed] / weights[weighed]).max()),
    )


def _unbiased(clusters: float) -> float:
    return clusters / (clusters - 1) if clusters > 1 else 1.0


def _hall(x: float, skew: float) -> float:
    """Inverse of Hall's cubic transformation; ``skew`` is the skewness of the sum."""
    if abs(skew) < 1e-9:
        return x
    return (math.cbrt(1 + skew * (x - skew / 6)) - 1) * 3 / skew
