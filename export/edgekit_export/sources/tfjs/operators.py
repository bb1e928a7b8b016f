"""TensorFlow's operators in ONNX: NHWC becomes NCHW throughout, so that no transposes are needed.

Each function gives the nodes of one operator. ``Operand`` hides whether an input is computed or a constant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.convert.node_writer import NodeWriter
from edgekit_export.sources.tfjs.graph_model import GraphModel, Node

NCHW = (0, 2, 3, 1)
"""Where each axis of NHWC is in NCHW: batch, height, width, channels."""


class Writer(NodeWriter):
    """Writes what reads and gives the tensors of a TensorFlow.js graph."""

    def __init__(self, source: GraphModel) -> None:
        super().__init__()
        self.source = source

    def value(self, node: Node, position: int) -> Array:
        """An input that must be a constant.

        Raises:
            ModelError: it is computed.
        """
        name = node.inputs[position]
        if name not in self.source.constants:
            raise ModelError(f"{node.op} {node.name}: expected a constant as input {position}, got {name}")
        return self.source.constants[name]

    def operand(self, name: str) -> str:
        """An input of a pointwise operator: a computed tensor, or a constant that broadcasts over channels."""
        if name not in self.source.constants:
            return name
        value = self.source.constants[name]
        if value.ndim > 1:
            raise ModelError(f"constant {name}: expected a number or one a channel, got shape {value.shape}")
        return self.constant(name, value.reshape(-1, 1, 1) if value.ndim else value)


Convert = Callable[[Writer, Node], None]


def _convolution(writer: Writer, node: Node) -> None:
    """Conv2D, and with bias and activation behind it; kernels are height, width, in, out."""
    kernel = writer.value(node, 1).transpose(3, 2, 0, 1)
    _any_convolution(writer, node, kernel, group=1)


def _depthwise(writer: Writer, node: Node) -> None:
    """Kernels are height, width, channel, multiplier; the outputs of a channel lie together."""
    kernel = writer.value(node, 1)
    height, width, channels, multiplier = kernel.shape
    planar = kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width)
    _any_convolution(writer, node, planar, group=channels)


def _any_convolution(writer: Writer, node: Node, kernel: Array, group: int) -> None:
    _expect(node, "data_format", "NHWC")
    steps = list(node.attributes.get("fused_ops", []))
    inputs = [node.inputs[0], writer.constant(f"{node.name}/kernel", kernel)]
    if steps[:1] == ["BiasAdd"]:
        steps.pop(0)
        inputs.append(writer.constant(f"{node.name}/bias", writer.value(node, 2)))
    if steps not in ([], ["Relu"], ["Relu6"]):
        raise ModelError(f"{node.op} {node.name}: ends in {steps}, expected Relu, Relu6 or nothing")
    made = f"{node.name}/linear" if steps else node.name
    strides, dilations = node.attributes["strides"][1:3], node.attributes["dilations"][1:3]
    writer.add(
        "Conv",
        inputs,
        made,
        group=group,
        kernel_shape=kernel.shape[2:],
        strides=strides,
        dilations=dilations,
        **_padding(node, kernel.shape[2:], strides, dilations),
    )
    if steps:
        _activate(writer, steps[0], made, node.name)


def _padding(
    node: Node, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> dict[str, object]:
    """SAME: as many outputs as inputs by the stride, an odd rest on the right and below."""
    padding = node.attributes["padding"]
    if padding not in ("SAME", "VALID"):
        raise ModelError(f"{node.op} {node.name}: padding {padding}, expected SAME or VALID")
    if padding == "VALID" or max(strides) > 1:
        return {"auto_pad": "VALID" if padding == "VALID" else "SAME_UPPER"}
    rests = [(side - 1) * dilation for side, dilation in zip(kernel, dilations, strict=True)]
    return {"pads": [*(rest // 2 for rest in rests), *(rest - rest // 2 for rest in rests)]}


def _activation(writer: Writer, node: Node) -> None:
    _activate(writer, node.op, node.inputs[0], node.name)


def _activate(writer: Writer, op: str, source: str, target: str) -> None:
    if op == "Relu6":
        limits = [writer.constant(f"relu6/{n}", np.array(n, np.float32)) for n in (0, 6)]
        writer.add("Clip", [source, *limits], target)
    else:
        writer.add(op, [source], target)


def _pointwise(writer: Writer, node: Node) -> None:
    writer.add(node.op, [writer.operand(name) for name in node.inputs], node.name)


def _mean(writer: Writer, node: Node) -> None:
    _expect(node, "keep_dims", True)
    axes = np.array([NCHW[int(axis) % 4] for axis in writer.value(node, 1).reshape(-1)], np.int64)
    writer.add(
        "ReduceMean", [node.inputs[0], writer.constant(f"{node.name}/axes", axes)], node.name, keepdims=1
    )


def _concat(writer: Writer, node: Node) -> None:
    axis = NCHW[int(writer.value(node, len(node.inputs) - 1)) % 4]
    writer.add("Concat", node.inputs[:-1], node.name, axis=axis)


def _resize(writer: Writer, node: Node) -> None:
    """To a constant size; without half pixel centres position ``i`` lies at ``i * in / out``."""
    _expect(node, "align_corners", False)
    half = node.attributes.get("half_pixel_centers", False)
    size = writer.value(node, 1).astype(np.int64).reshape(2)
    batch_and_channels = writer.constant(f"{node.name}/size", size)
    writer.add(
        "Resize",
        [node.inputs[0], "", "", batch_and_channels],
        node.name,
        axes=[2, 3],
        mode="linear",
        coordinate_transformation_mode="half_pixel" if half else "asymmetric",
    )


def _identity(writer: Writer, node: Node) -> None:
    writer.add("Identity", node.inputs[:1], node.name)


def _expect(node: Node, attribute: str, value: object) -> None:
    got = node.attributes.get(attribute)
    if got != value:
        raise ModelError(f"{node.op} {node.name}: {attribute} is {got}, expected {value}")


OPERATORS: dict[str, Convert] = {
    "Add": _pointwise,
    "AddV2": lambda writer, node: _pointwise(writer, Node(node.name, "Add", node.inputs, node.attributes)),
    "ConcatV2": _concat,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _depthwise,
    "FusedDepthwiseConv2dNative": _depthwise,
    "Identity": _identity,
    "Mean": _mean,
    "Mul": _pointwise,
    "Relu": _activation,
    "Relu6": _activation,
    "ResizeBilinear": _resize,
    "Sigmoid": _activation,
    "_FusedConv2D": _convolution,
}
"""TensorFlow's operator → what writes it. Others are refused by name."""
