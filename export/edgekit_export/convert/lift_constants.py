"""Pass: Constant nodes become initialisers, equal initialisers become one, unused ones go."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit.errors import ModelError
from edgekit_export.convert.graph import (
    GraphView,
    attribute,
    constant,
    remove_nodes,
    replace_input,
    set_constants,
)

_MERGE_LIMIT_BYTES = 64
"""Only small constants are merged: shapes, scalars and clip bounds, which exporters repeat."""

# Vectors that belong to a layer (its zero points above all) must stay its own: with session.x64quantprecision
# onnxruntime 1.31 rewrites each weight's zero points in place and fails on a shared one.


def lift_constants(model: onnx.ModelProto) -> None:
    """Turns every Constant node into an initialiser of the same name.

    Raises:
        ModelError: a constant is sparse or text.
    """
    nodes = [node for node in model.graph.node if node.op_type == "Constant"]
    model.graph.initializer.extend(constant(node.output[0], _constant_value(node)) for node in nodes)
    remove_nodes(model.graph, nodes)
    _drop_initialisers_from_inputs(model)


def merge_constants(model: onnx.ModelProto, *, scalars_only: bool = False) -> None:
    """Makes equal small initialisers one, and drops those that nothing reads."""
    view = GraphView(model)
    first: dict[tuple[int, tuple[int, ...], bytes], str] = {}
    kept = []
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        key = (tensor.data_type, tuple(tensor.dims), array.tobytes())
        small = array.ndim == 0 if scalars_only else array.nbytes <= _MERGE_LIMIT_BYTES
        same = first.get(key) if small else None
        if same is not None and tensor.name not in view.outputs:
            replace_input(view.consumers.get(tensor.name, []), tensor.name, same)
        elif view.uses(tensor.name):
            kept.append(tensor)
            first.setdefault(key, tensor.name)
    set_constants(model.graph, kept)


def _constant_value(node: onnx.NodeProto) -> np.ndarray:
    tensor = attribute(node, "value")
    if tensor is not None:
        return numpy_helper.to_array(tensor)
    for name, dtype in (("value_float", np.float32), ("value_floats", np.float32), ("value_int", np.int64)):
        found = attribute(node, name)
        if found is not None:
            return np.asarray(found, dtype)
    integers = attribute(node, "value_ints")
    if integers is None:
        kind = node.attribute[0].name if node.attribute else "nothing"
        raise ModelError(f"constant {node.output[0]!r}: expected a dense tensor or numbers, got {kind}")
    return np.asarray(integers, np.int64)


def _drop_initialisers_from_inputs(model: onnx.ModelProto) -> None:
    """Old exporters list weights as inputs too, which would let a caller overwrite them."""
    names = {tensor.name for tensor in model.graph.initializer}
    kept = [value for value in model.graph.input if value.name not in names]
    copies = []
    for value in kept:
        made = onnx.ValueInfoProto()
        made.CopyFrom(value)
        copies.append(made)
    del model.graph.input[:]
    model.graph.input.extend(copies)
