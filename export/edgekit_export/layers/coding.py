"""Whole numbers that stand for real values: ``real = code * scale``, within limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from edgekit.types import Array
from edgekit_export.convert.graph import constant


@dataclass(frozen=True, slots=True)
class Coding:
    """The codes of a tensor, counted from the one that stands for 0.0.

    Attributes:
        scale: real value of one step, above 0.
        lowest: smallest whole number, and
        highest: largest one: for uint8 codes ``-zero_point`` and ``255 - zero_point``.
    """

    scale: float
    lowest: int
    highest: int

    def real(self, codes: Array) -> Array:
        """float32 values of stored codes; unsigned ones are counted from ``-lowest`` first."""
        whole = codes.astype(np.float32)
        if codes.dtype == np.uint8:
            whole += np.float32(self.lowest)
        return whole * np.float32(self.scale)

    def nodes(
        self, source: str, target: str, divide: bool = True, multiply: bool = True
    ) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
        """Operators that round ``source`` to its codes and give ``target``, a float again.

        Not a QuantizeLinear and DequantizeLinear: onnxruntime would round the float weight of a layer behind
        these as well (see :mod:`edgekit_export.quantize.write_qdq`).

        Args:
            source: real values, or counted in ``scale`` already where not ``divide``.
            target: real values, or counted in ``scale`` where not ``multiply``.
        """
        scale, low, high, steps, rounded, clipped = (f"{target}.{part}" for part in "slhdrk")
        nodes = [helper.make_node("Div", [source, scale], [steps])] if divide else []
        nodes.append(helper.make_node("Round", [steps if divide else source], [rounded]))
        nodes.append(helper.make_node("Clip", [rounded, low, high], [clipped if multiply else target]))
        if multiply:
            nodes.append(helper.make_node("Mul", [clipped, scale], [target]))
        values = {low: self.lowest, high: self.highest} | ({scale: self.scale} if divide or multiply else {})
        return nodes, [constant(name, np.asarray(value, np.float32)) for name, value in values.items()]
