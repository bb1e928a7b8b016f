"""The picture at the graph's input: its bytes are codes already, if what is taken off them is a whole number."""

from __future__ import annotations

import numpy as np
import onnx

from edgekit_export.convert.graph import GraphView, constant
from edgekit_export.quantize.integer import U8_MAX, Affine
from edgekit_export.quantize.weights import read_weights


def picture_zero_point(view: GraphView, node: onnx.NodeProto) -> int | None:
    """The mean that ``Sub(Cast(uint8), mean)`` takes off, where it is one whole number 0–255; else None."""
    if not _reads_picture(view, node):
        return None
    mean = view.value(node.input[1])
    assert mean is not None
    first = float(mean.reshape(-1)[0])
    return int(first) if (mean == first).all() and first == np.rint(first) and 0 <= first <= U8_MAX else None


def _reads_picture(view: GraphView, node: onnx.NodeProto) -> bool:
    if node.op_type != "Sub" or node.input[1] not in view.constants:
        return False
    cast = view.producer.get(node.input[0])
    if cast is None or cast.op_type != "Cast":
        return False
    transpose = view.producer.get(cast.input[0])
    source = (
        transpose.input[0] if transpose is not None and transpose.op_type == "Transpose" else cast.input[0]
    )
    value = next((v for v in view.graph.input if v.name == source), None)
    return value is not None and value.type.tensor_type.elem_type == onnx.TensorProto.UINT8


def whole_mean(model: onnx.ModelProto) -> dict[str, Affine]:
    """Makes the mean of a uint8 picture a whole number, and returns the code of the centred picture.

    The rest goes into the bias of the convolution that alone reads it, so the function stays the same but for
    the padded border, where 0 now means the whole mean: at most half a grey level for a grey mean.

    Returns:
        Tensor name → code, empty where the graph does not start with a picture.
    """
    view = GraphView(model)
    for node in model.graph.node:
        if not _reads_picture(view, node):
            continue
        mean = view.value(node.input[1])
        conv = view.only_consumer(node.output[0])
        zero_point = picture_zero_point(view, node)
        if zero_point is None:
            if mean is None or conv is None or conv.op_type != "Conv" or conv.input[1] not in view.constants:
                return {}
            zero_point = int(np.clip(np.floor(mean.mean() + 0.5), 0, U8_MAX))
            _move_rest(model, view, node, conv, zero_point)
        return {node.output[0]: Affine(1.0, zero_point)}
    return {}


def _move_rest(
    model: onnx.ModelProto, view: GraphView, node: onnx.NodeProto, conv: onnx.NodeProto, zero_point: int
) -> None:
    mean, weights = view.value(node.input[1]), read_weights(view, conv)
    assert mean is not None and weights.bias is not None
    rest = np.broadcast_to(mean.reshape(-1).astype(np.float64), (weights.weight.shape[1],)) - zero_point
    bias = weights.bias - (weights.weight * rest.reshape(1, -1, 1, 1)).sum(axis=(1, 2, 3))
    names = [f"{node.output[0]}.mean", f"{conv.output[0]}.bias"]
    model.graph.initializer.append(constant(names[0], np.full((1, 1, 1, 1), zero_point, np.float32)))
    model.graph.initializer.append(constant(names[1], bias.astype(np.float32)))
    node.input[1] = names[0]
    data = list(conv.input[:2])
    del conv.input[:]
    conv.input.extend([*data, names[1]])
