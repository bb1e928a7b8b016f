"""What reference and candidate have right, sample by sample."""

from __future__ import annotations

from edgekit.evaluation.tally import Tally
from edgekit.statistics.interval import Interval
from edgekit.statistics.paired import mcnemar_exact, tango
from edgekit.statistics.quantiles import CONFIDENCE


class PairedShares:
    """Shares of samples that either side has right, and their difference.

    Attributes:
        lost: samples that the reference has right and the candidate wrong.
        gained: the other way round.
    """

    def __init__(self) -> None:
        self.lost = self.gained = 0
        self._right = [0, 0]  # reference, candidate
        self._differences = Tally()
        self._n = 0

    def add(self, cluster: str, was_right: bool, is_right: bool) -> None:
        """Adds one sample: whether the reference had it right, whether the candidate has."""
        self._n += 1
        self._right[0] += was_right
        self._right[1] += is_right
        self.lost += was_right and not is_right
        self.gained += is_right and not was_right
        self._differences.add(cluster, was_right - is_right)

    @property
    def reference(self) -> float:
        """Share that the reference has right, 0 to 1."""
        return self._right[0] / self._n

    @property
    def candidate(self) -> float:
        """Share that the candidate has right, 0 to 1."""
        return self._right[1] / self._n

    @property
    def drop(self) -> float:
        """Reference minus candidate."""
        return (self.lost - self.gained) / self._n

    @property
    def mcnemar_p(self) -> float | None:
        """Exact p-value that flips go both ways alike; ``None`` where sources gave several samples."""
        independent = len(self._differences) == self._n
        return mcnemar_exact(self.lost, self.gained) if independent else None

    def interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        """Of the drop; see :attr:`edgekit.evaluation.score.Score.interval_at`."""
        n = self._differences.clustering().effective_n(scale, confidence)
        return tango(self.lost / self._n * n, self.gained / self._n * n, n, confidence)
