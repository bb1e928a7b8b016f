"""Sums a cluster: all that an interval needs of the samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgekit.statistics.clusters import Clustering, clustering
from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import wilson
from edgekit.statistics.quantiles import CONFIDENCE


class Tally:
    """Counts, sums and sums of squares of one number a sample, by cluster."""

    def __init__(self) -> None:
        self._rows: dict[str, list[float]] = {}

    def add(self, cluster: str, value: float) -> None:
        """Adds one sample."""
        row = self._rows.setdefault(cluster, [0.0, 0.0, 0.0])
        row[0] += 1
        row[1] += value
        row[2] += value * value

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def total(self) -> float:
        """Sum over all samples."""
        return sum(row[1] for row in self._rows.values())

    @property
    def sums(self) -> npt.NDArray[np.float64]:
        """``(clusters,)`` sum in each cluster, in the order they came."""
        return np.array([row[1] for row in self._rows.values()], np.float64)

    def clustering(self) -> Clustering:
        """What the design effect is made of."""
        sizes, sums, squares = np.array(list(self._rows.values()), np.float64).reshape(-1, 3).T
        return clustering(sums, squares, sizes)


def share_interval(tally: Tally, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
    """Interval of the share of samples with the value 1, all others having 0; clusters are answered for.

    Args:
        tally: of the samples, at least one.
        scale: as if there were that many times as many samples of the same kind.
        confidence: two-sided level.
    """
    clusters = tally.clustering()
    n = clusters.effective_n(scale, confidence)
    return wilson(min(tally.total / clusters.n, 1.0) * n, n, confidence)
