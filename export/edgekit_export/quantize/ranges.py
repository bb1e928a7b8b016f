"""From the values a tensor took to the range its codes cover."""

from __future__ import annotations

from typing import Literal

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.integer import U8_MAX, Affine, affine_from_range
from edgekit_export.quantize.observe import Histogram

RangeMethod = Literal["min_max", "mse"]

_CLIP_STEPS = np.geomspace(1.0, 0.2, 40)


def choose_range(histogram: Histogram, method: RangeMethod, limit: float | None = None) -> Affine:
    """The affine code of one tensor.

    Args:
        histogram: what the tensor was during calibration.
        method: ``min_max`` covers every value seen; ``mse`` takes the range whose rounding and clipping
            errors together are least over the histogram.
        limit: the tensor cannot exceed this value (ReLU6), so codes beyond are not needed.
    """
    low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)
    if limit is not None:
        high = min(high, limit)
    if method == "min_max":
        return affine_from_range(low, high)
    used = histogram.counts > 0
    values, counts = histogram.centers[used], histogram.counts[used].astype(np.float64)
    best = min(
        (affine_from_range(low * shrink, high * shrink) for shrink in _CLIP_STEPS),
        key=lambda code: _squared_error(code, values, counts),
    )
    return _refine_one_side(best, values, counts, low, high)


def _refine_one_side(start: Affine, values: Array, counts: Array, low: float, high: float) -> Affine:
    """Shrinks either end alone from the best symmetric shrink, or widens it back to what was seen."""
    best, error = start, _squared_error(start, values, counts)
    for end in ("low", "high"):
        for shrink in _CLIP_STEPS:
            ends = (low * shrink, best.high) if end == "low" else (best.low, high * shrink)
            candidate = affine_from_range(*ends)
            found = _squared_error(candidate, values, counts)
            if found < error:
                best, error = candidate, found
    return best


def _squared_error(code: Affine, values: Array, counts: Array) -> float:
    """Summed squared error of the histogram, with uniform rounding noise inside a step."""
    codes = np.rint(values / code.scale) + code.zero_point
    inside = (codes >= 0) & (codes <= U8_MAX)
    clipped = (np.clip(codes, 0, U8_MAX) - code.zero_point) * code.scale
    noise = np.where(inside, code.scale**2 / 12, (values - clipped) ** 2)
    exact = values == 0
    return float((noise * counts * ~exact).sum())
