"""Pass: per-channel scales and shifts around a convolution go into its weight and bias.

BatchNormalization first becomes a Mul and an Add of constants. Then ``conv(x) * a + b`` becomes one
convolution, and so does ``conv(x * a)``; ``conv(x + b)`` only where the convolution does not pad, since a
padded border would have to be ``b`` and not 0.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from edgekit.types import Array
from edgekit_export.convert.graph import (
    GraphView,
    attribute,
    constant,
    fresh_name,
    remove_nodes,
    set_nodes,
    tensor_names,
)
from edgekit_export.convert.remove_dead import remove_dead


def split_batch_norm(model: onnx.ModelProto) -> None:
    """Writes each inference BatchNormalization as ``x * a + b``, in float64 until the last step."""
    view, taken, nodes = GraphView(model), tensor_names(model), []
    for node in model.graph.node:
        parts = [view.value(name) for name in node.input[1:5]]
        if node.op_type != "BatchNormalization" or any(p is None for p in parts) or len(node.output) != 1:
            nodes.append(node)
            continue
        gamma, beta, mean, variance = (np.asarray(p, np.float64) for p in parts)
        scale = gamma / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
        shape = (1, -1, *[1] * (_rank_of_input(model, node) - 2))
        a, b, middle = (fresh_name(taken, f"{node.output[0]}.{part}") for part in ("scale", "shift", "scaled"))
        model.graph.initializer.append(constant(a, scale.astype(np.float32).reshape(shape)))
        model.graph.initializer.append(constant(b, (beta - mean * scale).astype(np.float32).reshape(shape)))
        nodes.append(helper.make_node("Mul", [node.input[0], a], [middle]))
        nodes.append(helper.make_node("Add", [middle, b], [node.output[0]]))
    set_nodes(model.graph, nodes)


def _rank_of_input(model: onnx.ModelProto, node: onnx.NodeProto) -> int:
    """Rank of what ``node`` reads; 4 where shapes were not inferred, as in every picture network."""
    for value in [*model.graph.value_info, *model.graph.input]:
        if value.name == node.input[0] and value.type.tensor_type.HasField("shape"):
            return len(value.type.tensor_type.shape.dim)
    return 4


def fold_affine(model: onnx.ModelProto) -> None:
    """Folds until nothing more folds."""
    while any([_fold_once(model, after=True), _fold_once(model, after=False)]):
        remove_dead(model)


def _fold_once(model: onnx.ModelProto, *, after: bool) -> bool:
    """One sweep: affine nodes after a convolution, or before one. True where something was folded."""
    view, gone = GraphView(model), []
    touched: set[int] = set()
    for node in list(model.graph.node):
        affine = _affine(view, node)
        if affine is None:
            continue
        data, scale, shift = affine
        conv = view.producer.get(data) if after else view.only_consumer(node.output[0])
        if conv is None or conv.op_type != "Conv" or id(conv) in touched or view.value(conv.input[1]) is None:
            continue
        done = (
            _fold_after(model, view, conv, node, scale, shift)
            if after
            else _fold_before(model, view, conv, node, data, scale, shift)
        )
        if done:
            touched.add(id(conv))
            gone.append(node)
    remove_nodes(model.graph, gone)
    return bool(gone)


def _affine(view: GraphView, node: onnx.NodeProto) -> tuple[str, Array | None, Array | None] | None:
    """``(data, scale, shift)`` where ``node`` multiplies by or adds a constant a channel or a scalar."""
    if node.op_type not in ("Mul", "Add", "Div", "Sub"):
        return None
    values = [view.value(name) for name in node.input]
    which = 1 if values[1] is not None else 0
    other = values[which]
    if other is None or values[1 - which] is not None or other.dtype != np.float32:
        return None
    if which == 0 and node.op_type in ("Div", "Sub"):
        return None
    flat = _per_channel(other)
    if flat is None:
        return None
    data = node.input[1 - which]
    if node.op_type in ("Mul", "Div"):
        return data, flat if node.op_type == "Mul" else 1.0 / flat, None
    return data, None, flat if node.op_type == "Add" else -flat


def _per_channel(array: Array) -> Array | None:
    """A constant that broadcasts along axis 1 of NCHW, as float64 ``(channels,)`` or ``(1,)``; else None."""
    if array.size == 1:
        return array.reshape(1).astype(np.float64)
    shape = (1,) * (4 - array.ndim) + array.shape
    if array.ndim in (3, 4) and shape[1] == array.size:
        return array.reshape(-1).astype(np.float64)
    return None


def _fold_after(
    model: onnx.ModelProto,
    view: GraphView,
    conv: onnx.NodeProto,
    node: onnx.NodeProto,
    scale: Array | None,
    shift: Array | None,
) -> bool:
    if view.only_consumer(conv.output[0]) is not node:
        return False
    weight = np.asarray(view.value(conv.input[1]), np.float64)
    bias = _bias(view, conv, weight.shape[0])
    if bias is None or (scale is not None and scale.size not in (1, weight.shape[0])):
        return False
    if scale is not None:
        weight, bias = weight * scale.reshape(-1, *[1] * (weight.ndim - 1)), bias * scale
    if shift is not None:
        if shift.size not in (1, weight.shape[0]):
            return False
        bias = bias + shift
    _set_parameters(model, conv, weight, bias)
    conv.output[0] = node.output[0]
    return True


def _fold_before(
    model: onnx.ModelProto,
    view: GraphView,
    conv: onnx.NodeProto,
    node: onnx.NodeProto,
    data: str,
    scale: Array | None,
    shift: Array | None,
) -> bool:
    if conv.input[0] != node.output[0]:
        return False
    weight = np.asarray(view.value(conv.input[1]), np.float64)
    bias, groups = _bias(view, conv, weight.shape[0]), attribute(conv, "group", 1)
    by_input = _by_input_channel(scale if scale is not None else shift, weight, groups)
    if bias is None or by_input is None:
        return False
    if scale is not None:
        weight = weight * by_input
    else:
        if any(attribute(conv, "pads", [0])) or attribute(conv, "auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            return False
        bias = bias + (weight * by_input).sum(axis=tuple(range(1, weight.ndim)))
    _set_parameters(model, conv, weight, bias)
    conv.input[0] = data
    return True


def _by_input_channel(values: Array | None, weight: Array, groups: int) -> Array | None:
    """``values`` a channel of the input, laid out to broadcast over ``(outputs, inputs / groups, ...)``."""
    inputs = weight.shape[1] * groups
    if values is None or values.size not in (1, inputs):
        return None
    full = np.broadcast_to(values, (inputs,)).reshape(groups, 1, weight.shape[1])
    full = np.broadcast_to(full, (groups, weight.shape[0] // groups, weight.shape[1]))
    return full.reshape(weight.shape[0], weight.shape[1], *[1] * (weight.ndim - 2))


def _bias(view: GraphView, conv: onnx.NodeProto, channels: int) -> Array | None:
    """Bias as float64, zeros where there is none, None where it is computed."""
    if len(conv.input) < 3 or not conv.input[2]:
        return np.zeros(channels)
    value = view.value(conv.input[2])
    return None if value is None else value.astype(np.float64)


def _set_parameters(model: onnx.ModelProto, conv: onnx.NodeProto, weight: Array, bias: Array) -> None:
    taken = tensor_names(model)
    names = [fresh_name(taken, f"{conv.output[0]}.{part}") for part in ("weight", "bias")]
    model.graph.initializer.append(constant(names[0], weight.astype(np.float32)))
    model.graph.initializer.append(constant(names[1], bias.astype(np.float32)))
    data = conv.input[0]
    del conv.input[:]
    conv.input.extend([data, *names])
