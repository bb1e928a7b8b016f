"""TFLite's float operators in ONNX: tensors of four axes become planar (NCHW), all others stay as they are.

Semantics: tensorflow/lite/kernels, and the schema's options. A function gives the nodes of one operator.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.convert.node_writer import NodeWriter
from edgekit_export.tflite.flatbuffer import Graph

PLANAR = (0, 3, 1, 2)
INTERLEAVED = (0, 2, 3, 1)
"""Axes of a planar tensor in the order of TFLite's; also: where each of TFLite's axes is in a planar one."""

_ACTIVATIONS = {"RELU": "Relu", "RELU6": "Relu6", "LOGISTIC": "Sigmoid", "TANH": "Tanh"}


class Writer(NodeWriter):
    """Writes what reads and gives the tensors of a TFLite graph, each by its own name.

    Attributes:
        graph: that is converted.
        names: tensor → its name in ONNX.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.names = {i: f"{graph.name(i) or 'tensor'}:{i}" for i in range(len(graph.main.tensors))}

    def shape(self, tensor: int) -> tuple[int, ...]:
        """A tensor's shape, NHWC, with a batch of one where that is open."""
        first, *rest = self.graph.shape(tensor) or (1,)
        return (abs(first), *rest)

    def output(self, operator: Any) -> str:  # noqa: ANN401 (generated classes have no types)
        """Name of what an operator gives."""
        return self.names[int(operator.outputs[0])]

    def fixed(self, operator: Any, position: int) -> Array:  # noqa: ANN401
        """An input that must be a constant, as TFLite lays it out; float16 as float32.

        Raises:
            ModelError: it is computed.
        """
        tensor = int(operator.inputs[position])
        value = self.value(tensor)
        if value is None:
            raise refusal(
                self.graph, operator, f"expected a constant as input {position}, got a computed one"
            )
        return value

    def value(self, tensor: int) -> Array | None:
        """A constant, also one that the graph expands from float16; ``None`` for a computed tensor."""
        maker = self.graph.producer(tensor)
        if maker is not None and self.graph.kind(maker) == "DEQUANTIZE":
            tensor = int(maker.inputs[0])
        stored = self.graph.constant(tensor)
        return stored.astype(np.float32) if stored is not None and stored.dtype == np.float16 else stored

    def operand(self, tensor: int, rank: int) -> str:
        """An input of a pointwise operator whose output has ``rank`` axes."""
        value = self.value(tensor)
        if value is None:
            return self.names[tensor]
        if rank == 4:
            value = value.reshape((1,) * (4 - value.ndim) + value.shape).transpose(PLANAR)
        return self.constant(self.names[tensor], np.ascontiguousarray(value))

    def interleaved(self, tensor: int) -> str:
        """The tensor in TFLite's own order of axes."""
        name, shape = self.names[tensor], self.shape(tensor)
        if len(shape) != 4 or shape[1] == shape[2] == 1:  # the same numbers in the same order
            return name
        self.add("Transpose", [name], f"{name}/nhwc", perm=INTERLEAVED)
        return f"{name}/nhwc"

    def ended(self, operator: Any, op: str, inputs: Sequence[str], **attributes: object) -> None:  # noqa: ANN401
        """Writes a node and the activation that the operator ends with."""
        fused, output = self.graph.fused(operator), self.output(operator)
        if fused not in ("", *_ACTIVATIONS):
            raise refusal(self.graph, operator, f"ends in {fused}, expected RELU, RELU6 or nothing")
        self.add(op, inputs, f"{output}/linear" if fused else output, **attributes)
        if fused:
            self.activate(_ACTIVATIONS[fused], f"{output}/linear", output)

    def activate(self, op: str, source: str, target: str) -> None:
        """Writes an activation; ``Relu6`` is none of ONNX's."""
        if op == "Relu6":
            limits = [self.constant(f"relu6/{n}", np.array(n, np.float32)) for n in (0, 6)]
            self.add("Clip", [source, *limits], target)
        else:
            self.add(op, [source], target)


Convert = Callable[[Writer, Any], None]


def refusal(graph: Graph, operator: Any, what: str) -> ModelError:  # noqa: ANN401
    """The error that names an operator."""
    return ModelError(f"{graph.kind(operator)} {graph.name(int(operator.outputs[0]))}: {what}")


