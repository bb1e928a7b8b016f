"""Wide layers: 16-bit weights whose float arithmetic is exact, so that every CPU gives the same bits.

A float convolution sums in an order of its kernel's own, so its last bits differ between CPUs. A wide layer
feeds the float kernel whole numbers instead: codes minus zero point, and weights as integers ``w`` with one
scale a channel, chosen so that ``255 · Σ|w| + |bias| < 2^24``. Every product and every partial sum is then a whole
number that float32 holds exactly, in any order, with or without fused multiply-add. One QuantizeLinear with a
scale a channel brings the sum to codes. The weight keeps 11 to 15 bits at two bytes each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.convert.graph import copy_node
from edgekit_export.quantize.integer import U8_MAX, Affine
from edgekit_export.quantize.weights import Codes, LayerWeights, broadcast

if TYPE_CHECKING:
    from edgekit_export.quantize.write_qdq import Layer, _Writer

_EXACT = 2**24
_INT16_MAX = 2**15 - 1


def wide_codes(weights: LayerWeights, code: Affine) -> Codes:
    """Integer weights as fine as exactness allows.

    Args:
        weights: float parameters of the layer.
        code: affine code of its input.
    """
    weight = weights.weight.reshape(len(weights.weight), -1)
    reach = max(code.zero_point, U8_MAX - code.zero_point)
    bias = np.abs(weights.bias) if weights.bias is not None else np.zeros(len(weight))
    # Rounding adds at most half a step to each weight and to the bias.
    slack = reach * weight.shape[1] * 0.5 + 1
    sums = reach * np.abs(weight).sum(axis=1) + bias / code.scale
    finest = np.maximum(sums / (_EXACT - slack), np.abs(weight).max(axis=1) / _INT16_MAX)
    scale = np.where(finest > 0, finest, 1.0) * (1 + 1e-6)
    scale32 = scale.astype(np.float32)
    return Codes(np.rint(weights.weight / broadcast(scale32.astype(np.float64), weights.weight.ndim)), scale32)


def wide_bias(weights: LayerWeights, codes: Codes, code: Affine) -> Array:
    """The bias in units of ``input scale × weight scale``, whole numbers as float64."""
    assert weights.bias is not None
    return np.rint(weights.bias / (code.scale * codes.scale.astype(np.float64)))


def whole_numbers(writer: _Writer, source: str, name: str) -> str:
    """``code - zero_point`` of a coded tensor as float32.

    Spelled Cast and Sub, never DequantizeLinear: onnxruntime ≥ 1.21 rounds the float weight of a Conv or Gemm
    to int8, one scale a tensor, wherever its input is a DequantizeLinear (its WeightBiasQuantization pass).
    """
    floats = writer.add("Cast", [writer.coded(source)], f"{name}.i", to=onnx.TensorProto.FLOAT)
    zero_point = writer.codes[source].zero_point
    if zero_point == 0:
        return floats
    zero = writer.const(f"{name}.iz", np.asarray(zero_point, np.float32))
    return writer.add("Sub", [floats, zero], f"{name}.c")


def wide_nodes(writer: _Writer, node: onnx.NodeProto, layer: Layer) -> None:
    """Writes ``codes → whole numbers → float kernel → QuantizeLinear by channel``."""
    name, source, codes = node.output[0], node.input[0], layer.codes
    assert codes is not None
    code = writer.codes[source]
    target = next((o for o, i in writer.placement.absorbed.items() if i == name), name)
    weight = writer.const(f"{name}.wq", codes.codes.astype(np.int16))
    floats = writer.add("Cast", [weight], f"{name}.wd", to=onnx.TensorProto.FLOAT)
    whole = whole_numbers(writer, source, name)
    bias = writer.const(f"{name}.b", wide_bias(layer.weights, codes, code).astype(np.float32))
    made = copy_node(node)
    del made.input[:]
    made.input.extend([whole, floats, bias])
    writer.nodes.append(made)
    out = writer.codes[target]
    step = (np.float64(out.scale) / (np.float64(code.scale) * codes.scale.astype(np.float64))).astype(np.float32)
    steps = writer.const(f"{name}.qs", step)
    zeros = writer.const(f"{name}.qz", np.full(len(step), out.zero_point, np.uint8))
    writer.add("QuantizeLinear", [name, steps, zeros], f"{target}.q", axis=1)
    writer.add("DequantizeLinear", [f"{target}.q", *writer.affine(target)], f"{target}.d")
