"""What turns a head's raw outputs into scores."""

from __future__ import annotations

from typing import Literal

import numpy as np

from edgekit.types import F32


def activate(logits: F32, activation: Literal["softmax", "sigmoid", "none"]) -> F32:
    """Applies a head's activation over the last axis.

    Args:
        logits: ``(..., classes)`` float32.
        activation: ``softmax`` (sums to 1), ``sigmoid`` (each for itself) or ``none``.

    Returns:
        Scores of the same shape, float32.
    """
    if activation == "none":
        return logits
    if activation == "sigmoid":
        with np.errstate(over="ignore"):  # exp of what lies below -88 is inf, and the score 0
            return np.asarray(1.0 / (1.0 + np.exp(-logits)), dtype=np.float32)
    shifted = np.exp(
        logits - logits.max(axis=-1, keepdims=True)
    )  # the largest becomes 0: exp cannot overflow
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), dtype=np.float32)
