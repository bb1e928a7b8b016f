"""Values of quantised tensors: integer codes with one scale and one zero point.

Affine quantisation as the TFLite schema has it: ``value = (code - zero_point) * scale`` (arXiv 1712.05877,
equation 1). Every step is one IEEE operation or exact, so that all machines agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.types import F32, Array


@dataclass(frozen=True, slots=True)
class Codes:
    """How a tensor stores its values.

    Attributes:
        dtype: of the codes: ``int8``, ``uint8``, ``int16`` or ``int32``.
        scale: what one step is worth, above 0, a float32.
        zero_point: the code that stands for 0.
    """

    dtype: str
    scale: float
    zero_point: int


def quantize(values: Array, codes: Codes) -> Array:
    """``clip(round(value / scale) + zero_point)``: the quotient in float32, ties to even; NaN gives the least code.

    Args:
        values: any shape; float32, or uint8, which stand for the numbers 0 to 255.
        codes: how to store them.

    Returns:
        The codes, same shape, of ``codes.dtype``.
    """
    limits = np.iinfo(codes.dtype)
    wide = limits.bits > 16  # float32 does not count in ones that far
    with np.errstate(over="ignore", invalid="ignore"):
        steps = values.astype(
            np.float32
        )  # one copy, then in place: fresh pages cost more than the arithmetic
        np.divide(steps, np.float32(codes.scale), out=steps)
        exact = steps.astype(np.float64) if wide else steps
        np.rint(exact, out=exact)
        exact += codes.zero_point
    np.fmax(exact, limits.min, out=exact)
    np.fmin(exact, limits.max, out=exact)
    return exact.astype(codes.dtype)


def dequantize(stored: Array, codes: Codes) -> F32:
    """``(code - zero_point) * scale``: the difference exact, rounded to float32, then one product in float32."""
    difference = (stored.astype(np.int64) - codes.zero_point).astype(np.float32)
    return np.multiply(difference, np.float32(codes.scale), dtype=np.float32)
