"""Which class of the candidate answers as each of the reference's does."""

from __future__ import annotations

import math

import numpy as np

from edgekit.types import F32, Array

BLOCK = 1024
SUSPICIOUS = 2.0
CLOSED = 0.5
"""Classes that change places do so among themselves: the places taken were left by others that moved."""

SURE = 8.0
"""Log-likelihood beyond that of the luckiest of all pairs of classes."""


def suspicious(reference: F32, candidate: F32) -> bool:
    """Whether it may be worth to ask for more rows: some class is nearer to another one than to its own."""
    own, _, distances = _nearest(reference, candidate)
    return bool((own > SUSPICIOUS * np.maximum(distances, 1e-20)).any())


def class_order(reference: F32, candidate: F32, independent: float = 1.0) -> Array | None:
    """The candidate's class for each of the reference's, where they are clearly in another order.

    Taking noise as Gaussian, class ``j`` fits better than ``i`` by ``n / 2 * ln(D_ii / D_ij)``, ``D`` being the
    squared distance over ``n`` rows; that must pass ``2 ln(classes)``, the luckiest pair, by a margin, in one
    half of the rows, and be confirmed by the other.

    Args:
        reference: logits ``(rows, classes)``.
        candidate: the same of the candidate.
        independent: share of the rows that tell something of their own.

    Returns:
        ``(classes,)`` indices, or ``None`` where no class has another place.
    """
    if reference.shape != candidate.shape or len(reference) < 4:
        return None
    first, second = slice(0, None, 2), slice(1, None, 2)
    classes = reference.shape[1]
    own, nearest, distances = _nearest(reference[first], candidate[first])
    rows = len(reference[first]) * independent
    likelihood = rows / 2 * np.log(np.maximum(own, 1e-20) / np.maximum(distances, 1e-20))
    moved = np.flatnonzero((nearest != np.arange(classes)) & (likelihood > 2 * math.log(classes) + SURE))
    if moved.size:
        a, b = reference[second][:, moved], candidate[second]
        before = np.square(a - b[:, moved]).sum(axis=0)
        after = np.square(a - b[:, nearest[moved]]).sum(axis=0)
        moved = moved[after < before / 2]
    targets = nearest[moved]
    if moved.size < 2 or np.unique(targets).size < 0.9 * moved.size:
        return None
    if np.isin(targets, moved).mean() < CLOSED:
        return None
    order = np.arange(classes)
    order[moved] = targets
    return order


def _nearest(reference: F32, candidate: F32) -> tuple[Array, Array, Array]:
    """Squared distance of each class to the same one, index of the nearest, and the distance to that.

    Each class is taken about its mean: what a fault of the input adds to all rows alike makes no other class.
    """
    reference, candidate = reference - reference.mean(axis=0), candidate - candidate.mean(axis=0)
    norms = np.square(candidate).sum(axis=0)
    own = np.square(reference - candidate).sum(axis=0)
    nearest = np.empty(reference.shape[1], np.intp)
    distances = np.empty(reference.shape[1], np.float32)
    for start in range(0, reference.shape[1], BLOCK):
        part = reference[:, start : start + BLOCK]
        away = norms - 2 * (part.T @ candidate) + np.square(part).sum(axis=0)[:, np.newaxis]
        best = away.argmin(axis=1)
        nearest[start : start + BLOCK] = best
        distances[start : start + BLOCK] = np.square(part - candidate[:, best]).sum(axis=0)
    return own, nearest, distances
