"""Golden vectors: what one picture must give on every device, probed so that it stays small.

The exporter records them, ``selftest`` compares. Both go through the functions here, so that a probe means the
same on both sides.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np

from edgekit.tasks.trace import Call
from edgekit.types import Array, Classification, Detections, Generation, Result, TextRegions

PROBE_VALUES = 1024
DETECTOR_ROLES = frozenset(
    {"detect"}
)  # their outputs are maps of independent pixels: no best class a position


def probe(output: Array, values: int = PROBE_VALUES) -> Array:
    """Values of an output at evenly spread flat indices.

    Args:
        output: any shape.
        values: how many at the most.

    Returns:
        ``(n,)`` of the same dtype, ``output.reshape(-1)[floor(i * size / n)]``.
    """
    flat = np.ascontiguousarray(output).reshape(-1)
    n = min(values, flat.size)
    return flat[np.arange(n) * flat.size // max(n, 1)]


def digest(output: Array) -> str:
    """SHA-256 of an array's bytes in C order, little endian."""
    return hashlib.sha256(
        np.ascontiguousarray(output).astype(output.dtype.newbyteorder("<")).tobytes()
    ).hexdigest()


def decision(result: Result) -> str:
    """A result in short: the index of the best class, the text, or the objects; empty where nothing is decided."""
    if isinstance(result, Classification):
        return str(result.top(1)[0].index)
    if isinstance(result, Detections):
        return " ".join(sorted(result.label))
    return result.text if isinstance(result, TextRegions | Generation) else ""


def margin(calls: Sequence[Call]) -> float | None:
    """Smallest distance between the best and the second-best class over all positions of all outputs.

    Outputs of detectors, and outputs with fewer than two classes, decide nothing here and are left out.

    Returns:
        The distance in units of the graphs' outputs, or None where nothing is decided.
    """
    smallest = math.inf
    for call in calls:
        if call.role in DETECTOR_ROLES:
            continue
        for output in call.outputs:
            if output.ndim and output.shape[-1] >= 2 and output.size:
                best = np.partition(output.astype(np.float64), -2, axis=-1)[..., -2:]
                smallest = min(smallest, float((best[..., 1] - best[..., 0]).min()))
    return smallest if math.isfinite(smallest) else None
