"""Which layer of the ONNX graph a layer of the TFLite graph is: both were made of one network, by other converters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.weights import LayerWeights
from edgekit_export.tflite.flatbuffer import Graph
from edgekit_export.tflite.layers import tflite_layers

_CLOSE = 1e-3
"""Of the largest weight: both fold normalisation into weights, in float32 and in another order."""


def match_layers(graph: Graph, known: Mapping[str, LayerWeights]) -> dict[str, str]:
    """TFLite layer → ONNX layer with the same weight. Layers without a counterpart are left out.

    Of several with the same weight the first that is still free is taken: the order is the same on both sides.

    Args:
        graph: the float graph.
        known: ONNX layer → its float parameters, in graph order.
    """
    free, found = dict(known), {}
    for layer in tflite_layers(graph):
        stored = graph.constant(layer.weight)
        assert stored is not None
        weight = layer.to_onnx(stored)
        name = next((name for name, other in free.items() if _same(weight, other.weight)), None)
        if name is not None:
            found[layer.name] = name
            del free[name]
    return found


def _same(weight: Array, other: Array) -> bool:
    """Equal up to rounding; trailing axes of one do not count (a 1 × 1 convolution is a linear layer)."""
    if weight.shape[:2] != other.shape[:2] or weight.size != other.size:
        return False
    largest = float(np.abs(other).max())
    return bool(np.abs(weight.reshape(-1) - other.reshape(-1)).max() <= _CLOSE * largest)
