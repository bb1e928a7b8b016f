"""Grids of blocks: the scale and the whole-number zero point that a block of weights is rounded with.

Arrays here lie inputs first, ``(inputs, outputs)``: the inputs of a block are then a few rows, and all outputs' grids
are found at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.errors import DataError
from edgekit.types import F32, Array
from edgekit_export.quantize.blockwise import Blockwise, zero_bytes

_SHRINK = {2: 0.5, 3: 0.4, 4: 0.3, 5: 0.18, 6: 0.1, 7: 0.05, 8: 0.03}
"""How far the range of a block is drawn in at the most: the fewer the codes, the more an outlier is worth clipping."""

_TRIALS = 8
_CHUNK = 1 << 16
"""Blocks that are fitted at once: 8 MB an array, not the embedding's 100."""

_TINIEST, _LARGEST = float(np.finfo(np.float16).smallest_subnormal), float(np.finfo(np.float16).max)


@dataclass(frozen=True, slots=True)
class Format:
    """How a matrix is stored.

    Attributes:
        bits: 2 to 8.
        block: inputs that share a scale: 16, 32, 64 or 128.
        symmetric: one zero point for all, the middle code; else one a block.
    """

    bits: int
    block: int
    symmetric: bool = False

    @property
    def middle(self) -> int:
        """Zero point of a symmetric grid."""
        return 1 << (self.bits - 1)

    @property
    def top(self) -> int:
        """Largest code."""
        return (1 << self.bits) - 1

    def stored_bytes(self, outputs: int, inputs: int) -> int:
        """Bytes of codes, zero points and float16 scales; equal to what :class:`Blockwise` counts."""
        blocks = inputs // self.block
        zeros = 0 if self.symmetric else zero_bytes(outputs, blocks, self.bits)
        return -(-outputs * inputs * self.bits // 8) + zeros + 2 * outputs * blocks


Snap = Callable[[Array], F32]
"""Scales, outputs last → the nearest ones that a file can hold, none 0."""


def storable(scale: Array) -> F32:
    """Scales as float16 holds them, as float32: none 0, none infinite."""
    size = np.clip(np.abs(scale), _TINIEST, _LARGEST)
    found: F32 = np.where(scale < 0, -size, size).astype(np.float16).astype(np.float32)
    return found


def fit_grid(values: Array, importance: Array, form: Format, snap: Snap = storable) -> tuple[F32, F32]:
    """Scales and zero points of one block, for every output: the least weighted squared error of several ranges.

    Each range that is tried is drawn in further; after rounding, the scale is set to the least-squares one.

    Args:
        values: ``(block, outputs)`` float32.
        importance: ``(block,)`` weight of a squared error at each input, 0 or more.
        form: of the matrix.
        snap: what scales may be.

    Returns:
        ``(outputs,)`` scales, never 0, and ``(outputs,)`` whole zero points as float32.
    """
    weight = importance.astype(np.float32)[:, None]
    low = np.minimum(values.min(axis=0), 0)
    high = np.maximum(values.max(axis=0), 0)
    best: tuple[F32, F32] | None = None
    least = np.full(values.shape[1], np.inf, np.float32)
    for shrink in 1 - _SHRINK[form.bits] * np.arange(_TRIALS, dtype=np.float32) / (_TRIALS - 1):
        scale, zero = _range(low * shrink, high * shrink, form, snap)
        codes = np.clip(np.rint(values / scale) + zero, 0, form.top) - zero
        power = (weight * codes * codes).sum(axis=0)
        fitted = (weight * codes * values).sum(axis=0) / np.where(power > 0, power, 1)
        scale = snap(np.where(power > 0, fitted, scale))
        codes = np.clip(np.rint(values / scale) + zero, 0, form.top) - zero
        error = (weight * np.square(values - codes * scale)).sum(axis=0)
        better = error < least
        least = np.where(better, error, least)
        best = (
            (scale, zero)
            if best is None
            else (np.where(better, scale, best[0]), np.where(better, zero, best[1]))
        )
    assert best is not None
    return best


def _range(low: Array, high: Array, form: Format, snap: Snap) -> tuple[F32, F32]:
    """Scale and zero point that reach from low to high.

    A symmetric grid has one code more below zero than above: its scale takes the sign that gives this code to the
    larger end (as llama.cpp's Q4_0 does).
    """
    if form.symmetric:
        extreme = np.where(high > -low, high, low)
        return snap(extreme / -np.float32(form.middle)), np.full_like(low, form.middle)
    scale = snap((high - low) / form.top)
    return scale, np.clip(np.rint(-low / scale), 0, form.top).astype(np.float32)


def round_nearest(weight: F32, form: Format) -> Blockwise:
    """Each weight to the nearest value of its block's grid; needs no data.

    Args:
        weight: ``(outputs, inputs)``.
        form: of the matrix.

    Raises:
        DataError: as :func:`check_weight`.
    """
    check_weight(weight, form)
    outputs, inputs = weight.shape
    flat = np.ascontiguousarray(weight.reshape(-1, form.block).T)
    scale, zero = np.empty(flat.shape[1], np.float32), np.empty(flat.shape[1], np.float32)
    codes = np.empty(flat.shape, np.uint8)
    for start in range(0, flat.shape[1], _CHUNK):
        part = slice(start, start + _CHUNK)
        scale[part], zero[part] = fit_grid(flat[:, part], np.ones(form.block), form)
        codes[:, part] = np.clip(np.rint(flat[:, part] / scale[part]) + zero[part], 0, form.top)
    grid = (outputs, inputs // form.block)
    return blockwise(codes.T.reshape(outputs, inputs), scale.reshape(grid), zero.reshape(grid), form)


def blockwise(codes: Array, scale: Array, zero: Array, form: Format) -> Blockwise:
    """A matrix in codes, outputs first."""
    return Blockwise(
        np.ascontiguousarray(codes, np.uint8),
        form.bits,
        form.block,
        np.ascontiguousarray(scale, np.float16),
        form.middle if form.symmetric else np.ascontiguousarray(zero, np.uint8),
    )


def check_weight(weight: F32, form: Format) -> None:
    """What no grid can hold.

    Raises:
        DataError: the inputs do not divide by the block; a weight is not a finite number.
    """
    if weight.ndim != 2 or weight.shape[1] % form.block:
        raise DataError(
            f"weight: expected (outputs, inputs) with inputs a multiple of the block of {form.block}, "
            f"got shape {weight.shape}",
            "choose a block that divides the inputs",
        )
    if not np.isfinite(weight).all():
        raise DataError(
            "weight: expected finite numbers, got NaN or infinity", "check the checkpoint's tensors"
        )
