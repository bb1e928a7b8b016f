"""What several samples from one source are worth: crops of one photo, frames of one clip.

They resemble each other, so ``n`` of them carry the information of fewer independent ones. The design effect
(Kish 1965) says how many fewer; intervals then use ``n / design effect``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgekit.statistics.quantiles import CONFIDENCE, normal_quantile, t_quantile

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Clustering:
    """Sums that the design effect is made of.

    Attributes:
        n: samples.
        clusters: sources they come from.
        between: sum over clusters of the squared deviation of the cluster's sum.
        within: sum over samples of the squared deviation.
        largest: design effect if all samples of a cluster did the same: ``sum(size^2) / n``.
    """

    n: int
    clusters: int
    between: float
    within: float
    largest: float

    def effective_n(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> float:
        """Independent samples that would say as much.

        The plain estimate ``between / within`` is worthless where events are few: with one event it is 1
        whatever the truth, and intervals then miss in up to 85 % of simulated cases. So one pseudo-event is
        added, in a cluster that does the same throughout: without events a whole cluster counts as one
        sample, and each event that is alone in its cluster earns trust. Few clusters are charged with
        Student's t (Korn & Graubard 1998). The result lies between ``n`` and ``n / largest``.

        Args:
            scale: as if there were that many times as many clusters of the same kind; tells how many samples
                a gate needs.
            confidence: two-sided level of the interval that it is for; Student's t depends on it.
        """
        n, clusters = self.n * scale, self.clusters * scale
        if clusters <= 1:
            return n / self.largest
        unbiased = clusters / (clusters - 1) * (n - 1) / n
        effect = (self.between * scale * unbiased + self.largest) / (self.within * scale + 1)
        effect = max(effect, 1.0)
        if self.largest > 1:
            dof = max(int(clusters) - 1, 1)
            effect *= (t_quantile(dof, confidence) / normal_quantile(confidence)) ** 2
        return n / min(effect, self.largest)


def clustering(sums: F64, squares: F64, sizes: F64) -> Clustering:
    """Collects the sums of a per-sample value: 1 for an event, or 1, 0 and -1 for lost, same and gained.

    Args:
        sums: ``(clusters,)`` sum of the value in each cluster.
        squares: ``(clusters,)`` sum of its squares.
        sizes: ``(clusters,)`` samples in each cluster, at least 1.
    """
    n = float(sizes.sum())
    mean = float(sums.sum()) / n
    return Clustering(
        n=int(n),
        clusters=len(sizes),
        between=float(np.square(sums - mean * sizes).sum()),
        within=max(float(squares.sum()) - n * mean * mean, 0.0),
        largest=float(np.square(sizes).sum()) / n,
    )
