"""A mixture of experts: what its tokens read and compute, and how unevenly its experts are loaded.

Every token goes to ``top_k`` of ``experts``. With the experts spread over devices a step ends when the busiest device
does, so what counts is the largest load over the mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Experts:
    """How a model's parameters are divided; of a dense one all are shared.

    Attributes:
        parameters: all of them.
        active_parameters: that one token uses.
        experts: in each layer; 1 of a dense model.
        top_k: experts a token.
    """

    parameters: float
    active_parameters: float
    experts: int
    top_k: int

    @property
    def expert_parameters(self) -> float:
        """Of all experts together: ``parameters = shared + e`` and ``active = shared + e * top_k / experts``."""
        if self.experts == self.top_k:
            return 0.0
        return (self.parameters - self.active_parameters) / (1 - self.top_k / self.experts)

    @property
    def shared_parameters(self) -> float:
        """Attention, embedding and whatever else every token uses."""
        return self.parameters - self.expert_parameters

    def touched(self, tokens: float) -> float:
        """Share of the experts that a step of so many tokens reads: ``1 - (1 - top_k / experts) ** tokens``."""
        return 1.0 - math.pow(1 - self.top_k / self.experts, tokens)


@lru_cache(maxsize=256)
def largest_load(assignments: int, devices: int, quantile: float, hot: float = 1.0) -> float:
    """Load of the busiest device over the mean load.

    Each of ``assignments`` (tokens by ``top_k``) falls on a device by itself, on the hot one ``hot`` times as often as
    evenly. The loads are binomial; the largest is at most ``x`` with the probability that each is, taken as
    independent: ``F_hot(x) * F_other(x) ** (devices - 1)``. (They are negatively associated, which moves this by a
    ball or two; Joag-Dev and Proschan, Annals of Statistics 11, 1983. For many assignments and no hot device it tends
    to ``1 + sqrt(2 ln(devices) / mean)``; Raab and Steger, "Balls into Bins", RANDOM 1998.)

    Args:
        assignments: 1 or more.
        devices: that hold experts; of one the load is always the mean.
        quantile: 0.5 for the median step, 0.99 for the slowest of a hundred.
        hot: 1 to ``devices``.
    """
    if devices == 1:
        return 1.0
    mean = assignments / devices
    share = min(hot / devices, 1.0)
    other = (1 - share) / (devices - 1)
    low, high = 0, assignments
    while low < high:
        middle = (low + high) // 2
        within = _at_most(middle, assignments, share) * _at_most(middle, assignments, other) ** (devices - 1)
        low, high = (low, middle) if within >= quantile else (middle + 1, high)
    return max(low / mean, 1.0)


def _at_most(x: int, n: int, p: float) -> float:
    """Binomial distribution; by the normal one where it is as good."""
    if x >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    if n > 2000:
        return 0.5 * math.erfc((n * p - x - 0.5) / math.sqrt(2 * n * p * (1 - p)))
    return min(1.0, math.fsum(_chance(i, n, p) for i in range(x + 1)))


def _chance(i: int, n: int, p: float) -> float:
    choices = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
    return math.exp(choices + i * math.log(p) + (n - i) * math.log1p(-p))
