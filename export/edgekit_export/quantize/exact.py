"""Whether a quantised graph computes the same bits on every CPU."""

from __future__ import annotations

import onnx

from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.placement import CODED, MOVES, Placement

_EXACT = frozenset(
    [
        *(
            "QuantizeLinear",
            "DequantizeLinear",
            "Conv",
            "Gemm",
            "MatMul",
            "Add",
            "Mul",
            "Sub",
            "Cast",
            "Clip",
        ),
        *("Round", "Relu", "HardSigmoid", "AveragePool", "GlobalAveragePool", "ReduceMean", "Concat"),
        *("Shape", "Gather", *MOVES),
    ]
)
"""Operators that gave equal bits on x86 and ARM, where a QuantizeLinear follows (``docs/arm.md``)."""

_ENDS = frozenset({"DequantizeLinear", "Gemm", "MatMul", *MOVES})
"""Operators whose float result is exact even as an output of the graph."""


def is_exact(model: onnx.ModelProto, placement: Placement) -> bool:
    """True where all layers compute in whole numbers, and what lies between them is exact as well."""
    if not placement.modes or not all(mode in CODED for mode in placement.modes.values()):
        return False
    if not {node.op_type for node in model.graph.node} <= _EXACT:
        return False
    view = GraphView(model)
    return all(name in view.producer and view.producer[name].op_type in _ENDS for name in view.outputs)
