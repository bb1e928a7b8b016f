"""Per-channel statistics of tensors, in one streaming pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.quantize.tap import Batch, Tap


@dataclass(slots=True)
class ChannelStatistics:
    """What the channels (axis 1) of a tensor did.

    Attributes:
        largest: ``(channels,)`` largest absolute value.
        total: ``(channels,)`` sum.
        squares: ``(channels,)`` sum of squares.
        count: values a channel.
    """

    largest: Array
    total: Array
    squares: Array
    count: int = 0

    def add(self, values: Array) -> None:
        """Adds a ``(batch, channels, ...)`` array."""
        flat = np.moveaxis(values, 1, 0).reshape(values.shape[1], -1)
        self.largest = np.maximum(self.largest, np.abs(flat).max(axis=1))
        self.total += flat.sum(axis=1, dtype=np.float64)
        self.squares += np.einsum("ij,ij->i", flat, flat, dtype=np.float64)
        self.count += flat.shape[1]

    @property
    def mean(self) -> Array:
        """Mean a channel, float64."""
        return self.total / max(self.count, 1)

    @property
    def power(self) -> Array:
        """Mean square a channel, float64."""
        return self.squares / max(self.count, 1)


def channel_statistics(
    model: onnx.ModelProto, tensors: Sequence[str], batches: Iterable[Batch], threads: int = 2
) -> dict[str, ChannelStatistics]:
    """Statistics of the channels of ``tensors`` over ``batches``."""
    found: dict[str, ChannelStatistics] = {}
    for values in Tap(model, tensors, threads).over(batches):
        for name, array in values.items():
            if name not in found:
                zeros = np.zeros(array.shape[1])
                found[name] = ChannelStatistics(zeros.copy(), zeros.copy(), zeros.copy())
            found[name].add(array)
    return found
