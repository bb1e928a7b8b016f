"""The origin of one graph's noise, as a report has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import onnx

from edgekit.evaluation.origin import GraphOrigin, LayerNoise
from edgekit_export.layers.alone import alone_db
from edgekit_export.layers.cumulative import Seen, cumulative, histogram
from edgekit_export.layers.reduced import ReducedLayer, reduced_layers
from edgekit_export.layers.substituted import keeps_tensors, substituted_noise
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.thinned import Thinned

SAMPLES = 8
PIXELS = 2_000_000
"""Of all samples together: a page for a detector is worth many crops for a classifier, and costs as much."""

DIGITS = 2


def graph_origin(
    full: onnx.ModelProto,
    reduced: onnx.ModelProto,
    feeds: Iterable[Batch],
    advance: Callable[..., Any] = lambda: None,
) -> GraphOrigin:
    """Measures every layer that is reduced, alone and cumulatively.

    Args:
        full: the graph in full precision, and
        reduced: in lower precision, as this exporter wrote both.
        feeds: inputs, input name → array; at most ``SAMPLES`` of them are used, taken evenly, and
            fewer where they are large.
        advance: called as work goes on.

    Returns:
        Without stages, which need the framework's own function.

    Raises:
        ModelError: the graphs are not of the same network, or the engine refuses one.
    """
    samples = few(feeds)
    if keeps_tensors(full, reduced):
        return GraphOrigin(len(samples), substituted_noise(full, reduced, samples, advance))
    layers = reduced_layers(full, reduced)
    seen = cumulative(full, reduced, layers, samples, advance)
    alone = alone_db(full, layers, samples, advance)
    noise = tuple(_noise(layer, alone[layer.name], seen[layer.name]) for layer in layers)
    worst = _worst(layers, noise)
    return GraphOrigin(
        samples=len(samples),
        layers=noise,
        worst=None if worst is None else histogram(full, reduced, worst, seen[worst.name], samples),
    )


def few(feeds: Iterable[Batch], count: int = SAMPLES) -> list[Batch]:
    """Evenly taken feeds, at most so many and as ``PIXELS`` allows, at least one if there is any."""
    taken: list[Batch] = []
    pixels = 0
    for feed in Thinned(feeds, count):
        pixels += sum(array.size // array.shape[-1] for array in feed.values())
        if taken and pixels > PIXELS:
            break
        taken.append(feed)
    return taken


def _noise(layer: ReducedLayer, alone: float | None, seen: Seen) -> LayerNoise:
    ratios = _rounded(alone), _rounded(seen.noise.db)
    return LayerNoise(layer.name, layer.node.op_type, layer.mode.value, *ratios)


def _rounded(ratio_db: float | None) -> float | None:
    return None if ratio_db is None else round(ratio_db, DIGITS)


def _worst(layers: Sequence[ReducedLayer], noise: Sequence[LayerNoise]) -> ReducedLayer | None:
    """The layer with the lowest cumulative ratio; the first of equals."""
    measured = [
        (found.cumulative_db, layer)
        for layer, found in zip(layers, noise, strict=True)
        if found.cumulative_db is not None
    ]
    return min(measured, key=lambda pair: pair[0])[1] if measured else None
