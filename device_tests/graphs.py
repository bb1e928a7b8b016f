"""Small int8 graphs in the forms that the exporter writes, each for one claim of ``docs/arm.md``.

Every graph takes ``uint8 (1, 8, 12, 12)`` and gives ``uint8``. Scales are chosen here so that no two graphs share
their weakness: what must be exact is exact by construction, and one graph is inexact on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHANNELS = 8
SHAPE = (1, CHANNELS, 12, 12)
INPUTS = 6
INPUT_SCALE = 0.02
ODD = 511  # scale ratios of sums are multiples of 1 / ODD: with an odd denominator no sum lies between two codes
WIDE_LIMIT = 3000  # 72 products of at most 255 * 3000 stay below 2**24, where float32 counts in ones


class Builder:
    """Collects nodes and constants; each method adds one node and returns the name of what it gives."""

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
        scale_, zero = self.constant(scale, np.float32), self.constant(zero_point, np.uint8)
        return self.node("DequantizeLinear", codes, scale_, zero)

    def quantize(self, values: str, scale: float, zero_point: int) -> str:
        """Float → uint8 codes."""
        scale_, zero = self.constant(scale, np.float32), self.constant(zero_point, np.uint8)
        return self.node("QuantizeLinear", values, scale_, zero)

    def requantize(self, values: str, scale: float, zero_point: int) -> str:
        """Float → float, by way of uint8 codes."""
        return self.dequantize(self.quantize(values, scale, zero_point), scale, zero_point)

    def conv(self, values: str, side: int, group: int = 1) -> str:
        """A convolution with int8 weights, one scale an output channel; its values lie within about ±4."""
        fan_in = CHANNELS // group * side**2
        weights = self.rng.integers(-127, 128, (CHANNELS, CHANNELS // group, side, side))
        scales = self.rng.uniform(0.005, 0.02, CHANNELS) / np.sqrt(fan_in)
        dequantized = self.node(
            "DequantizeLinear",
            self.constant(weights, np.int8),
            self.constant(scales, np.float32),
            self.constant(np.zeros(CHANNELS), np.int8),
            axis=0,
        )
        return self.node(
            "Conv", values, dequantized, kernel_shape=[side] * 2, pads=[side // 2] * 4, group=group
        )

    def save(self, output: str, path: Path) -> None:
        """Writes the graph, and inputs for it."""
        image = helper.make_tensor_value_info("x", TensorProto.UINT8, SHAPE)
        result = helper.make_tensor_value_info(output, TensorProto.UINT8, None)
        graph = helper.make_graph(self._nodes, path.stem, [image], [result], self._constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        onnx.save(model, path)
        np.save(path.with_suffix(".npy"), self.rng.integers(0, 256, (INPUTS, *SHAPE), dtype=np.uint8))


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
    body, scale, q, m = b.requantize(b.conv(x, 3), 0.03, 128), 1 / 255, 301, 1
    pooled = b.requantize(b.node("GlobalAveragePool", body), 0.01, 128)
    weight = b.requantize(
        b.node("HardSigmoid", b.requantize(b.conv(pooled, 1), 0.02, 128), alpha=0.2), scale, 0
    )
    return b.quantize(b.node("Mul", body, weight), 0.03 * scale * q / m, 128)


def wide(b: Builder, x: str) -> str:
    """A convolution kept more precise than int8, and still exact: integers in float32, below 2**24.

    Its input is cast, not dequantised: the engine would quantise the weights of a float convolution between
    DequantizeLinear and QuantizeLinear, by one scale for all channels.
    """
    codes = b.quantize(b.node("Relu", b.conv(x, 1)), 0.016, 0)
    weights = b.constant(b.rng.integers(-WIDE_LIMIT, WIDE_LIMIT, (CHANNELS, CHANNELS, 3, 3)), np.float32)
    values = b.node("Sub", b.node("Cast", codes, to=TensorProto.FLOAT), b.constant(0, np.float32))
    summed = b.node("Relu", b.node("Conv", values, weights, kernel_shape=[3, 3], pads=[1] * 4))
    scales = b.constant(b.rng.uniform(2e4, 6e4, CHANNELS), np.float32)
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
    """Writes graphs and their inputs into a new folder."""
    folder.mkdir()
    for seed, (name, make) in enumerate(graphs.items()):
        builder = Builder(seed)
        builder.save(make(builder, builder.dequantize("x", INPUT_SCALE, 128)), folder / f"{name}.onnx")
    return folder
