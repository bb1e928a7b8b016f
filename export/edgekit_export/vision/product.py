"""Products of many tokens with weights: in float32, or in 8-bit integers with a scale a token and a scale an output."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from edgekit.types import F32, I8, Array
from edgekit_export.language.graph_writer import CONTRIB, GraphWriter
from edgekit_export.language.planes import write_numbers
from edgekit_export.quantize.tiered import Tiered

VisionWeight = F32 | Tiered

_STORED_AS_INT4 = 4
_FAINTEST = np.float32(1e-12)
"""What a token of nothing but zeros is divided by."""


def write_products(
    writer: GraphWriter, source: str, names: Sequence[str], weights: Sequence[VisionWeight]
) -> list[str]:
    """``source · weightᵀ`` of several weights that read the same, without biases.

    Args:
        writer: of the graph.
        source: ``(1, tokens, k)`` float32.
        names: of the results.
        weights: ``(n, k)`` each.

    Returns:
        The names: ``(1, tokens, n)`` float32 each.
    """
    return [_product(writer, source, name, weight) for name, weight in zip(names, weights, strict=True)]


def _product(writer: GraphWriter, source: str, name: str, weight: VisionWeight) -> str:
    if isinstance(weight, np.ndarray):
        stored = _constant(writer, f"{name}.weight", np.ascontiguousarray(weight.T))
        return writer.add("MatMul", [source, stored], name)
    codes, largest = _coded(writer, source)
    scales = _constant(writer, f"{name}.scales", weight.scales)
    inputs = [codes, _integers(writer, name, weight), f"{codes}.scale", scales, f"{codes}.zero"]
    whole = writer.add("MatMulIntegerToFloat", inputs, f"{name}.whole", CONTRIB)
    return writer.add("Mul", [whole, largest], name)


def _coded(writer: GraphWriter, source: str) -> tuple[str, str]:
    """Each token over its own largest number, in 8 bits, and these numbers; once for all that read it."""
    codes, largest = f"{source}.codes", f"{source}.largest"
    if writer.has(codes):
        return codes, largest
    last = writer.constant("last", np.asarray([-1], np.int64))
    high = writer.add("ReduceMax", [source, last], f"{source}.high", keepdims=1)
    low = writer.add("ReduceMin", [source, last], f"{source}.low", keepdims=1)
    below = writer.add("Neg", [low], f"{source}.below")
    writer.add("Max", [high, below, writer.constant("faintest", np.asarray(_FAINTEST))], largest)
    evened = writer.add("Div", [source, largest], f"{source}.evened")
    writer.add("DynamicQuantizeLinear", [evened], [codes, f"{codes}.scale", f"{codes}.zero"])
    return codes, largest


def _integers(writer: GraphWriter, name: str, weight: Tiered) -> str:
    """``(k, n)`` int8: codes times factors.

    Codes are widened when the graph is loaded; the engine does not fold their product with the factors and makes it
    anew for each picture, in 35 ms of 630 for 93 M weights (docs/decisions/vision-graphs.md).
    """
    n, k = weight.shape
    blocks = np.ascontiguousarray(weight.codes.T).reshape(k // weight.block, weight.block, n)
    if weight.bits == 8:
        return _constant(writer, f"{name}.integers", blocks.reshape(k, n))
    codes, zero = _stored(writer, name, blocks, weight.bits)
    assert weight.factors is not None
    factors = _constant(writer, f"{name}.factors", np.ascontiguousarray(weight.factors.T)[:, None])
    one, none = writer.constant("one", np.asarray(1, np.float32)), _level(writer, 0)
    fraction = writer.constant(f"fraction{weight.bits}", np.asarray(0.5 ** (weight.bits - 1), np.float32))
    given = [codes, fraction, zero, factors, one, none, one, none]
    product = writer.add("QLinearMul", given, f"{name}.blocks", CONTRIB)
    dims = writer.constant(f"dims{k}.{n}", np.asarray([k, n], np.int64))
    return writer.add("Reshape", [product, dims], f"{name}.integers")


def _stored(writer: GraphWriter, name: str, blocks: I8, bits: int) -> tuple[str, str]:
    """Codes in int8, and what stands for zero in them."""
    if bits == _STORED_AS_INT4:
        packed = writer.nibbles(f"{name}.packed", blocks)
        return writer.add("Cast", [packed], f"{name}.codes", to=TensorProto.INT8), _level(writer, 0)
    middle = 1 << (bits - 1)
    flat = write_numbers(writer, name, (blocks.reshape(-1).astype(np.int16) + middle).astype(np.uint8), bits)
    signed = writer.add("Cast", [flat], f"{name}.signed", to=TensorProto.INT8)
    dims = writer.constant(f"dims{blocks.shape}", np.asarray(blocks.shape, np.int64))
    return writer.add("Reshape", [signed, dims], f"{name}.codes"), _level(writer, middle)


def _level(writer: GraphWriter, value: int) -> str:
    return writer.constant(f"level{value}", np.asarray(value, np.int8))


def _constant(writer: GraphWriter, name: str, array: Array) -> str:
    """Stored once for the graphs of all sizes."""
    return writer.constant(name, array, key=name)
