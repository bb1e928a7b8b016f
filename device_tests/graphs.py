"""Small int8 graphs in the forms that the exporter writes, each for one claim of ``docs/arm.md``.

Weights and scales are drawn here, so that nothing depends on what a quantiser does. What must be exact on every
processor is exact by construction, and one graph is inexact on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 8
SHAPE = (1, CHANNELS, 12, 12)
INPUTS = 6
INPUT_SCALE = 0.02
ODD = 511  # scale ratios of sums are multiples of 1 / ODD: with an odd denominator no sum lies between two codes
WIDE_LIMIT = 900  # 72 products of at most 255 * 900 stay below 2**24, where float32 counts in ones
SIDE, CLASSES = 24, 5


class Builder:
    """Collects nodes and constants; each method adds nodes and returns the name of what the last one gives."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def node(self, op: str, *inputs: str, **attributes: object) -> str:
        """Adds a node with one output."""
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def constant(self, value: object, dtype: type) -> str:
        """Adds a constant."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def dequantize(self, codes: str, scale: float, zero_point: int) -> str:
        """uint8 codes → float."""
        parts = self.constant(scale, np.float32), self.constant(zero_point, np.uint8)
        return self.node("DequantizeLinear", codes, *parts)

    def quantize(self, values: str, scale: float, zero_point: int) -> str:
        """Float → uint8 codes."""
        parts = self.constant(scale, np.float32), self.constant(zero_point, np.uint8)
        return self.node("QuantizeLinear", values, *parts)

    def requantize(self, values: str, scale: float, zero_point: int) -> str:
        """Float → float, by way of uint8 codes."""
        return self.dequantize(self.quantize(values, scale, zero_point), scale, zero_point)

    def weights(self, shape: Sequence[int]) -> str:
        """int8 weights, one scale an output channel, such that sums of inputs of ±1 lie within about ±2."""
        codes = self.rng.integers(-127, 128, shape)
        scales = self.rng.uniform(0.005, 0.02, shape[0]) / np.sqrt(np.prod(shape[1:]))
        parts = self.constant(scales, np.float32), self.constant(np.zeros(shape[0]), np.int8)
        return self.node("DequantizeLinear", self.constant(codes, np.int8), *parts, axis=0)

    def conv(self, values: str, side: int, group: int = 1, inputs: int = CHANNELS, stride: int = 1) -> str:
        """A convolution to ``CHANNELS`` channels with int8 weights."""
        weights = self.weights((CHANNELS, inputs // group, side, side))
        geometry = {
            "kernel_shape": [side] * 2,
            "pads": [side // 2] * 4,
            "strides": [stride] * 2,
            "group": group,
        }
        return self.node("Conv", values, weights, **geometry)

    def named(self, values: str, name: str) -> str:
        """Gives a value a name of its own."""
        self._nodes.append(helper.make_node("Identity", [values], [name]))
        return name

    def model(self, image: tuple[str, Sequence[int]], output: str, dtype: int) -> onnx.ModelProto:
        """The finished graph.

        Args:
            image: name and shape of the uint8 input.
            output: what it gives.
            dtype: of the output.
        """
        name, shape = image
        graph = helper.make_graph(
            self._nodes,
            "device_tests",
            [helper.make_tensor_value_info(name, TensorProto.UINT8, shape)],
            [helper.make_tensor_value_info(output, dtype, None)],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def chain(b: Builder, x: str) -> str:
    """Ordinary, depthwise and pointwise convolutions, each followed by a rectifier."""
    for side, group in ((3, 1), (3, CHANNELS), (1, 1), (5, CHANNELS)):
        x = b.requantize(b.node("Relu", b.conv(x, side, group)), 0.016, 0)
    return b.quantize(b.conv(x, 1), 0.03, 128)


def sums(b: Builder, x: str, ratios: tuple[float, float]) -> str:
    """A residual sum; ``ratios`` are the scales of its terms over its own."""
    scale = 0.04
    left, right = (b.requantize(b.conv(x, 1), scale * ratio, 128) for ratio in ratios)
    return b.quantize(b.node("Add", left, right), scale, 128)


def gate(b: Builder, x: str) -> str:
    """Squeeze and excite: channels weighted by what the whole picture shows."""
    body_scale, gate_scale, odd = 0.03, 1 / 255, 301
    body = b.requantize(b.conv(x, 3), body_scale, 128)
    pooled = b.requantize(b.node("GlobalAveragePool", body), 0.01, 128)
    weight = b.node("HardSigmoid", b.requantize(b.conv(pooled, 1), 0.02, 128), alpha=0.2)
    product = b.node("Mul", body, b.requantize(weight, gate_scale, 0))
    return b.quantize(product, body_scale * gate_scale * odd, 128)


def wide(b: Builder, x: str) -> str:
    """A convolution kept more precise than int8, and still exact: integers in float32, below 2**24.

    Its input is cast, not dequantised: the engine would quantise the weights of a float convolution between
    DequantizeLinear and QuantizeLinear, by one scale for all channels.
    """
    codes = b.quantize(b.node("Relu", b.conv(x, 1)), 0.016, 0)
    weights = b.rng.integers(-WIDE_LIMIT, WIDE_LIMIT, (CHANNELS, CHANNELS, 3, 3))
    values = b.node("Sub", b.node("Cast", codes, to=TensorProto.FLOAT), b.constant(0, np.float32))
    geometry = {"kernel_shape": [3, 3], "pads": [1] * 4}
    summed = b.node("Relu", b.node("Conv", values, b.constant(weights, np.float32), **geometry))
    scales = b.constant(b.rng.uniform(5e3, 2e4, CHANNELS), np.float32)
    return b.node("QuantizeLinear", summed, scales, b.constant(np.zeros(CHANNELS), np.uint8), axis=1)


EXACT: dict[str, Callable[[Builder, str], str]] = {
    "chain": chain,
    "sum": lambda b, x: sums(b, x, (389 / ODD, 274 / ODD)),
    "gate": gate,
    "wide": wide,
}
"""Equal to the bit on every processor."""

INEXACT: dict[str, Callable[[Builder, str], str]] = {"halved_sum": lambda b, x: sums(b, x, (0.5, 0.5))}
"""Known to differ: half of these sums lie in the middle between two codes, and ARM rounds those up."""


def write(graphs: dict[str, Callable[[Builder, str], str]], folder: Path) -> Path:
    """Writes graphs (``NAME.onnx``, uint8 in and out) and inputs for them (``NAME.npy``) into a new folder."""
    folder.mkdir()
    for seed, (name, make) in enumerate(graphs.items()):
        b = Builder(seed)
        output = make(b, b.dequantize("x", INPUT_SCALE, 128))
        onnx.save(b.model(("x", SHAPE), output, TensorProto.UINT8), folder / f"{name}.onnx")
        np.save(folder / f"{name}.npy", b.rng.integers(0, 256, (INPUTS, *SHAPE), dtype=np.uint8))
    return folder


def classifier(seed: int = 0) -> onnx.ModelProto:
    """All exact forms in one network: uint8 ``image (1, SIDE, SIDE, 3)`` → float ``(1, CLASSES)`` logits."""
    b = Builder(seed)
    x = b.dequantize(b.node("Transpose", "image", perm=[0, 3, 1, 2]), 1 / 64, 128)
    x = b.requantize(b.conv(x, 3, inputs=3, stride=2), INPUT_SCALE, 128)
    forms = ((EXACT["sum"], 0.04, 128), (gate, 0.0354, 128), (wide, 0.01, 0), (chain, 0.03, 128))
    for form, scale, zero_point in forms:
        x = b.dequantize(form(b, x), scale, zero_point)
    pooled = b.node("Flatten", b.requantize(b.node("GlobalAveragePool", x), 0.01, 128))
    logits = b.node("Gemm", pooled, b.weights((CLASSES, CHANNELS)), transB=1)
    logits = b.named(b.requantize(logits, 0.01, 128), "logits")
    return b.model(("image", (1, SIDE, SIDE, 3)), logits, TensorProto.FLOAT)


def float_classifier(seed: int = 1) -> onnx.ModelProto:
    """A network in full precision, with input and output as :func:`classifier`'s."""
    b = Builder(seed)
    x = b.node("Cast", b.node("Transpose", "image", perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)
    x = b.node("Div", b.node("Sub", x, b.constant(127.5, np.float32)), b.constant(64, np.float32))
    for inputs, outputs, stride in ((3, 16, 2), (16, 24, 1), (24, CLASSES, 1)):
        weights = b.constant(b.rng.normal(0, 1 / np.sqrt(9 * inputs), (outputs, inputs, 3, 3)), np.float32)
        x = b.node(
            "Relu", b.node("Conv", x, weights, kernel_shape=[3, 3], pads=[1] * 4, strides=[stride] * 2)
        )
    logits = b.named(b.node("Flatten", b.node("GlobalAveragePool", x)), "logits")
    return b.model(("image", (1, SIDE, SIDE, 3)), logits, TensorProto.FLOAT)
