"""Calibration: what values a tensor takes, in one streaming pass of constant memory.

A histogram grows by doubling its range (merging pairs of bins), so one pass gives the true minimum and maximum
and a histogram of the same data, however many samples there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import onnx

from edgekit.errors import DataError
from edgekit.types import Array
from edgekit_export.quantize.tap import Batch, Tap

BINS = 4096


class Histogram:
    """Counts of values in equal bins over ``[-span, span]``, where ``span`` doubles when a value lies beyond.

    Attributes:
        low: smallest value seen.
        high: largest value seen.
        counts: ``(BINS,)`` int64.
        span: half the width of all bins together.
    """

    def __init__(self) -> None:
        self.low, self.high = np.inf, -np.inf
        self.counts = np.zeros(BINS, np.int64)
        self.span = 2.0**-20

    def add(self, values: Array) -> None:
        """Counts every element of ``values``."""
        flat = np.asarray(values, np.float32).reshape(-1)
        if flat.size == 0:
            return
        low, high = float(flat.min()), float(flat.max())
        if not np.isfinite(low) or not np.isfinite(high):
            raise DataError("calibration: the model gives values that are not finite")
        self.low, self.high = min(self.low, low), max(self.high, high)
        while self.span < max(-low, high):
            self._double()
        index = ((flat + np.float32(self.span)) * np.float32(BINS / (2 * self.span))).astype(np.int32)
        self.counts += np.bincount(np.minimum(index, BINS - 1), minlength=BINS)

    def _double(self) -> None:
        merged = self.counts.reshape(-1, 2).sum(axis=1)
        self.counts[:] = 0
        self.counts[BINS // 4 : BINS // 4 + BINS // 2] = merged
        self.span *= 2

    @property
    def centers(self) -> Array:
        """Middle value of each bin, ``(BINS,)`` float64."""
        return (np.arange(BINS) + 0.5) * (2 * self.span / BINS) - self.span


def observe(
    model: onnx.ModelProto, tensors: Sequence[str], batches: Iterable[Batch], threads: int = 2
) -> dict[str, Histogram]:
    """Histograms of ``tensors`` of the float graph over ``batches``.

    Raises:
        DataError: there is no batch, or a value is not finite.
    """
    found = {name: Histogram() for name in tensors}
    empty = True
    for values in Tap(model, tensors, threads).over(batches):
        empty = False
        for name, array in values.items():
            found[name].add(array)
    if empty:
        raise DataError("calibration: expected at least one sample, got none", "name a folder of pictures")
    return found
