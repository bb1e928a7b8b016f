"""Wide layers: 16-bit weights whose float arithmetic is exact, so that every CPU gives the same bits.

A float convolution sums in an order of its kernel's own, so its last bits differ between CPUs, a code flips
here and there, and networks amplify that. A wide layer feeds the float kernel whole numbers instead: codes minus
zero point, and weights ``w · 2^-k`` with whole ``w`` and one ``k`` a channel, the largest for which
``reach · Σ|w| + |bias| < 2^24``. Every product and partial sum is then a multiple of ``2^-k`` that float32 holds
exactly, in any order, with or without fused multiply-add. The weight is in units of the output's code, so that
the sum needs rounding only. It keeps 9 to 14 bits, at two bytes each.

A tensor between wide layers only may carry *fine* codes: whole numbers in float beyond 0–255. Exactness leaves 24
bits for a code, a weight and the length of the sum together; code and weight get equal shares.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.integer import U8_MAX, Affine
from edgekit_export.quantize.weights import LayerWeights, broadcast

_EXACT = 2**24
_INT16_MAX = 2**15 - 1
_MAX_SHIFT, _MIN_SHIFT = 60, -20
FINEST = 4095
"""No fine tensor has more codes than this on a side: beyond, the weights would pay for it."""


@dataclass(frozen=True, slots=True)
class Fine:
    """Whole-number float codes: ``real = code · scale``, the code from ``lowest`` to ``highest``."""

    scale: float
    lowest: int
    highest: int

    @property
    def reach(self) -> int:
        """Largest absolute code."""
        return max(-self.lowest, self.highest)

    def round_trip(self, values: Array) -> Array:
        """What is left of ``values`` after coding, float32."""
        codes = np.clip(
            np.rint(np.asarray(values, np.float32) / np.float32(self.scale)), self.lowest, self.highest
        )
        return np.asarray(codes * np.float32(self.scale), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class WideWeights:
    """A wide layer's parameters.

    Attributes:
        codes: whole weights, output channels first, within int16, as float64.
        unit: ``(outputs,)`` float32 powers of two.
        bias: ``(outputs,)`` float32, multiples of ``unit``.
        output_scale: real value of 1.0 at the kernel's output.
        input_scale: real value of one input code.
    """

    codes: Array
    unit: Array
    bias: Array
    output_scale: float
    input_scale: float

    @property
    def real(self) -> Array:
        """The weight that the codes stand for, float64."""
        per_code = self.unit.astype(np.float64) * self.output_scale / self.input_scale
        real: Array = self.codes * broadcast(per_code, self.codes.ndim)
        return real


def fine_code(low: float, high: float, readers: Iterable[Array]) -> Fine:
    """Fine codes for a tensor.

    Args:
        low: smallest value to cover.
        high: largest value to cover.
        readers: weights of the layers that read it, output channels first.
    """
    spread = max(_spread(weight) for weight in readers)
    reach = int(np.clip(np.sqrt(_EXACT / spread), U8_MAX, FINEST))
    largest = max(-low, high, 0.0)
    scale = float(np.float32(largest / reach)) if largest > 0 else 1.0
    lowest = 0 if low >= 0 else max(int(np.floor(low / scale)), -reach)
    return Fine(scale, lowest, min(int(np.rint(high / scale)), reach) if high > 0 else 0)


def _spread(weight: Array) -> float:
    """Largest ratio of a channel's sum of absolute weights to its largest: how long its sum counts."""
    flat = np.abs(weight.reshape(len(weight), -1))
    largest = flat.max(axis=1)
    return float(np.max(np.where(largest > 0, flat.sum(axis=1) / np.where(largest > 0, largest, 1.0), 1.0)))


def reach_of(code: Affine | Fine) -> int:
    """Largest absolute whole number that a layer reads."""
    return code.reach if isinstance(code, Fine) else max(code.zero_point, U8_MAX - code.zero_point)


def wide_weights(weights: LayerWeights, source: Affine | Fine, output_scale: float) -> WideWeights:
    """Whole weights as fine as exactness allows.

    Args:
        weights: float parameters of the layer.
        source: code of its input.
        output_scale: real value of one output code; 1.0 where the output is not coded.
    """
    bias = weights.bias if weights.bias is not None else np.zeros(len(weights.weight))
    in_units = weights.weight * (source.scale / output_scale)
    bias_units, reach = bias / output_scale, reach_of(source)
    shift = np.full(len(bias), _MAX_SHIFT)
    flat, tail = in_units.reshape(len(bias), -1), np.arange(len(bias))
    while len(tail):
        power = np.exp2(shift[tail].astype(np.float64))
        whole = np.abs(np.rint(flat[tail] * power[:, None]))
        total = reach * whole.sum(axis=1) + np.abs(np.rint(bias_units[tail] * power))
        fits = (total < _EXACT) & (whole.max(axis=1) <= _INT16_MAX)
        tail = tail[~fits & (shift[tail] > _MIN_SHIFT)]
        shift[tail] -= 1
    power = np.exp2(shift.astype(np.float64))
    whole_bias = np.rint(bias_units * power)
    codes = np.rint(in_units * broadcast(power, in_units.ndim))
    unit = np.exp2(-shift.astype(np.float64)).astype(np.float32)
    stored_bias = (whole_bias * unit.astype(np.float64)).astype(np.float32)
    return WideWeights(codes, unit, stored_bias, output_scale, source.scale)
