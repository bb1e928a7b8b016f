"""Sums a cluster: all that an interval needs of the samples."""

from __future__ import annotations

from array import array

import numpy as np
import numpy.typing as npt

from edgekit.statistics.clusters import Clustering, clustering
from edgekit.statistics.interval import Interval
from edgekit.statistics.proportion import wilson
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.statistics.ratio import RatioMoments, ratio_moments

F64 = npt.NDArray[np.float64]


class Sums:
    """Sums of a few numbers a sample, by cluster.

    Args:
        width: how many numbers.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._place: dict[str, int] = {}
        self._values = array("d")
        self._columns: F64 | None = None  # until the next sample: intervals ask often

    def add(self, cluster: str, *values: float) -> None:
        """Adds one sample's ``width`` numbers."""
        self._columns = None
        start = self._place.setdefault(cluster, len(self._place)) * self._width
        if start == len(self._values):
            self._values.extend(values)
        else:
            for i, value in enumerate(values, start):
                self._values[i] += value

    def __len__(self) -> int:
        return len(self._place)

    @property
    def columns(self) -> F64:
        """``(width, clusters)``; clusters in the order of their names, whichever came first."""
        if self._columns is None:
            table = np.array(self._values, np.float64).reshape(-1, self._width)
            self._columns = np.ascontiguousarray(table[[self._place[name] for name in sorted(self._place)]].T)
        return self._columns


class Tally:
    """Counts, sums and sums of squares of one number a sample, by cluster."""

    def __init__(self) -> None:
        self._sums = Sums(3)

    def add(self, cluster: str, value: float) -> None:
        """Adds one sample."""
        self._sums.add(cluster, 1.0, value, value * value)

    def __len__(self) -> int:
        return len(self._sums)

    @property
    def n(self) -> int:
        """Samples."""
        return int(self._sums.columns[0].sum())

    @property
    def total(self) -> float:
        """Sum over all samples."""
        return float(self._sums.columns[1].sum())

    def clustering(self) -> Clustering:
        """What the design effect is made of."""
        sizes, sums, squares = self._sums.columns
        return clustering(sums, squares, sizes)


class RatioTally:
    """A change and a weight a sample, by cluster: the ratio of their sums is what is asked for."""

    def __init__(self) -> None:
        self._sums = Sums(2)

    def add(self, cluster: str, change: float, weight: float) -> None:
        """Adds one sample; ``weight`` is at least 0."""
        self._sums.add(cluster, change, weight)

    def __len__(self) -> int:
        return len(self._sums)

    @property
    def weight(self) -> float:
        """Sum of the weights."""
        return float(self._sums.columns[1].sum())

    def moments(self) -> RatioMoments:
        """What the interval is made of; the weights must not all be 0."""
        return ratio_moments(*self._sums.columns)


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


def agreement(changed: Tally) -> tuple[float, Interval]:
    """Share of samples whose value is 0, all others having 1, with its interval."""
    found = share_interval(changed)
    return 1 - changed.total / changed.n, Interval(1 - found.high, 1 - found.low)
