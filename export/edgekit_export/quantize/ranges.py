"""From the values a tensor took to the range its codes cover."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.integer import U8_MAX, Affine, affine_from_range
from edgekit_export.quantize.observe import Histogram

RangeMethod = Literal["min_max", "mse", "entropy"]
_Loss = Callable[[Affine, Array, Array], float]

_CLIP_STEPS = np.geomspace(1.0, 0.2, 40)


def choose_range(histogram: Histogram, method: RangeMethod, limit: float | None = None) -> Affine:
    """The affine code of one tensor.

    Args:
        histogram: what the tensor was during calibration.
        method: ``min_max`` covers every value seen; ``mse`` takes the range whose rounding and clipping
            errors together are least over the histogram; ``entropy`` the one whose codes are distributed most as
            the values are.
        limit: the tensor cannot exceed this value (ReLU6), so codes beyond are not needed.
    """
    low, high = min(histogram.low, 0.0), max(histogram.high, 0.0)
    if limit is not None:
        high = min(high, limit)
    if method == "min_max":
        return affine_from_range(low, high)
    loss = _squared_error if method == "mse" else _divergence
    seen = histogram.counts if method == "mse" else _without_zeros(histogram.counts)
    used = seen > 0
    values, counts = histogram.centers[used], seen[used].astype(np.float64)
    best = min(
        (affine_from_range(low * shrink, high * shrink) for shrink in _CLIP_STEPS),
        key=lambda code: loss(code, values, counts),
    )
    return _refine_one_side(best, loss, values, counts, low, high)


def _refine_one_side(
    start: Affine, loss: _Loss, values: Array, counts: Array, low: float, high: float
) -> Affine:
    """Shrinks either end alone from the best symmetric shrink, or widens it back to what was seen."""
    best, error = start, loss(start, values, counts)
    for end in ("low", "high"):
        for shrink in _CLIP_STEPS:
            ends = (low * shrink, best.high) if end == "low" else (best.low, high * shrink)
            candidate = affine_from_range(*ends)
            found = loss(candidate, values, counts)
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


def _without_zeros(counts: Array) -> Array:
    """Zeros of a rectifier are exact in any code; in a distribution they would outweigh all else."""
    made, middle = counts.copy(), len(counts) // 2
    made[middle] = min(made[middle], made[middle + 1])
    return made


def _divergence(code: Affine, values: Array, counts: Array) -> float:
    """Kullback-Leibler divergence of the codes' distribution from the values', as TensorRT calibrates.

    After S. Migacz, "8-bit inference with TensorRT", GTC 2017: values beyond the range count for its outermost bins;
    the bins of one code share what it holds evenly, without those.
    """
    codes = np.rint(values / code.scale) + code.zero_point
    inside = (codes >= 0) & (codes <= U8_MAX)
    if not inside.any():
        return float("inf")
    kept, of_code = counts[inside], codes[inside].astype(np.int64)
    shared = (np.bincount(of_code, kept) / np.maximum(np.bincount(of_code), 1))[of_code]
    wanted = kept.copy()
    wanted[0] += counts[codes < 0].sum()
    wanted[-1] += counts[codes > U8_MAX].sum()
    wanted, shared = wanted / wanted.sum(), shared / shared.sum()
    return float((wanted * np.log(wanted / shared)).sum())
