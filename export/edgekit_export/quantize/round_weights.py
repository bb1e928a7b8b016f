"""Rounding weights so that the layer's output, not the weight, is as near as possible.

Nearest rounding treats each weight alone. Knowing the covariance ``C`` of what the layer reads, the error of one
weight can be made up for by the others: GPTQ (Frantar et al. 2022, arXiv 2210.17323, algorithm 1) rounds the
columns in turn and spreads each error over those still free. Coordinate descent then moves single codes while
``E C Eᵀ`` falls (as in Nair and Suggala 2024,
arXiv 2406.17542). Several scales a channel are tried; the best one stays.
"""

from __future__ import annotations

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.integer import S8_MAX
from edgekit_export.quantize.weights import Codes, usable_scale

DAMPING = 0.01
_SHRINKS = (1.0, 0.9)
_MOST_DAMPING = 1e12
_SWEEPS = 2
_BLOCK = 64


def round_to_output(
    weight: Array,
    covariance: Array,
    finest: Array | float = 0.0,
    limit: int = S8_MAX,
    damping: float = DAMPING,
) -> Codes:
    """Integer codes of a layer's weight.

    Args:
        weight: ``(outputs, inputs / groups, ...)`` float64.
        covariance: ``(groups, inputs, inputs)`` of what an output position reads, in the weight's order.
        finest: no channel's scale is below this.
        limit: largest code.
        damping: share of the mean variance that is added to every input's: the more, the less the weights are
            fitted to the samples that the covariance was taken of.
    """
    groups = len(covariance)
    rows = np.ascontiguousarray(weight.reshape(groups, len(weight) // groups, -1).transpose(0, 2, 1))
    damped, factor = damped_factor(covariance, damping)
    largest = np.abs(rows).max(axis=1)
    floor = np.broadcast_to(np.asarray(finest, np.float64), (len(weight),)).reshape(largest.shape)
    best_error = np.full(largest.shape, np.inf)
    best_codes, best_scale = np.zeros_like(rows), np.ones_like(largest)
    for shrink in _SHRINKS:
        scale = usable_scale(largest * shrink / limit, floor).astype(np.float64)
        codes = _descend(rows, _spread(rows, factor, scale, limit), damped, scale, limit)
        error = _error(rows - codes * scale[:, None, :], damped)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        best_codes = np.where(better[:, None, :], codes, best_codes)
        best_scale = np.where(better, scale, best_scale)
    return Codes(
        best_codes.transpose(0, 2, 1).reshape(weight.shape), best_scale.reshape(-1).astype(np.float32)
    )


def damped_factor(covariance: Array, share: float) -> tuple[Array, Array]:
    """The covariance with a diagonal, and the upper triangular ``U`` with ``Uᵀ U`` its inverse, by group.

    Differences of large means leave small negative variances where there are few samples: more is added then.
    """
    while True:
        damped = _damp(covariance, share)
        try:
            return damped, _inverse_factor(damped)
        except np.linalg.LinAlgError:
            if share > _MOST_DAMPING:
                raise
            share *= 10


def _damp(covariance: Array, share: float) -> Array:
    """Adds a share of the mean variance to the diagonal: directions never seen in calibration still count."""
    size = covariance.shape[1]
    mean = np.trace(covariance, axis1=1, axis2=2) / size
    mean = np.where(mean > 0, mean, 1.0)
    return covariance + (share * mean)[:, None, None] * np.eye(size)


def _inverse_factor(damped: Array) -> Array:
    """Upper triangular ``U`` with ``Uᵀ U`` the inverse of the damped covariance, by group."""
    inverse = np.linalg.inv(damped)
    return np.linalg.cholesky((inverse + inverse.transpose(0, 2, 1)) / 2).transpose(0, 2, 1)


def _spread(rows: Array, factor: Array, scale: Array, limit: int) -> Array:
    """Rounds input by input, each error spread over the inputs to come; ``rows`` is ``(groups, inputs, outputs)``.

    Inputs go in blocks, so that most of the spreading is matrix products.
    """
    rest, codes = rows.copy(), np.empty_like(rows)
    size = rows.shape[1]
    for start in range(0, size, _BLOCK):
        end = min(start + _BLOCK, size)
        block = rest[:, start:end]
        errors = np.empty_like(block)
        for k in range(start, end):
            row = block[:, k - start]
            codes[:, k] = np.clip(np.rint(row / scale), -limit, limit)
            error = (row - codes[:, k] * scale) / factor[:, k, k][:, None]
            block[:, k - start + 1 :] -= factor[:, k, k + 1 : end, None] * error[:, None, :]
            errors[:, k - start] = error
        rest[:, end:] -= np.matmul(factor[:, start:end, end:].transpose(0, 2, 1), errors)
    return codes


def _descend(rows: Array, codes: Array, damped: Array, scale: Array, limit: int) -> Array:
    """Moves single codes to where the error is least, given all others."""
    slope = np.matmul(damped, rows - codes * scale[:, None, :])
    size = rows.shape[1]
    for _ in range(_SWEEPS):
        for start in range(0, size, _BLOCK):
            end = min(start + _BLOCK, size)
            before = codes[:, start:end].copy()
            local = slope[:, start:end].copy()
            for k in range(start, end):
                step = np.rint(local[:, k - start] / (damped[:, k, k][:, None] * scale))
                step = np.clip(codes[:, k] + step, -limit, limit) - codes[:, k]
                if step.any():
                    codes[:, k] += step
                    local -= damped[:, start:end, k, None] * (step * scale)[:, None, :]
            moved = (codes[:, start:end] - before) * scale[:, None, :]
            if moved.any():
                slope -= np.matmul(damped[:, :, start:end], moved)
    return codes


def _error(error: Array, damped: Array) -> Array:
    """``eᵀ C e`` an output channel, ``(groups, outputs / groups)``."""
    squared: Array = np.einsum("gko,gko->go", np.matmul(damped, error), error)
    return squared
