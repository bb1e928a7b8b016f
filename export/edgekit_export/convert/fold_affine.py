"""Pass: per-channel scales and shifts around a convolution go into its weight and bias.

BatchNormalization first becomes a Mul and an Add of constants. Then ``conv(x) * a + b`` becomes one
convolution, and so does ``conv(x * a)``; ``conv(x + b)`` only where the convolution does not pad, since a
padded border would have to be ``b`` and not 0.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from edgekit_export.convert.shapes import Shape, read_shapes


def split_batch_norm(model: onnx.ModelProto) -> None:
    """Writes each inference BatchNormalization as ``x * a + b``, in float64 until the last step.

    One that trains, is not float32, or reads a tensor of unknown rank stays as it is.
    """
    view, taken, nodes = GraphView(model), tensor_names(model), []
    values = {v.name: v for v in [*model.graph.input, *model.graph.value_info, *model.graph.output]}
    for node in model.graph.node:
        read = values.get(node.input[0]) if node.op_type == "BatchNormalization" else None
        if read is None or not read.type.tensor_type.HasField("shape") or not _is_constant_norm(view, node):
            nodes.append(node)
            continue
        scale, shift = _scale_and_shift(view, node)
        shape = (1, -1, *[1] * (len(read.type.tensor_type.shape.dim) - 2))
        a, b, middle = (
            fresh_name(taken, f"{node.output[0]}.{part}") for part in ("scale", "shift", "scaled")
        )
        model.graph.initializer.append(constant(a, scale.astype(np.float32).reshape(shape)))
        model.graph.initializer.append(constant(b, shift.astype(np.float32).reshape(shape)))
        model.graph.value_info.append(read)
        model.graph.value_info[-1].name = middle
        nodes.append(helper.make_node("Mul", [node.input[0], a], [middle]))
        nodes.append(helper.make_node("Add", [middle, b], [node.output[0]]))
    set_nodes(model.graph, nodes)


def _is_constant_norm(view: GraphView, node: onnx.NodeProto) -> bool:
    parts = [view.value(name) for name in node.input[1:5]]
    if len(node.output) != 1 or attribute(node, "training_mode", 0):
        return False
    return all(part is not None and part.dtype == np.float32 for part in parts)


def _scale_and_shift(view: GraphView, node: onnx.NodeProto) -> tuple[Array, Array]:
    """``a = gamma / sqrt(variance + epsilon)`` and ``b = beta - mean * a``, float64 (Ioffe and Szegedy 2015)."""
    gamma, beta, mean, variance = (np.asarray(view.value(name), np.float64) for name in node.input[1:5])
    scale = gamma / np.sqrt(variance + attribute(node, "epsilon", 1e-5))
    return scale, beta - mean * scale


def fold_affine(model: onnx.ModelProto) -> None:
    """Folds until nothing more folds."""
    while any([_fold_once(model, after=True), _fold_once(model, after=False)]):
        remove_dead(model)


@dataclass(frozen=True, slots=True, eq=False)
class _Affine:
    """A node that multiplies ``data`` by a constant, or adds one; exactly one of the two is set.

    Attributes:
        scale: float64 ``(channels,)`` or ``(1,)``.
        shift: likewise.
        rank: of the constant as it is broadcast.
    """

    node: onnx.NodeProto
    data: str
    scale: Array | None
    shift: Array | None
    rank: int

    def fits(self, weight: Array, channels: int) -> bool:
        """True where the constant goes along the channels of a convolution's input or output."""
        values = self.scale if self.scale is not None else self.shift
        assert values is not None
        if values.size == 1:
            return self.rank <= weight.ndim  # one of a higher rank would add an axis
        return weight.ndim == 4 and values.size == channels


def _fold_once(model: onnx.ModelProto, *, after: bool) -> bool:
    """One sweep: affine nodes after a convolution, or before one. True where something was folded."""
    view, shapes, gone = GraphView(model), read_shapes(model), []
    touched: set[int] = set()
    for node in list(model.graph.node):
        affine = _affine(view, node)
        if affine is None:
            continue
        conv = view.producer.get(affine.data) if after else view.only_consumer(node.output[0])
        if conv is None or conv.op_type != "Conv" or id(conv) in touched or view.value(conv.input[1]) is None:
            continue
        if (
            _fold_after(model, view, conv, affine)
            if after
            else _fold_before(model, view, conv, affine, shapes)
        ):
            touched.add(id(conv))
            gone.append(node)
    remove_nodes(model.graph, gone)
    return bool(gone)


def _affine(view: GraphView, node: onnx.NodeProto) -> _Affine | None:
    """``node`` as what it multiplies by or adds, a constant a channel or a scalar; None where it does not."""
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
        return _Affine(node, data, flat if node.op_type == "Mul" else 1.0 / flat, None, other.ndim)
    return _Affine(node, data, None, flat if node.op_type == "Add" else -flat, other.ndim)


def _per_channel(array: Array) -> Array | None:
    """A constant that broadcasts along axis 1 of NCHW, as float64 ``(channels,)`` or ``(1,)``; else None."""
    if array.size == 1:
        return array.reshape(1).astype(np.float64)
    shape = (1,) * (4 - array.ndim) + array.shape
    if array.ndim in (3, 4) and shape[1] == array.size:
        return array.reshape(-1).astype(np.float64)
    return None


def _fold_after(model: onnx.ModelProto, view: GraphView, conv: onnx.NodeProto, affine: _Affine) -> bool:
    if view.only_consumer(conv.output[0]) is not affine.node:
        return False
    weight = np.asarray(view.value(conv.input[1]), np.float64)
    bias = _bias(view, conv, weight.shape[0])
    if bias is None or not affine.fits(weight, weight.shape[0]):
        return False
    if affine.scale is not None:
        weight, bias = weight * affine.scale.reshape(-1, *[1] * (weight.ndim - 1)), bias * affine.scale
    else:
        bias = bias + affine.shift
    _set_parameters(model, conv, weight, bias)
    conv.output[0] = affine.node.output[0]
    return True


def _fold_before(
    model: onnx.ModelProto, view: GraphView, conv: onnx.NodeProto, affine: _Affine, shapes: dict[str, Shape]
) -> bool:
    if conv.input[0] != affine.node.output[0]:
        return False
    weight = np.asarray(view.value(conv.input[1]), np.float64)
    bias, groups = _bias(view, conv, weight.shape[0]), attribute(conv, "group", 1)
    inputs = weight.shape[1] * groups
    if bias is None or not affine.fits(weight, inputs):
        return False
    if shapes.get(affine.data, ())[1:2] != (inputs,):
        return False  # unknown, or a grey picture that the constant makes one of several channels
    if affine.scale is not None:
        weight = weight * _by_input_channel(affine.scale, weight, groups)
    else:
        if any(attribute(conv, "pads", [0])) or attribute(conv, "auto_pad", b"NOTSET") not in (
            b"NOTSET",
            b"VALID",
        ):
            return False
        bias = bias + (weight * _by_input_channel(affine.shift, weight, groups)).sum(
            axis=tuple(range(1, weight.ndim))
        )
    _set_parameters(model, conv, weight, bias)
    conv.input[0] = affine.data
    return True


def _by_input_channel(values: Array | None, weight: Array, groups: int) -> Array:
    """``values`` a channel of the input, laid out to broadcast over ``(outputs, inputs / groups, ...)``."""
    assert values is not None
    full = np.broadcast_to(values, (weight.shape[1] * groups,)).reshape(groups, 1, weight.shape[1])
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
