"""Alterations of what a graph sees and gives, that would make two graphs agree."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from edgekit.types import F32, Array

MIDDLE = np.float32(128)


def _ones() -> F32:
    return np.ones(3, np.float32)


def _zeros() -> F32:
    return np.zeros(3, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Alteration:
    """The reference, given altered pictures, gives what the candidate gives, its outputs altered.

    ``reference(gain * swap(x) + shift) = (candidate(x) - offset)[order] / scale``

    Attributes:
        swapped: whether red and blue change places.
        gain: ``(3,)`` a channel, RGB.
        shift: ``(3,)`` levels a channel, RGB.
        scale: the candidate's logits are so many times too large.
        offset: and so much too high.
        order: the candidate's class for each of the reference's; ``None`` for the same.
    """

    swapped: bool = False
    gain: F32 = field(default_factory=_ones)
    shift: F32 = field(default_factory=_zeros)
    scale: float = 1.0
    offset: float = 0.0
    order: Array | None = None

    def levels(self, levels: F32) -> F32:
        """What the reference must be given in place of these RGB levels ``(height, width, 3)``."""
        turned = levels[:, :, ::-1] if self.swapped else levels
        return np.asarray(turned * self.gain + self.shift, np.float32)

    def inverse_levels(self, levels: F32) -> F32:
        """What the candidate must be given instead, to give what the reference does."""
        plain = (levels - self.shift) / self.gain
        return np.ascontiguousarray(plain[:, :, ::-1] if self.swapped else plain, np.float32)

    def logits(self, rows: F32) -> F32:
        """The candidate's logits ``(positions, classes)``, put right."""
        right = (rows - np.float32(self.offset)) / np.float32(self.scale)
        return right if self.order is None else right[:, self.order]

    def affine(self, gain: Array, shift: Array) -> Alteration:
        """The same with other levels."""
        return replace(self, gain=gain.astype(np.float32), shift=shift.astype(np.float32))
