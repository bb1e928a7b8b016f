"""Rounding in blocks so that a matrix' output, not its weights, is as near as possible.

GPTQ (Frantar et al. 2022, arXiv 2210.17323, algorithm 1) takes inputs in turn and spreads each one's error over those
still free; a block's grid is found when its turn comes, from what the weights are by then. Blocks that carry most go
first (activation order, by whole blocks, so that a block's inputs stay together). Then, in turns, the scales of all
blocks are set to their joint least squares given the codes, and single codes move while the error falls (coordinate
descent, as in Nair and Suggala 2024, arXiv 2406.17542).

Arrays lie inputs first, ``(inputs, outputs)``; outputs know nothing of each other, so they go in chunks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.types import F32, Array
from edgekit_export.quantize.block_grid import (
    Format,
    Snap,
    blockwise,
    check_weight,
    fit_grid,
    storable,
)
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.round_weights import damped_factor
from edgekit_export.quantize.tiered import Tiered, TieredFormat, snapping, tiered, unit_scales

DAMPING = 0.01
_CHUNK = 4096
"""Outputs at once: a vocabulary's head would be a gigabyte of temporaries."""
_ROUNDS = 1
_RIDGE = 1e-3
"""Share of a block's own power that holds its scale where it is: two blocks that read the same have no one optimum."""


@dataclass(slots=True, eq=False)
class _Part:
    """Some outputs, and what they are rounded to so far; inputs in the order that they are taken in."""

    rows: F32
    codes: F32
    scale: F32
    zero: F32

    @property
    def error(self) -> F32:
        """Weight minus rounded weight."""
        block = len(self.codes) // len(self.scale)
        found: F32 = self.rows - (self.codes - self.zero.repeat(block, 0)) * self.scale.repeat(block, 0)
        return found


def gptq(weight: F32, second: Array, form: Format, damping: float = DAMPING) -> Blockwise:
    """A matrix in codes of blocks.

    Args:
        weight: ``(outputs, inputs)``.
        second: ``(inputs, inputs)`` second moment of what the matrix reads; may lack rank.
        form: bits and block.
        damping: share of the mean variance that is added to every input's.

    Raises:
        DataError: as :func:`~edgekit_export.quantize.block_grid.check_weight`.
    """
    codes, scale, zero = _rounded(weight, second, form, damping, lambda _: storable)
    return blockwise(codes, scale, zero, form)


def gptq_tiered(weight: F32, second: Array, form: TieredFormat, damping: float = DAMPING) -> Tiered:
    """The same in codes whose blocks have whole factors; see :func:`gptq`.

    Args:
        weight: ``(outputs, inputs)``.
        second: ``(groups, inputs / groups, inputs / groups)`` second moments of groups of neighbouring inputs; between
            groups no error is made up for. The moment of 12,288 inputs would take a gigabyte.
        form: bits and block; blocks lie within groups.
        damping: see :func:`gptq`.
    """
    power = np.stack([np.diag(moment) + damping * np.diag(moment).mean() for moment in second])
    unit = unit_scales(weight, power.reshape(-1), form)
    parts = [
        _rounded(
            np.ascontiguousarray(part),
            moment,
            form.grid,
            damping,
            lambda rows: snapping(unit[rows], form.bits),
        )
        for part, moment in zip(np.split(weight, len(second), axis=1), second, strict=True)
    ]
    codes = np.concatenate([part[0] for part in parts], axis=1).astype(np.int16) - form.grid.middle
    return tiered(codes, np.concatenate([part[1] for part in parts], axis=1), unit, form)


