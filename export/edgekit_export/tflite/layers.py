"""Layers of a TFLite graph: products with a constant weight, laid out as the ONNX quantiser has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from edgekit.types import Array
from edgekit_export.tflite.flatbuffer import Graph

_TO_ONNX = {
    "CONV_2D": (0, 3, 1, 2),  # (outputs, height, width, inputs)
    "DEPTHWISE_CONV_2D": (3, 0, 1, 2),  # (1, height, width, outputs)
    "FULLY_CONNECTED": (0, 1),
}
"""Operator → axes of its weight in ONNX's order: output channels first, then inputs, then height and width."""


@dataclass(frozen=True, slots=True)
class TfliteLayer:
    """One layer.

    Attributes:
        name: of its output tensor, by which the quantiser knows it.
        kind: its operator.
        weight: tensor of its weight, as it is stored.
        bias: tensor of its bias, likewise; −1 without one.
        source: tensor that it reads.
    """

    name: str
    kind: str
    weight: int
    bias: int
    source: int

    def to_onnx(self, stored: Array) -> Array:
        """A weight as ONNX has it: ``(outputs, inputs / groups, …)``."""
        return np.ascontiguousarray(stored.transpose(_TO_ONNX[self.kind]))

    def from_onnx(self, weight: Array) -> Array:
        """The inverse of :meth:`to_onnx`."""
        return np.ascontiguousarray(weight.transpose(np.argsort(_TO_ONNX[self.kind])))


def tflite_layers(graph: Graph) -> Iterator[TfliteLayer]:
    """All layers with a weight of floats or int8, in graph order."""
    for operator in graph.operators:
        kind = graph.kind(operator)
        if kind not in _TO_ONNX:
            continue
        source, weight, *rest = (int(i) for i in operator.inputs)
        weight = _stored(graph, weight)
        stored = graph.constant(weight)
        if stored is not None and str(stored.dtype) in ("float32", "float16", "int8"):
            bias = _stored(graph, rest[0]) if rest else -1
            yield TfliteLayer(graph.name(int(operator.outputs[0])), kind, weight, bias, source)


def is_matrix(graph: Graph, operator: Any) -> bool:  # noqa: ANN401
    """Whether a layer multiplies every position by one matrix: its output differs in the number of channels only."""
    source, weight, output = (graph.shape(int(i)) for i in (*operator.inputs[:2], operator.outputs[0]))
    kind = graph.kind(operator)
    if kind == "CONV_2D" and (prod(weight[1:3]) != 1 or graph.strides(operator) != (1, 1)):
        return False
    return kind != "DEPTHWISE_CONV_2D" and source == (*output[:-1], weight[-1])


def _stored(graph: Graph, tensor: int) -> int:
    """The constant behind a tensor that is expanded when the graph runs; else the tensor itself."""
    if tensor < 0:
        return tensor
    maker = graph.producer(tensor)
    return int(maker.inputs[0]) if maker is not None and graph.kind(maker) == "DEQUANTIZE" else tensor