def _convolution(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    """CONV_2D; weights are out, height, width, in."""
    weight, inputs = writer.fixed(operator, 1).transpose(PLANAR), writer.shape(int(operator.inputs[0]))
    if inputs[3] % weight.shape[1]:
        raise refusal(writer.graph, operator, f"{inputs[3]} channels, weights for {weight.shape[1]}")
    _convolve(writer, operator, weight, group=inputs[3] // weight.shape[1])


def _depthwise(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    """DEPTHWISE_CONV_2D; weights are 1, height, width, out; the outputs of a channel lie together."""
    weight = writer.fixed(operator, 1).transpose(3, 0, 1, 2)
    _convolve(writer, operator, weight, group=writer.shape(int(operator.inputs[0]))[3])


def _convolve(writer: Writer, operator: Any, weight: Array, group: int) -> None:  # noqa: ANN401
    options, output = operator.builtinOptions, writer.output(operator)
    strides = options.strideH, options.strideW
    dilations = options.dilationHFactor, options.dilationWFactor
    inputs = [writer.names[int(operator.inputs[0])]]
    inputs.append(writer.constant(f"{output}/weight", np.ascontiguousarray(weight)))
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        inputs.append(writer.constant(f"{output}/bias", writer.fixed(operator, 2).reshape(-1)))
    spans = [(side - 1) * d + 1 for side, d in zip(weight.shape[2:], dilations, strict=True)]
    writer.ended(
        operator,
        "Conv",
        inputs,
        group=group,
        kernel_shape=weight.shape[2:],
        strides=strides,
        dilations=dilations,
        pads=_pads(writer, operator, spans, strides),
    )


def _pads(writer: Writer, operator: Any, spans: Sequence[int], strides: Sequence[int]) -> list[int]:  # noqa: ANN401
    """SAME: as many outputs as inputs by the stride, an odd rest on the right and below."""
    if not writer.graph.pads_same(operator):
        return [0, 0, 0, 0]
    sides = writer.shape(int(operator.inputs[0]))[1:3]
    rests = [
        max((-(-side // stride) - 1) * stride + span - side, 0)
        for side, span, stride in zip(sides, spans, strides, strict=True)
    ]
    return [*(rest // 2 for rest in rests), *(rest - rest // 2 for rest in rests)]


def _linear(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    """FULLY_CONNECTED; weights are out, in; the input is flattened."""
    weight, output = writer.fixed(operator, 1), writer.output(operator)
    source, width = writer.interleaved(int(operator.inputs[0])), weight.shape[1]
    if operator.builtinOptions.keepNumDims:
        raise refusal(writer.graph, operator, "keeps the axes of its input, expected it flat")
    if writer.shape(int(operator.inputs[0]))[1:] != (width,):
        flat = writer.constant(f"{output}/flat", np.array([-1, width], np.int64))
        writer.add("Reshape", [source, flat], f"{output}/source")
        source = f"{output}/source"
    inputs = [source, writer.constant(f"{output}/weight", weight)]
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        inputs.append(writer.constant(f"{output}/bias", writer.fixed(operator, 2).reshape(-1)))
    writer.ended(operator, "Gemm", inputs, transB=1)


def _pointwise(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    rank = len(writer.shape(int(operator.outputs[0])))
    for tensor in map(int, operator.inputs):
        if writer.value(tensor) is None and len(writer.shape(tensor)) != rank:
            raise refusal(writer.graph, operator, "its inputs differ in their number of axes")
    kind = writer.graph.kind(operator).capitalize()
    writer.ended(operator, kind, [writer.operand(int(i), rank) for i in operator.inputs])


def _activation(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    source = writer.names[int(operator.inputs[0])]
    writer.activate(_ACTIVATIONS[writer.graph.kind(operator)], source, writer.output(operator))


def _prelu(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    rank = len(writer.shape(int(operator.inputs[0])))
    slope = np.squeeze(writer.fixed(operator, 1))
    if slope.ndim > 1:
        raise refusal(writer.graph, operator, f"slopes of shape {slope.shape}, expected one a channel")
    slope = slope.reshape(-1, 1, 1) if rank == 4 and slope.ndim else slope
    output = writer.output(operator)
    inputs = [writer.names[int(operator.inputs[0])], writer.constant(f"{output}/slope", slope)]
    writer.add("PRelu", inputs, output)


def _hard_swish(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    writer.add("HardSwish", [writer.names[int(operator.inputs[0])]], writer.output(operator))


def _softmax(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    """Over the channels."""
    source = int(operator.inputs[0])
    rank, beta = len(writer.shape(source)), operator.builtinOptions.beta
    if beta != 1:
        raise refusal(writer.graph, operator, f"beta is {beta}, expected 1")
    writer.add("Softmax", [writer.names[source]], writer.output(operator), axis=1 if rank == 4 else rank - 1)


def _pool(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    options, kind = operator.builtinOptions, writer.graph.kind(operator)
    kernel, strides = (options.filterHeight, options.filterWidth), (options.strideH, options.strideW)
    writer.ended(
        operator,
        {"MAX_POOL_2D": "MaxPool", "AVERAGE_POOL_2D": "AveragePool"}[kind],
        [writer.names[int(operator.inputs[0])]],
        kernel_shape=kernel,
        strides=strides,
        pads=_pads(writer, operator, kernel, strides),
    )


def _mean(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    source, output = int(operator.inputs[0]), writer.output(operator)
    keeps, rank = operator.builtinOptions.keepDims, len(writer.shape(source))
    axes = np.atleast_1d(writer.fixed(operator, 1)) % rank
    if rank == 4:
        if not keeps and sorted(axes) != [1, 2]:
            raise refusal(writer.graph, operator, f"over axes {sorted(axes)}, expected height and width")
        axes = np.array([INTERLEAVED[axis] for axis in axes])
    inputs = [writer.names[source], writer.constant(f"{output}/axes", axes.astype(np.int64))]
    writer.add("ReduceMean", inputs, output, keepdims=int(keeps))


def _pad(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    """By zeros."""
    amounts, output = writer.fixed(operator, 1), writer.output(operator)
    amounts = amounts[list(PLANAR)] if len(amounts) == 4 else amounts
    pads = writer.constant(f"{output}/pads", amounts.T.reshape(-1).astype(np.int64))
    writer.add("Pad", [writer.names[int(operator.inputs[0])], pads], output)


def _reshape(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    source, target = int(operator.inputs[0]), int(operator.outputs[0])
    shape, output = writer.shape(target), writer.output(operator)
    planar = len(shape) == 4 and not shape[1] == shape[2] == 1
    wanted = [shape[i] for i in PLANAR] if len(shape) == 4 and not planar else list(shape)
    inputs = [writer.interleaved(source), writer.constant(f"{output}/shape", np.array(wanted, np.int64))]
    writer.add("Reshape", inputs, f"{output}/nhwc" if planar else output)
    if planar:
        writer.add("Transpose", [f"{output}/nhwc"], output, perm=PLANAR)


def _concat(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    rank = len(writer.shape(int(operator.outputs[0])))
    axis = operator.builtinOptions.axis % rank
    inputs = [writer.operand(int(i), rank) for i in operator.inputs]
    writer.ended(operator, "Concat", inputs, axis=INTERLEAVED[axis] if rank == 4 else axis)


def _resize(writer: Writer, operator: Any) -> None:  # noqa: ANN401
    """RESIZE_BILINEAR; without half pixel centres position ``i`` lies at ``i * in / out``."""
    options, output = operator.builtinOptions, writer.output(operator)
    if options.alignCorners:
        raise refusal(writer.graph, operator, "aligns corners, expected that it does not")
    size = writer.constant(f"{output}/size", writer.fixed(operator, 1).astype(np.int64))
    writer.add(
        "Resize",
        [writer.names[int(operator.inputs[0])], "", "", size],
        output,
        axes=[2, 3],
        mode="linear",
        coordinate_transformation_mode="half_pixel" if options.halfPixelCenters else "asymmetric",
    )


OPERATORS: dict[str, Convert] = {
    "ADD": _pointwise,
    "AVERAGE_POOL_2D": _pool,
    "CONCATENATION": _concat,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _linear,
    "HARD_SWISH": _hard_swish,
    "LOGISTIC": _activation,
    "MAX_POOL_2D": _pool,
    "MEAN": _mean,
    "MUL": _pointwise,
    "PAD": _pad,
    "PRELU": _prelu,
    "RELU": _activation,
    "RELU6": _activation,
    "RESHAPE": _reshape,
    "RESIZE_BILINEAR": _resize,
    "SOFTMAX": _softmax,
    "SUB": _pointwise,
    "TANH": _activation,
}
"""TFLite's operator → what writes it. Others are refused by name."""
