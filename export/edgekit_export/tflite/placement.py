"""Which operators of a TFLite graph compute in int8, following the modes of the ONNX graph's layers.

An operator beside the layers computes in int8 where all it reads is int8 already and something that it feeds computes
in int8: the rule of :mod:`edgekit_export.quantize.placement`. What an output's linear layer needs stays in float: there
it costs nothing, and scores in 256 steps would make ties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from edgekit_export.quantize.placement import WEIGHT_BITS, Mode
from edgekit_export.tflite.flatbuffer import Graph, indices
from edgekit_export.tflite.layers import tflite_layers

POINTWISE = frozenset({"ADD", "MUL", "CONCATENATION", "AVERAGE_POOL_2D", "MEAN", "RELU", "RELU6"})
MOVES = frozenset({"MAX_POOL_2D", "PAD", "RESHAPE", "SQUEEZE", "TRANSPOSE", "RESIZE_NEAREST_NEIGHBOR"})


class Kind(StrEnum):
    """How an operator computes; values as ai-edge-quantizer's recipes are named."""

    STATIC = "static_wi8_ai8"
    WEIGHT_ONLY = "weight_only_wi8_afp32"
    DYNAMIC = "dynamic_wi8_afp32"
    PACKED = "weight_only_packed_afp32"
    HALF = "weight_only_wfp16"
    FLOAT = "float"


_FROM_MODE = {
    Mode.INT8: Kind.STATIC,
    Mode.DYNAMIC: Kind.DYNAMIC,
    Mode.WIDE: Kind.FLOAT,
    Mode.HALF: Kind.HALF,
    Mode.FLOAT: Kind.FLOAT,
}
"""TFLite has no exact wide layers; float32 is no less precise, and they are few and small."""

_SMALLEST_BYTE = 7
"""From so many bits on a code takes a byte: there is no type of one bit, and int8 is a constant to the engine."""


def kind_of(mode: Mode, *, matrix: bool) -> Kind:
    """What a layer of a mode becomes.

    Args:
        mode: of the layer in the ONNX graph.
        matrix: whether its weight may be computed, see :func:`edgekit_export.tflite.layers.is_matrix`; another
            layer's codes of up to eight bits are stored as int8.
    """
    bits = WEIGHT_BITS.get(mode)
    if bits is None:
        return _FROM_MODE[mode]
    byte = bits <= 8 and (bits >= _SMALLEST_BYTE or not matrix)
    return Kind.WEIGHT_ONLY if byte else Kind.PACKED


@dataclass(frozen=True, slots=True)
class TflitePlacement:
    """How operators compute.

    Attributes:
        kinds: operator, known by its first output → kind; operators that are not named compute in float.
        coded: tensors that need a range: all that operators of kind static read and give, but constants.
    """

    kinds: dict[str, Kind]
    coded: list[int] = field(default_factory=list)


def place_tflite(graph: Graph, layers: Mapping[str, Kind], default: Kind) -> TflitePlacement:
    """Places kinds.

    Args:
        graph: in float.
        layers: layer → kind, for those that are known.
        default: kind of the other layers.
    """
    kinds = {layer.name: layers.get(layer.name, default) for layer in tflite_layers(graph)}
    for name in _last_linear(graph):
        if kinds[name] is Kind.STATIC:
            kinds[name] = Kind.WEIGHT_ONLY
    static = [op for op in graph.operators if kinds.get(_name(graph, op)) is Kind.STATIC]
    static += _between(graph, static)
    kinds.update((_name(graph, op), Kind.STATIC) for op in static)
    tensors = dict.fromkeys(i for op in static for i in (*indices(op.inputs), *indices(op.outputs)))
    return TflitePlacement(
        kinds, [i for i in tensors if graph.dtype(i) == "float32" and graph.constant(i) is None]
    )


def _name(graph: Graph, operator: Any) -> str:  # noqa: ANN401
    return graph.name(int(operator.outputs[0]))


def _last_linear(graph: Graph) -> list[str]:
    """Linear layers that give an output of the graph."""
    outputs = set(graph.outputs)
    operators = [op for op in graph.operators if graph.kind(op) == "FULLY_CONNECTED"]
    layers = {layer.name for layer in tflite_layers(graph)}
    return [n for op in operators if int(op.outputs[0]) in outputs and (n := _name(graph, op)) in layers]


def _between(graph: Graph, layers: list[Any]) -> list[Any]:
    """The largest set of pointwise operators and moves that read int8 only, and feed some."""
    chosen = [op for op in graph.operators if graph.kind(op) in POINTWISE | MOVES]
    while True:
        static = [*layers, *chosen]
        made = {i for op in static for i in indices(op.outputs)}
        read = {i for op in static for i in indices(op.inputs)}
        kept = [op for op in chosen if _reads(graph, op) <= made and set(indices(op.outputs)) & read]
        if len(kept) == len(chosen):
            return kept
        chosen = kept


def _reads(graph: Graph, operator: Any) -> set[int]:  # noqa: ANN401
    """Tensors that it reads, but constants."""
    return {i for i in indices(operator.inputs) if graph.constant(i) is None}
