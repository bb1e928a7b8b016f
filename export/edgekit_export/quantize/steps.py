"""How far apart the values are that a matrix' weights are rounded to."""

from __future__ import annotations

import numpy as np

from edgekit.types import F32, Array
from edgekit_export.quantize.block_grid import Format


class Steps:
    """``Δ²/12`` of a matrix' blocks in any format: what rounding to nearest makes."""

    def __init__(self, weight: F32) -> None:
        self._weight = weight
        self._ranges: dict[int, tuple[Array, Array]] = {}

    def variance(self, form: Format) -> Array:
        """``(outputs, blocks)`` float64."""
        if form.block not in self._ranges:
            blocks = self._weight.reshape(len(self._weight), -1, form.block)
            self._ranges[form.block] = np.minimum(blocks.min(axis=2), 0), np.maximum(blocks.max(axis=2), 0)
        low, high = self._ranges[form.block]
        step = np.maximum(high, -low) / form.middle if form.symmetric else (high - low) / form.top
        found: Array = np.square(step.astype(np.float64)) / 12
        return found
