"""Writing layers that code their input as it comes, each row by its own range.

For a row ``x`` (one token) of range ``[low, high]`` and codes ``c = round(255 (x - low) / (high - low))``::

    x W  ≈  (high - low) (c / 255) W  +  low Σ W

The middle is a product of uint8 and int8 whose scale is a constant, in the pattern that engines fuse to an integer
kernel; the last term takes the row's offset into account, with the column sums of the rounded weight.

A scale a row is what transformers need: first and last token of a BERT have activations ten times those of the tokens
between, and one scale a tensor (ONNX's DynamicQuantizeLinear) leaves these a tenth of the codes.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.quantize.integer import U8_MAX
from edgekit_export.quantize.weights import Codes, LayerWeights

_NARROWEST = 1e-30
"""Range of a row that is constant, so that nothing is divided by zero."""


class Writer(Protocol):
    """Where nodes and constants go."""

    def add(self, operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        """Adds a node, once for each output name."""

    def const(self, name: str, array: Array) -> str:
        """Adds an initialiser."""


def write_dynamic(
    writer: Writer, node: onnx.NodeProto, source: str, weights: LayerWeights, codes: Codes
) -> None:
    """Writes a MatMul or Gemm.

    Args:
        writer: takes the nodes.
        node: as it was.
        source: the float tensor that it reads, ``(..., inputs)``.
        weights: its parameters in float.
        codes: int8 weight.
    """
    name = node.output[0]
    data = _coded_rows(writer, source)
    whole = writer.const(f"{name}.wq", codes.codes.T.astype(np.int8))
    scale = writer.const(f"{name}.ws", codes.scale)
    zero = writer.const(f"{name}.wz", np.zeros(len(codes.scale), np.int8))
    weight = writer.add("DequantizeLinear", [whole, scale, zero], f"{name}.wd", axis=1)
    product = writer.add("MatMul", [data, weight], f"{name}.p")
    ranged = writer.add("Mul", [product, f"{source}.range"], f"{name}.m")
    sums = writer.const(f"{name}.wt", codes.real.sum(axis=1).astype(np.float32))
    offset = writer.add("Mul", [f"{source}.low", sums], f"{name}.o")
    if weights.bias is None:
        writer.add("Add", [ranged, offset], name)
        return
    bias = writer.const(f"{name}.b", weights.bias.astype(np.float32))
    writer.add("Add", [writer.add("Add", [ranged, offset], f"{name}.n"), bias], name)


def _coded_rows(writer: Writer, source: str) -> str:
    """Rows between 0 and 1, in codes; layers that read the same tensor share them."""
    axes = writer.const("rows.axes", np.asarray([-1], np.int64))
    high = writer.add("ReduceMax", [source, axes], f"{source}.high")
    low = writer.add("ReduceMin", [source, axes], f"{source}.low")
    width = writer.add("Sub", [high, low], f"{source}.width")
    narrowest = writer.const("rows.narrowest", np.asarray(_NARROWEST, np.float32))
    width = writer.add("Max", [width, narrowest], f"{source}.range")
    unit = writer.add("Div", [writer.add("Sub", [source, low], f"{source}.above"), width], f"{source}.unit")
    pair = [
        writer.const("rows.s", np.asarray(1 / U8_MAX, np.float32)),
        writer.const("rows.z", np.asarray(0, np.uint8)),
    ]
    whole = writer.add("QuantizeLinear", [unit, *pair], f"{source}.uq")
    return writer.add("DequantizeLinear", [whole, *pair], f"{source}.ud")
