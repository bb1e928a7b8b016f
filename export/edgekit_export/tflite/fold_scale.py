"""Pass: a constant factor a channel in front of a convolution goes into its weight, through a border of zeros.

The converter folds the scale of the picture's normalisation itself, but not where the network pads on its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit.types import Array
from edgekit_export.tflite.flatbuffer import Graph, indices


def fold_scale(graph: Graph) -> None:
    """Folds until nothing more folds; float graphs only."""
    for operator in list(graph.operators):
        if graph.kind(operator) == "MUL" and not operator.builtinOptions.fusedActivationFunction:
            _fold(graph, operator)


def _fold(graph: Graph, mul: Any) -> None:  # noqa: ANN401
    data, factor = _operands(graph, mul)
    reader = _only_reader(graph, int(mul.outputs[0]))
    conv = reader
    if factor is None or reader is None:
        return
    if graph.kind(reader) == "PAD":
        conv = _only_reader(graph, int(reader.outputs[0]))
    if conv is None or graph.kind(conv) != "CONV_2D":
        return
    weight = graph.constant(int(conv.inputs[1]))
    if weight is None or str(weight.dtype) != "float32" or factor.size not in (1, weight.shape[3]):
        return
    scaled = weight.astype(np.float64) * factor.reshape(-1).astype(np.float64)
    graph.set_constant(int(conv.inputs[1]), scaled.astype(np.float32))
    reader.inputs = np.array([data, *reader.inputs[1:]], np.int32)
    graph.remove(mul)


def _operands(graph: Graph, mul: Any) -> tuple[int, Array | None]:  # noqa: ANN401
    """The computed operand, and the constant one where it is one number or one a channel (the last axis)."""
    for data, other in (indices(mul.inputs), indices(mul.inputs)[::-1]):
        factor = graph.constant(other)
        if factor is not None and factor.size == (factor.shape[-1] if factor.ndim else 1):
            return data, factor
    return -1, None


def _only_reader(graph: Graph, tensor: int) -> Any | None:  # noqa: ANN401
    """The one operator that reads a tensor, as its data; ``None`` where there is another use."""
    readers = [op for op in graph.operators if tensor in indices(op.inputs)]
    if len(readers) != 1 or tensor in graph.outputs or int(readers[0].inputs[0]) != tensor:
        return None
    return readers[0]
