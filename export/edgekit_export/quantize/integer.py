"""Affine integers: ``real = (code - zero_point) * scale``, rounding half to even, saturating.

The same arithmetic as ONNX's QuantizeLinear and DequantizeLinear.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.types import Array

U8_MAX = 255
S8_MAX = 127
"""Weights use −127…127: symmetric, so that negating a channel loses nothing."""


def largest_code(bits: int) -> int:
    """Of a weight: 7 for 4 bits, 127 for 8."""
    return int(2 ** (bits - 1)) - 1


@dataclass(frozen=True, slots=True)
class Affine:
    """Scale and zero point of an uint8 activation, one of each a tensor.

    Attributes:
        scale: size of one step, a float32 value, above 0.
        zero_point: the code of 0.0, 0–255, so that padding with zeros is exact.
    """

    scale: float
    zero_point: int

    def __post_init__(self) -> None:
        if not self.scale > 0 or not np.isfinite(self.scale):
            raise ValueError(f"scale: expected a positive number, got {self.scale}")
        if not 0 <= self.zero_point <= U8_MAX:
            raise ValueError(f"zero point: expected 0 to {U8_MAX}, got {self.zero_point}")

    @property
    def low(self) -> float:
        """The smallest value that has a code."""
        return -self.zero_point * self.scale

    @property
    def high(self) -> float:
        """The largest value that has a code."""
        return (U8_MAX - self.zero_point) * self.scale

    def quantize(self, values: Array) -> Array:
        """uint8 codes of ``values``."""
        codes = np.rint(np.asarray(values, np.float32) / np.float32(self.scale)) + np.float32(self.zero_point)
        clipped: Array = np.clip(codes, 0, U8_MAX).astype(np.uint8)
        return clipped

    def round_trip(self, values: Array) -> Array:
        """What is left of ``values`` after quantising, float32."""
        return (self.quantize(values).astype(np.float32) - np.float32(self.zero_point)) * np.float32(
            self.scale
        )


def affine_from_range(low: float, high: float) -> Affine:
    """The affine code that covers ``low`` to ``high`` and zero.

    A range of nothing (a tensor that is always 0) gets a step of 1.
    """
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    scale = float(np.float32((high - low) / U8_MAX))
    if not scale > 0:
        return Affine(1.0, 0)
    return Affine(scale, int(np.clip(np.rint(-low / scale), 0, U8_MAX)))


def sqnr_db(reference: Array, candidate: Array) -> float:
    """Signal to quantisation noise, ``10 log10(Σ reference² / Σ (reference − candidate)²)``; inf where equal."""
    reference = np.asarray(reference, np.float64)
    noise = float(np.sum((reference - np.asarray(candidate, np.float64)) ** 2))
    signal = float(np.sum(reference**2))
    if noise == 0:
        return float("inf")
    return 10 * float(np.log10(signal / noise)) if signal > 0 else -float("inf")
