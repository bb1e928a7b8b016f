"""Each layer's own output in the reduced graph: its noise, and that of all before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from edgekit.evaluation.origin import Histogram
from edgekit.statistics.sqnr import Sqnr
from edgekit.types import Array
from edgekit_export.layers.reduced import ReducedLayer
from edgekit_export.quantize.tap import Batch, Tap

TOGETHER = 8
"""Layers whose outputs are held at once: memory stays bounded however deep the network is."""

BINS = 40


@dataclass(slots=True)
class Seen:
    """One layer's output over the samples.

    Attributes:
        noise: in the reduced graph.
        low: smallest value in full precision.
        high: largest value in full precision.
    """

    noise: Sqnr = field(default_factory=Sqnr)
    low: float = np.inf
    high: float = -np.inf

    def add(self, reference: Array, candidate: Array) -> None:
        """Adds one sample."""
        self.noise.add(reference, candidate)
        self.low, self.high = min(self.low, float(reference.min())), max(self.high, float(reference.max()))


def cumulative(
    full: onnx.ModelProto,
    reduced: onnx.ModelProto,
    layers: Sequence[ReducedLayer],
    feeds: Sequence[Batch],
    advance: Callable[..., Any],
) -> dict[str, Seen]:
    """Layer → how its output in ``reduced`` differs from that in ``full``.

    Args:
        full: normalised float graph.
        reduced: the graph that ships; integer kernels run as they do there.
        layers: of both.
        feeds: inputs to measure on.
        advance: called after every few layers.
    """
    found = {layer.name: Seen() for layer in layers}
    for start in range(0, len(layers), TOGETHER):
        group = layers[start : start + TOGETHER]
        for layer, reference, candidate in _both(full, reduced, group, feeds):
            found[layer.name].add(reference, candidate)
        advance()
    return found


def histogram(
    full: onnx.ModelProto,
    reduced: onnx.ModelProto,
    layer: ReducedLayer,
    seen: Seen,
    feeds: Sequence[Batch],
) -> Histogram:
    """Values of one layer's output in equal bins over its range in full precision.

    What the reduced graph has beyond that range is counted in the first and the last bin.
    """
    low, high = (seen.low, seen.high) if seen.high > seen.low else (seen.low - 0.5, seen.high + 0.5)
    edges = np.linspace(low, high, BINS + 1)
    counts = np.zeros((2, BINS), np.int64)
    for _, *both in _both(full, reduced, [layer], feeds):
        for side, array in enumerate(both):
            counts[side] += np.histogram(np.clip(array, low, high), edges)[0]
    reference, candidate = (tuple(side.tolist()) for side in counts)
    return Histogram(layer.name, tuple(edges.tolist()), reference, candidate)


def _both(
    full: onnx.ModelProto, reduced: onnx.ModelProto, layers: Sequence[ReducedLayer], feeds: Sequence[Batch]
) -> Iterator[tuple[ReducedLayer, Array, Array]]:
    """For each feed and layer its output in full precision and reduced, both in real values."""
    ours = Tap(full, [layer.compared for layer in layers])
    theirs = Tap(reduced, [layer.held for layer in layers])
    for feed in feeds:
        reference, candidate = ours(feed), theirs(feed)
        for layer in layers:
            held = candidate[layer.held]
            real = held if layer.coding is None else layer.coding.real(held)
            yield layer, reference[layer.compared], real
