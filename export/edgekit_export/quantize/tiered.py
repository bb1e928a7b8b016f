"""A weight that is stored in few bits and multiplied in 8, with one scale an output: whole numbers times whole numbers.

Products of 8-bit integers with one scale an output are three times as fast as those with a scale a block
(docs/decisions/vision-graphs.md), but 4 bits with one scale an output are too coarse. So each block has a factor, and
what is multiplied is an 8-bit integer, ``round(factor · code / 2^(bits − 1))``: a code of 4 bits stands for eighths of
its block's factor, which is up to 127.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edgekit.types import F32, I8, Array
from edgekit_export.quantize.block_grid import Format, Snap, check_weight, fit_grid

_WHOLE = 8
"""Bits of codes that are multiplied as they are."""

_TOP = 127
_WEIGHTS_AT_ONCE = 1 << 21
_SHRINKS = (1.0, 0.9, 0.8, 0.7, 0.6)
_TINIEST = 1e-20


@dataclass(frozen=True, slots=True, eq=False)
class Tiered:
    """``weight[n, k] = scales[n] · round(factors[n, k // block] · codes[n, k] / 2^(bits − 1))``, halves to even.

    Attributes:
        codes: ``(n, k)`` int8, ``−2^(bits − 1)`` to ``2^(bits − 1) − 1``.
        bits: 3 to 8, width of a code as stored.
        block: inputs that share a factor; divides ``k``.
        factors: ``(n, k / block)`` int8 within ±127; ``None`` for codes of 8 bits, which are taken as they are.
        scales: ``(n,)`` float32 above 0.
    """

    codes: I8
    bits: int
    block: int
    factors: I8 | None
    scales: F32

    def __post_init__(self) -> None:
        n, k = self.codes.shape
        if not 3 <= self.bits <= 8 or k % self.block:
            raise ValueError(
                f"expected 3 to 8 bits and blocks that divide {k} inputs, got {self.bits}, {self.block}"
            )
        if self.scales.shape != (n,) or (self.factors is None) != (self.bits == _WHOLE):
            raise ValueError(f"expected {n} scales, and factors of codes below 8 bits only")
        if self.factors is not None and self.factors.shape != (n, k // self.block):
            raise ValueError(f"factors: expected shape {(n, k // self.block)}, got {self.factors.shape}")
        middle = 1 << (self.bits - 1)
        if self.codes.size and not -middle <= int(self.codes.min()) <= int(self.codes.max()) < middle:
            raise ValueError(f"codes of {self.bits} bits: got {self.codes.min()} to {self.codes.max()}")
        if self.factors is not None and self.factors.min(initial=0) < -_TOP:
            raise ValueError(f"factors: expected −{_TOP} to {_TOP}")

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs and inputs of the matrix."""
        n, k = self.codes.shape
        return n, k

    def integers(self) -> I8:
        """``(n, k)``: what the engine multiplies with."""
        if self.factors is None:
            return self.codes
        products = self.factors.repeat(self.block, axis=1).astype(np.float32) * self.codes
        return np.rint(products / (1 << (self.bits - 1))).astype(np.int8)

    def dequantized(self) -> F32:
        """``(n, k)`` float32."""
        found: F32 = self.integers().astype(np.float32) * self.scales[:, None]
        return found

    @property
    def stored_bytes(self) -> int:
        """Bytes of codes, factors and scales as a bundle stores them, alignment aside."""
        return TieredFormat(self.bits, self.block).stored_bytes(*self.shape)


@dataclass(frozen=True, slots=True)
class TieredFormat:
    """How a matrix is stored.

    Attributes:
        bits: 3 to 8.
        block: inputs that share a factor.
    """

    bits: int
    block: int = 32

    @property
    def grid(self) -> Format:
        """The same as blocks have it whose scales are floats."""
        return Format(self.bits, self.block, symmetric=True)

    def stored_bytes(self, outputs: int, inputs: int) -> int:
        """Bytes of codes, factors and float32 scales; equal to what :class:`Tiered` counts."""
        factors = 0 if self.bits == _WHOLE else outputs * (inputs // self.block)
        return -(-outputs * inputs * self.bits // 8) + factors + 4 * outputs


def snapping(unit: F32, bits: int) -> Snap:
    """Scales of blocks to what a factor makes of an output's own scale; codes of 8 bits have that scale itself.

    Args:
        unit: ``(outputs,)``.
        bits: of a code.
    """
    if bits == _WHOLE:
        return lambda scale: np.broadcast_to(unit, scale.shape)
    step = unit / np.float32(1 << (bits - 1))

    def snap(scale: Array) -> F32:
        factor = np.clip(np.rint(np.abs(scale) / step), 1, _TOP)
        found: F32 = np.copysign(factor * step, scale).astype(np.float32)
        return found

    return snap


def unit_scales(weight: F32, importance: Array, form: TieredFormat) -> F32:
    """``(outputs,)``: the scale of each output with which rounding to nearest loses least, of a few.

    Args:
        weight: ``(outputs, inputs)``.
        importance: ``(inputs,)`` weight of a squared error at each input.
        form: of the matrix.
    """
    blocks = weight.reshape(len(weight), -1, form.block)
    grid, power = form.grid, importance.reshape(-1, form.block).astype(np.float32)
    high, low = blocks.max(axis=2), blocks.min(axis=2)
    reach = np.where(high > -low, -high, -low) / grid.middle  # a code more below zero than above
    largest = np.maximum(np.abs(weight).max(axis=1), _TINIEST).astype(np.float32)
    best, least = largest, np.full(len(weight), np.inf, np.float32)
    for shrink in _SHRINKS:
        unit = largest * np.float32(shrink / _TOP)
        scale = snapping(unit, form.bits)(reach.T).T[..., None]
        rounded = np.clip(np.rint(blocks / scale), -grid.middle, grid.middle - 1) * scale
        error = np.einsum("obk,bk->o", np.square(blocks - rounded), power)
        best, least = np.where(error < least, unit, best), np.minimum(error, least)
    return best


def round_tiered(weight: F32, form: TieredFormat) -> Tiered:
    """Each weight to the nearest value of its block's grid; needs no data.

    Args:
        weight: ``(outputs, inputs)``.
        form: of the matrix.

    Raises:
        DataError: the inputs do not divide by the block; a weight is not a finite number.
    """
    grid = form.grid
    check_weight(weight, grid)
    outputs, inputs = weight.shape
    unit = unit_scales(weight, np.ones(inputs), form)
    scales = np.empty((outputs, inputs // form.block), np.float32)
    codes = np.empty((outputs, inputs), np.int8)
    for rows in _chunks(outputs, inputs):
        flat = np.ascontiguousarray(weight[rows].reshape(-1, form.block).T)
        snap = snapping(unit[rows].repeat(inputs // form.block), form.bits)
        scale, _ = fit_grid(flat, np.ones(form.block), grid, snap)
        found = np.clip(np.rint(flat / scale), -grid.middle, grid.middle - 1)
        codes[rows] = found.T.reshape(-1, inputs)
        scales[rows] = scale.reshape(-1, inputs // form.block)
    return tiered(codes, scales, unit, form)


def tiered(codes: Array, scales: Array, unit: F32, form: TieredFormat) -> Tiered:
    """A matrix in codes, outputs first, whose blocks' scales are :func:`snapping`'s."""
    step = unit[:, None] / np.float32(form.grid.middle)
    factors = None if form.bits == _WHOLE else np.rint(scales / step).astype(np.int8)
    return Tiered(np.ascontiguousarray(codes, np.int8), form.bits, form.block, factors, unit)


def _chunks(outputs: int, inputs: int) -> Iterator[slice]:
    step = max(_WEIGHTS_AT_ONCE // inputs, 1)
    for start in range(0, outputs, step):
        yield slice(start, min(start + step, outputs))
