"""Shapes: inferring them, reading them, fixing the batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import shape_inference

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.convert.fold_input import Dimension
from edgekit_export.convert.graph import GraphView, attribute, constant, remove_nodes

Shape = tuple[Dimension, ...]


def infer_shapes(model: onnx.ModelProto) -> None:
    """Fills ``value_info`` for every tensor whose shape follows, dropping what was there."""
    del model.graph.value_info[:]
    for output in model.graph.output:
        if output.type.tensor_type.HasField("shape"):
            output.type.tensor_type.ClearField("shape")
    inferred = shape_inference.infer_shapes(model, data_prop=True)
    model.graph.value_info.extend(inferred.graph.value_info)
    by_name = {v.name: v for v in inferred.graph.output}
    for output in model.graph.output:
        output.CopyFrom(by_name[output.name])


def read_shapes(model: onnx.ModelProto) -> dict[str, Shape]:
    """Tensor name → shape; a dynamic dimension is its name, or None. Tensors of unknown rank are absent."""
    found: dict[str, Shape] = {t.name: tuple(t.dims) for t in model.graph.initializer}
    for value in [*model.graph.input, *model.graph.value_info, *model.graph.output]:
        tensor = value.type.tensor_type
        if tensor.HasField("shape"):
            found[value.name] = tuple(_dimension(d) for d in tensor.shape.dim)
    return found


def fold_shapes(model: onnx.ModelProto) -> None:
    """Shape and Size of a tensor whose sides are all known become constants; shapes must have been inferred."""
    view, shapes, gone = GraphView(model), read_shapes(model), []
    for node in model.graph.node:
        known = shapes.get(node.input[0]) if node.op_type in ("Shape", "Size") else None
        if (
            known is None
            or node.output[0] in view.outputs
            or not all(isinstance(side, int) for side in known)
        ):
            continue
        model.graph.initializer.append(constant(node.output[0], _asked(node, np.array(known, np.int64))))
        gone.append(node)
    remove_nodes(model.graph, gone)


def _asked(node: onnx.NodeProto, sides: Array) -> Array:
    if node.op_type == "Size":
        return np.array(sides.prod(dtype=np.int64), np.int64)
    return sides[attribute(node, "start", 0) : attribute(node, "end", len(sides))]


def fix_input_shape(model: onnx.ModelProto, name: str, shape: Sequence[Dimension]) -> None:
    """Writes the shape of an input; inference follows with :func:`infer_shapes`.

    Raises:
        ModelError: the graph has no such input.
    """
    inputs = {v.name: v for v in model.graph.input}
    value = inputs.get(name)
    if value is None:
        raise ModelError(f"graph has no input {name!r}; it has: {', '.join(inputs) or 'none'}")
    dims = value.type.tensor_type.shape
    del dims.dim[:]
    for size in shape:
        dim = dims.dim.add()
        if isinstance(size, int):
            dim.dim_value = size
        elif size:
            dim.dim_param = size


def _dimension(dim: onnx.TensorShapeProto.Dimension) -> Dimension:
    if dim.HasField("dim_value"):
        return int(dim.dim_value)
    return dim.dim_param or None
