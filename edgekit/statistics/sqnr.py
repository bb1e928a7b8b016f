"""Signal to quantisation-noise ratio."""

from __future__ import annotations

import math

import numpy as np

from edgekit.types import Array


class Sqnr:
    """Adds up signal and noise over samples, in constant memory.

    ``10 log10(sum(reference^2) / sum((reference - candidate)^2))`` over all values of all samples.

    Attributes:
        samples: how many were added.
    """

    def __init__(self) -> None:
        self.samples = 0
        self._signal = 0.0
        self._noise = 0.0

    def add(self, reference: Array, candidate: Array) -> None:
        """Adds one sample; both arrays of the same shape, any number type."""
        self.add_energies(*energies(reference, candidate))

    def add_energies(self, signal: float, noise: float) -> None:
        """Adds one sample by what :func:`energies` gave for it."""
        self._signal += signal
        self._noise += noise
        self.samples += 1

    @property
    def identical(self) -> bool:
        """Whether every value was the same so far."""
        return self.samples > 0 and self._noise == 0

    @property
    def db(self) -> float | None:
        """The ratio in decibels; ``None`` without samples, signal or noise (then it is infinite)."""
        if not self.samples or self._noise == 0 or self._signal == 0:
            return None
        ratio = 10 * (math.log10(self._signal) - math.log10(self._noise))  # one of them may be infinite
        return ratio if math.isfinite(ratio) else None


def energies(reference: Array, candidate: Array) -> tuple[float, float]:
    """Signal and noise of one sample: ``sum(reference^2)`` and ``sum((reference - candidate)^2)``.

    Args:
        reference: any shape and number type.
        candidate: of the same shape.
    """
    if reference.shape != candidate.shape:
        raise ValueError(f"sqnr: expected equal shapes, got {reference.shape} and {candidate.shape}")
    exact = reference.astype(np.float64)
    return float(np.square(exact).sum()), float(np.square(exact - candidate.astype(np.float64)).sum())
