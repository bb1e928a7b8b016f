"""Weights of recurrent layers (LSTM, GRU, RNN) in fewer bytes: int8 with a scale a gate's row, or float16.

They are expanded to float when the graph runs; the arithmetic stays as it was.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit.types import Array
from edgekit_export.convert.graph import (
    GraphView,
    constant,
    fresh_name,
    set_constants,
    set_nodes,
    tensor_names,
)

RECURRENT = frozenset({"LSTM", "GRU", "RNN"})
_WEIGHTS = (1, 2)  # of the input, of the state


def recurrent(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Recurrent operators whose float weights are constant and read by nothing else, in graph order."""
    view = GraphView(model)
    return [
        node
        for node in model.graph.node
        if node.op_type in RECURRENT
        and all(
            node.input[i] in view.constants
            and view.constants[node.input[i]].data_type == TensorProto.FLOAT
            and view.uses(node.input[i]) == 1
            for i in _WEIGHTS
        )
    ]


def reduce_recurrent(model: onnx.ModelProto, half: Collection[str] = ()) -> dict[str, int]:
    """Rewrites the weights in place; names of the operators' first outputs → bytes that their weights take now.

    Args:
        model: a normalised float graph.
        half: names of those that become float16 instead of int8.
    """
    found, view, taken = recurrent(model), GraphView(model), tensor_names(model)
    gone, added, made, sizes = set(), list[onnx.TensorProto](), list[onnx.NodeProto](), dict[str, int]()
    for node in found:
        for i in _WEIGHTS:
            name = node.input[i]
            weight = view.value(name)
            assert weight is not None
            reduce = _half if node.output[0] in half else _int8
            stored, expand = reduce(name, weight, taken)
            node.input[i] = expand.output[0]
            gone.add(name)
            added += stored
            made.append(expand)
            sizes[node.output[0]] = sizes.get(node.output[0], 0) + sum(len(t.raw_data) for t in stored)
    set_nodes(model.graph, [*made, *model.graph.node])
    set_constants(model.graph, [*(t for t in model.graph.initializer if t.name not in gone), *added])
    return sizes


def _half(name: str, weight: Array, taken: set[str]) -> tuple[list[onnx.TensorProto], onnx.NodeProto]:
    stored = constant(fresh_name(taken, f"{name}.f16"), weight.astype(np.float16))
    return [stored], helper.make_node(
        "Cast", [stored.name], [fresh_name(taken, f"{name}.f32")], to=TensorProto.FLOAT
    )


def _int8(name: str, weight: Array, taken: set[str]) -> tuple[list[onnx.TensorProto], onnx.NodeProto]:
    """``(directions, gates * hidden, inputs)``: directions lie one below the other, since scales have one axis."""
    largest = np.abs(weight).max(axis=(0, 2))
    scale = np.maximum(largest / 127, np.finfo(np.float32).tiny).astype(np.float32)
    codes = np.clip(np.rint(weight / scale[None, :, None]), -127, 127).astype(np.int8)
    stored = constant(fresh_name(taken, f"{name}.q8"), codes)
    scales = constant(fresh_name(taken, f"{name}.scale"), scale)
    target = fresh_name(taken, f"{name}.f32")
    return [stored, scales], helper.make_node(
        "DequantizeLinear", [stored.name, scales.name], [target], axis=1
    )