def _rounded(
    weight: F32, second: Array, form: Format, damping: float, snap_of: Callable[[slice], Snap]
) -> tuple[Array, F32, F32]:
    """Codes, scales and zero points, outputs first; ``snap_of`` says what scales some outputs may have."""
    check_weight(weight, form)
    outputs, inputs = weight.shape
    order = _order(np.diag(second), form.block)
    damped, factor = damped_factor(second[np.ix_(order, order)][np.newaxis].astype(np.float64), damping)
    moment, spread = damped[0].astype(np.float32), factor[0].astype(np.float32)
    codes = np.empty((outputs, inputs), np.uint8)
    scale = np.empty((outputs, inputs // form.block), np.float32)
    zero = np.empty_like(scale)
    back = order[:: form.block] // form.block
    for start in range(0, outputs, _CHUNK):
        chunk = slice(start, min(start + _CHUNK, outputs))
        snap = snap_of(chunk)
        part = _spread(np.ascontiguousarray(weight[chunk, order].T), spread, form, snap)
        for _ in range(_ROUNDS):
            _refit(part, moment, form, snap)
            _descend(part, moment, form)
        codes[chunk, order] = part.codes.T
        scale[chunk, back], zero[chunk, back] = part.scale.T, part.zero.T
    return codes, scale, zero


def _order(power: Array, block: int) -> Array:
    """Inputs, the blocks of most power first."""
    sums = power.reshape(-1, block).sum(axis=1)
    found: Array = (np.argsort(-sums, kind="stable")[:, None] * block + np.arange(block)).reshape(-1)
    return found


def _spread(rows: F32, factor: F32, form: Format, snap: Snap) -> _Part:
    """Rounds input by input, each error spread over the inputs to come."""
    rest, codes = rows.copy(), np.empty_like(rows)
    inputs, outputs = rows.shape
    scales = np.empty((inputs // form.block, outputs), np.float32)
    zeros = np.empty_like(scales)
    diagonal = np.diag(factor)
    for number, start in enumerate(range(0, inputs, form.block)):
        end = start + form.block
        block = rest[start:end]
        scale, zero = fit_grid(block, 1 / np.square(diagonal[start:end]), form, snap)
        errors = np.empty_like(block)
        for k in range(start, end):
            row = block[k - start]
            codes[k] = np.clip(np.rint(row / scale) + zero, 0, form.top)
            error = (row - (codes[k] - zero) * scale) / diagonal[k]
            block[k - start + 1 :] -= factor[k, k + 1 : end, None] * error
            errors[k - start] = error
        rest[end:] -= factor[start:end, end:].T @ errors
        scales[number], zeros[number] = scale, zero
    return _Part(rows, codes, scales, zeros)


def _refit(part: _Part, moment: F32, form: Format, snap: Snap) -> None:
    """Scales of all blocks to where the error is least given the codes; kept where it falls, stored scales compared."""
    blocks, outputs = part.scale.shape
    steps = part.codes - part.zero.repeat(form.block, 0)
    normal = np.empty((outputs, blocks, blocks), np.float32)
    for number in range(blocks):
        rows = slice(number * form.block, (number + 1) * form.block)
        product = (moment[:, rows] @ steps[rows]) * steps
        normal[:, :, number] = product.reshape(blocks, form.block, outputs).sum(axis=1).T
    error = part.error
    slope = ((moment @ error) * steps).reshape(blocks, form.block, outputs).sum(axis=1).T
    own = np.einsum("obb->ob", normal)
    own += _RIDGE * own + 1e-12 * np.maximum(own.max(axis=1, keepdims=True), 1e-30)
    change = np.linalg.solve(normal, slope[..., None])[..., 0].T
    wanted = part.scale + change
    scale = np.where(wanted * part.scale > 0, snap(wanted), part.scale)  # a scale keeps its sign
    moved = _Part(part.rows, part.codes, scale, part.zero)
    better = _error(moved.error, moment) < _error(error, moment)
    part.scale = np.where(better, scale, part.scale)


def _descend(part: _Part, moment: F32, form: Format) -> None:
    """Moves single codes to where the error is least, given all others."""
    slope = moment @ part.error
    power = np.diag(moment)
    for number, start in enumerate(range(0, len(part.rows), form.block)):
        end = start + form.block
        scale, before = part.scale[number], part.codes[start:end].copy()
        local = slope[start:end].copy()
        for k in range(start, end):
            step = np.clip(part.codes[k] + np.rint(local[k - start] / (power[k] * scale)), 0, form.top)
            step -= part.codes[k]
            part.codes[k] += step
            local -= moment[start:end, k, None] * (step * scale)
        slope -= moment[:, start:end] @ ((part.codes[start:end] - before) * scale)


def _error(error: F32, moment: F32) -> F32:
    """``eᵀ C e`` of every output."""
    found: F32 = ((moment @ error) * error).sum(axis=0)
    return found
