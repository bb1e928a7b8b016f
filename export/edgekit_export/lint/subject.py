"""What rules look at: an optimised graph, and the codes in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from edgekit_export.convert.graph import GraphView
from edgekit_export.target import Target

WEIGHTED = frozenset({"Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul", "FusedMatMul"})
"""Operators with a weight, computing in float."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A graph as the engine's optimiser leaves it.

    Attributes:
        view: its wiring, nodes named by :func:`edgekit_export.convert.kernel_names.name_nodes`.
        target: the processor that it is for.
    """

    view: GraphView
    target: Target


def is_constant(view: GraphView, name: str) -> bool:
    """Whether ``name`` is stored, as it is or behind a DequantizeLinear."""
    maker = view.producer.get(name)
    stored = maker.input[0] if maker is not None and dequantizes(maker) else name
    return stored in view.constants


def code_type(view: GraphView, name: str) -> np.dtype | None:
    """The type of the codes that ``name`` is made of, or None where it is made of none."""
    maker = view.producer.get(name)
    while maker is not None and maker.op_type == "ReorderInput":
        maker = view.producer.get(maker.input[0])
    if maker is None or not dequantizes(maker):
        return None
    typed = [view.value(part) for part in (maker.input[0], *maker.input[2:])]
    return next((value.dtype for value in typed if value is not None), np.dtype(np.uint8))


def dequantizes(node: onnx.NodeProto) -> bool:
    """Whether ``node`` makes codes real values."""
    return node.op_type == "DequantizeLinear"
