"""Whether two sets of vectors order pairs of samples alike: Spearman's correlation of their similarities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.statistics.ratio import F64, RatioMoments
from edgekit.types import Array

MOST = 1500
"""Samples whose pairs are compared, 1.1 million of them; of more, so many at even distances."""


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Spearman's correlation over pairs.

    Attributes:
        rho: -1 to 1.
        moments: of ``1 - rho`` over independent sources, for :meth:`RatioMoments.dense_interval`.
    """

    rho: float
    moments: RatioMoments


def similarity_correlation(first: Array, second: Array, sources: Array) -> RankCorrelation | None:
    """Spearman's correlation of the cosines of all pairs of samples from different sources.

    The interval treats samples as independent, not pairs: it is that of a U-statistic of two samples (Hoeffding, Ann.
    Math. Stat. 19, 1948), from the influence of each sample by way of all of its pairs. That ranks are estimated too
    is left out, which is of no weight near 1.

    Args:
        first: ``(n, d)`` vectors of one side.
        second: ``(n, e)`` vectors of the other, of the same samples.
        sources: ``(n,)`` integers, what each sample was taken from.

    Returns:
        ``None`` where there are fewer than three sources, or a side with no order at all.
    """
    chosen = np.linspace(0, len(first) - 1, min(len(first), MOST)).round().astype(np.int64)
    source = np.unique(sources[chosen], return_inverse=True)[1]
    row, column = np.triu_indices(len(chosen), 1)
    apart = source[row] != source[column]
    row, column = row[apart], column[apart]
    if source.max(initial=0) < 2:
        return None
    sides = [_standard(_ranks(_cosine(side[chosen])[row, column])) for side in (first, second)]
    if not all(np.isfinite(side).all() for side in sides):
        return None
    a, b = sides
    rho = float(np.clip((a * b).mean(), -1.0, 1.0))
    pull = rho * (a * a + b * b) / 2 - a * b  # what a pair adds to 1 - rho, its mean 0
    n = int(source.max()) + 1
    moved = np.bincount(source[row], pull, minlength=n) + np.bincount(source[column], pull, minlength=n)
    return RankCorrelation(rho, _moments(1 - rho, moved / len(row)))


def _moments(drop: float, influence: F64) -> RatioMoments:
    n = len(influence)
    return RatioMoments(
        ratio=drop,
        clusters=n,
        changed=n,
        weight=1.0,
        weight2=1 / n,
        residual2=float((influence**2).sum()),
        residual3=float((influence**3).sum()),
        largest=float(np.abs(influence).max() * n),
    )


def _cosine(vectors: Array) -> F64:
    vectors = vectors.astype(np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
    found: F64 = unit @ unit.T
    return found


def _ranks(values: F64) -> F64:
    """Ranks from 0; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: F64 = (last - (counts + 1) / 2)[place]
    return mean


def _standard(values: F64) -> F64:
    """Mean 0, variance 1; not finite where all are alike."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.full(len(values), np.nan)
