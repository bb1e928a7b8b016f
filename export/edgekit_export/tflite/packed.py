"""Weights of 4 to 16 bits in a TFLite graph, unpacked by its own operators: docs/decisions/tflite-weights.md.

TFLite has int16, int8, int4 and int2. A code is cut into planes of such types, DEQUANTIZE gives each plane what its
lowest bit is worth, ADD puts them together: whole numbers in float32, all exact. The product with the channel's scale
is then the same float32 as in the ONNX graph. The engine's fast convolutions want a constant weight, which this is
not, so a layer that is one matrix for all positions becomes BATCH_MATMUL and ADD.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from edgekit.types import Array
from edgekit_export.quantize.weights import Codes
from edgekit_export.tflite.flatbuffer import Graph
from edgekit_export.tflite.half import half_weights
from edgekit_export.tflite.layers import TfliteLayer, is_matrix

_BYTE = 8
_WIDTHS = (8, 4, 2)
_WHOLE = 16
_DEQUANTIZE = {"int8": 2, "int16": 3, "float16": 3, "int4": 6, "int2": 6}
"""Type → first version of DEQUANTIZE that takes it; 6 takes int2 where the library knows the type."""


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Some bits of every code: ``code = Σ (digit - zero_point) * worth`` over the planes of a weight.

    Attributes:
        dtype: ``int16``, ``int8``, ``int4`` or ``int2``.
        stored: digits as that type; of int4 and int2 as uint8, several a byte, the first one lowest.
        worth: of a digit's lowest bit.
        zero_point: that makes a digit unsigned again; 0 for the plane with the sign.
    """

    dtype: str
    stored: Array
    worth: int
    zero_point: int


def stored_bits(bits: int) -> int:
    """Bits that a code takes here: the next even number, as there is no type of one bit."""
    return bits + bits % 2


def bytes_of(shape: tuple[int, ...], bits: int) -> int:
    """Bytes of the planes of a weight and of its scales; the tables of a graph take 0.4 to 0.9 kB beside them.

    Args:
        shape: of the codes, output channels first.
        bits: of a code, 4 to 16.
    """
    widths = [_WHOLE] if bits == _WHOLE else [width for width in _WIDTHS if stored_bits(bits) & width]
    return 4 * shape[0] + sum(-(-prod(shape) * width // _BYTE) for width in widths)


def pack(codes: Array, bits: int) -> list[Plane]:
    """The planes of a weight's codes, highest first.

    Args:
        codes: whole numbers that ``bits`` hold, in the shape that the graph has them.
        bits: 4 to 14, or 16.

    Raises:
        ValueError: a code that the bits cannot hold.
    """
    below, half = stored_bits(bits), 1 << (bits - 1)
    if codes.size and (codes.min() < -half or codes.max() >= half):
        raise ValueError(f"codes of {bits} bits: expected −{half} to {half - 1}")
    if below == _WHOLE:
        return [Plane("int16", codes.astype(np.int16), 1, 0)]
    unsigned = codes.astype(np.int64) + (1 << (below - 1))
    planes: list[Plane] = []
    for width in (width for width in _WIDTHS if stored_bits(bits) & width):
        below -= width
        middle = 1 << (width - 1)
        digits = ((unsigned >> below) & ((1 << width) - 1)) - middle
        planes.append(Plane(f"int{width}", _dense(digits, width), 1 << below, -middle if planes else 0))
    return planes


def _dense(digits: Array, width: int) -> Array:
    """Signed digits as bytes."""
    if width == _BYTE:
        return digits.astype(np.int8)
    per_byte = _BYTE // width
    padded = np.zeros(-(-digits.size // per_byte) * per_byte, np.int64)
    padded[: digits.size] = digits.reshape(-1) & ((1 << width) - 1)
    rows = padded.reshape(-1, per_byte) << (width * np.arange(per_byte))
    packed: Array = rows.sum(axis=1).astype(np.uint8)
    return packed


def write_packed(
    graph: Graph,
    operator: Any,  # noqa: ANN401
    layer: TfliteLayer,
    codes: Codes,
    bits: int,
    bias: Array,
) -> int:
    """Gives a float layer its integer weight; what it read before stays in the graph, unread.

    A convolution over several pixels keeps its operator, which the engine computes fast with a constant weight only:
    it gets the weight in float16.

    Args:
        graph: to change.
        operator: of the layer.
        layer: the same.
        codes: integer weight, output channels first.
        bits: of its codes.
        bias: ``(outputs,)``.

    Returns:
        Bytes of the weight as it is stored, without scales.
    """
    added = graph.add_constant(f"{layer.name}.b", bias.astype(np.float32))
    if not is_matrix(graph, operator):
        return _write_half(graph, operator, layer, codes, added)
    matrix = codes.codes.reshape(len(codes.scale), -1).T
    planes = pack(matrix, bits)
    parts = [_dequantized(graph, operator, layer, plane, matrix.shape) for plane in planes]
    whole = parts[0]
    for number, part in enumerate(parts[1:]):
        total = graph.add_tensor(f"{layer.name}.a{number}", matrix.shape)
        whole = graph.insert(operator, "ADD", [whole, part], total)
    scale = graph.add_constant(f"{layer.name}.s", codes.scale)
    weight = graph.add_tensor(f"{layer.name}.w", matrix.shape)
    graph.insert(operator, "MUL", [whole, scale], weight)
    output = int(operator.outputs[0])
    product = graph.add_tensor(f"{layer.name}.p", graph.shape(output))
    graph.insert(operator, "BATCH_MATMUL", [int(operator.inputs[0]), weight], product)
    fused = operator.builtinOptions.fusedActivationFunction
    graph.insert(operator, "ADD", [product, added], output, fused=fused)
    graph.remove(operator)
    return sum(plane.stored.nbytes for plane in planes)


def _dequantized(
    graph: Graph,
    operator: Any,  # noqa: ANN401
    layer: TfliteLayer,
    plane: Plane,
    shape: tuple[int, ...],
) -> int:
    """The tensor of a plane in float32; the engine computes it once and keeps it."""
    name = f"{layer.name}.{plane.dtype}"
    code = (float(plane.worth), plane.zero_point)
    stored = graph.add_constant(f"{name}q", plane.stored, (plane.dtype, shape), code)
    real = graph.add_tensor(name, shape)
    return graph.insert(operator, "DEQUANTIZE", [stored], real, version=_DEQUANTIZE[plane.dtype])


def _write_half(
    graph: Graph,
    operator: Any,  # noqa: ANN401
    layer: TfliteLayer,
    codes: Codes,
    bias: int,
) -> int:
    float_weight = graph.constant(layer.weight)
    assert float_weight is not None
    half = half_weights(codes.real.reshape(layer.to_onnx(float_weight).shape))
    stored = graph.add_constant(f"{layer.name}.q", layer.from_onnx(half))
    weight = graph.add_tensor(f"{layer.name}.w", graph.shape(stored))
    graph.insert(operator, "DEQUANTIZE", [stored], weight, version=_DEQUANTIZE["float16"])
    operator.inputs = np.int32([operator.inputs[0], weight, bias])
    return int(half.nbytes)
