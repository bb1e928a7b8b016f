"""Lookup tables (embeddings) in fewer bytes: rows as int8 with a scale each, or as float16.

A table is half of a small transformer. Only the rows that are looked up are ever expanded, so this costs no time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, attribute, constant, set_constants, set_nodes
from edgekit_export.quantize.weights import nearest

SMALLEST = 1 << 14
"""Elements below which a constant is an index or a shape, and not worth the operators."""


@dataclass(frozen=True, slots=True)
class Table:
    """A constant whose rows are looked up.

    Attributes:
        name: of its first lookup's output.
        constant: of the table itself.
        shape: rows and columns.
    """

    name: str
    constant: str
    shape: tuple[int, ...]


def tables(model: onnx.ModelProto) -> list[Table]:
    """Float tables of rank 2 that only lookups of rows read, in graph order."""
    view, found = GraphView(model), {}
    for node in model.graph.node:
        name = node.input[0] if node.op_type == "Gather" else ""
        if name in found or name not in view.constants:
            continue
        tensor, users = view.constants[name], view.consumers[name]
        looked_up = all(
            n.op_type == "Gather" and n.input[0] == name and not attribute(n, "axis", 0) for n in users
        )
        large = len(tensor.dims) == 2 and tensor.dims[0] * tensor.dims[1] >= SMALLEST
        if large and looked_up and tensor.data_type == onnx.TensorProto.FLOAT and name not in view.outputs:
            found[name] = Table(node.output[0], name, tuple(tensor.dims))
    return list(found.values())


def reduce_tables(model: onnx.ModelProto, *, half: bool) -> dict[str, int]:
    """Rewrites every table in place; names of tables → bytes that they take now.

    Args:
        model: a graph.
        half: as float16; else as int8 with a scale a row.
    """
    view, sizes = GraphView(model), {}
    stored: dict[str, dict[str, Array]] = {}
    for table in tables(model):
        value = view.value(table.constant)
        assert value is not None
        stored[table.constant] = _halves(value) if half else _codes(value)
        sizes[table.name] = sum(part.nbytes for part in stored[table.constant].values())
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        looked_up = node.op_type == "Gather" and node.input[0] in stored
        nodes += _lookup(node, half=half) if looked_up else [node]
    set_nodes(model.graph, nodes)
    kept = [tensor for tensor in model.graph.initializer if tensor.name not in stored]
    fresh = [constant(f"{name}.{part}", array) for name, of in stored.items() for part, array in of.items()]
    set_constants(model.graph, [*kept, *fresh])
    return sizes


def _halves(value: Array) -> dict[str, Array]:
    return {"h": value.astype(np.float16)}


def _codes(value: Array) -> dict[str, Array]:
    made = nearest(value.astype(np.float64))
    return {"q": made.codes.astype(np.int8), "s": made.scale.reshape(-1, 1)}


def _lookup(node: onnx.NodeProto, *, half: bool) -> list[onnx.NodeProto]:
    (name, rows), output = node.input, node.output[0]
    if half:
        cast = helper.make_node("Cast", [f"{output}.h"], [output], to=onnx.TensorProto.FLOAT)
        return [helper.make_node("Gather", [f"{name}.h", rows], [f"{output}.h"]), cast]
    return [
        helper.make_node("Gather", [f"{name}.q", rows], [f"{output}.q"]),
        helper.make_node("Cast", [f"{output}.q"], [f"{output}.f"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}.s", rows], [f"{output}.s"]),
        helper.make_node("Mul", [f"{output}.f", f"{output}.s"], [output]),
    ]
