"""Outputs of a graph as logits, so that noise and faults add up the same way everywhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.bundle.manifest import DbHead, Head
from edgekit.diagnosis.declared import activation_of
from edgekit.processing.activations import activate
from edgekit.types import F32, Array

LEAST = 1e-30
"""Smallest probability that is told from 0; float32 holds a little less."""

EPSILON = 6e-8
"""The least that float32 tells from 1."""

LARGEST_LOGIT = 4.0
"""Of a map's pixel: beyond it the pixel is decided (2 and 98 %), and how far beyond is noise."""


def rows_of(output: Array) -> F32:
    """``(positions, classes)`` float32; a map has one class."""
    classes = output.shape[-1] if output.ndim in (2, 3) else 1
    return output.reshape(-1, classes).astype(np.float32)


def evidence(output: Array, head: Head) -> F32:
    """Logits of an output, ``(positions, classes)`` float32.

    Where only differences between classes count (softmax, or probabilities), each row has mean 0.

    Args:
        output: what the head reads: scores ``(1, classes)``, ``(1, steps, classes)``, or a map
            ``(1, 1, height, width)`` of probabilities.
        head: its declaration.
    """
    rows = rows_of(output)
    if isinstance(head, DbHead):
        inside = np.clip(rows, LEAST, 1 - EPSILON)
        cut = np.clip(np.log(inside / (1 - inside)), -LARGEST_LOGIT, LARGEST_LOGIT)
        return np.asarray(cut + LARGEST_LOGIT, np.float32)  # background is 0: an empty map has no signal
    activation = activation_of(head)
    if activation == "sigmoid":
        return rows
    if activation == "none":
        if rows.min() < 0:
            return rows
        rows = np.log(np.maximum(rows, LEAST))
    return np.asarray(rows - rows.mean(axis=1, keepdims=True), np.float32)


def scores(output: Array, head: Head) -> F32:
    """What the head makes of an output, ``(positions, classes)`` float32."""
    rows = rows_of(output)
    activation = activation_of(head)
    if activation == "softmax":
        return activate(rows, "softmax")
    return activate(rows, "sigmoid") if activation == "sigmoid" else rows


def noise(reference: Sequence[F32], candidate: Sequence[F32]) -> float:
    """Noise power over signal power; 1 is as bad as no signal.

    Pairs of unequal shape count as all noise.
    """
    signal = sum(float(np.square(a, dtype=np.float64).sum()) for a in reference)
    lost = sum(distance(a, b) for a, b in zip(reference, candidate, strict=True))
    return lost / signal if signal else float(lost > 0)


def distance(reference: F32, candidate: F32) -> float:
    """Sum of squared differences; all of the signal where shapes differ."""
    if reference.shape != candidate.shape:
        return float(np.square(reference, dtype=np.float64).sum())
    return float(np.square(reference - candidate, dtype=np.float64).sum())


def decibel(ratio: float) -> str:
    """Noise power over signal power as signal to noise, e.g. ``23.4 dB``."""
    return f"{-10 * np.log10(max(ratio, 1e-12)):.1f} dB"
