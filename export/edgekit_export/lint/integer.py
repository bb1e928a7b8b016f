"""Integer kernels that are slow or inexact on some processors."""

from __future__ import annotations

import numpy as np
import onnx

from edgekit_export.convert.graph import GraphView, attribute
from edgekit_export.lint.subject import WEIGHTED, Subject, code_type, is_constant
from edgekit_export.lint.warning import LintWarning, warning_of

_CODES = {
    "QLinearConv": (2, 3),
    "QLinearMatMul": (2, 3),
    "QGemm": (2, 3),
    "ConvInteger": (2, 1),
    "MatMulInteger": (2, 1),
    "MatMulIntegerToFloat": (4, 1),
}
"""Integer kernel → positions of its input's zero point, which has the type of its codes, and of its weight."""
_NOT_SATURATING = 64
"""Of a weight: two products with codes up to 255 stay within 16 bits."""


def dynamic_convolution(subject: Subject) -> LintWarning | None:
    """Convolutions whose input is coded at run time."""
    found = [node for node in subject.view.graph.node if node.op_type == "ConvInteger"]
    return warning_of(
        "dynamic-convolution",
        found,
        "are convolutions of dynamic quantisation: coded at every run, and summed by a kernel without fusing",
        "calibrate them (mode int8), or keep float activations (mode weight8)",
    )


def slow_s8s8(subject: Subject) -> LintWarning | None:
    """int8 activations with int8 weights where these are slower than float32."""
    if not subject.target.slow_s8s8:
        return None
    view = subject.view
    found = [node for node, codes, _ in _integer_kernels(view) if codes == np.int8]
    found += [n for n in view.graph.node if n.op_type in WEIGHTED and _is_s8s8(view, n)]
    return warning_of(
        "slow-s8s8",
        found,
        f"multiply int8 activations by int8 weights: slower than float32 on {subject.target.processor}",
        "use uint8 activations",
    )


def _is_s8s8(view: GraphView, node: onnx.NodeProto) -> bool:
    """Whether a layer that is not fused, on this machine, multiplies int8 codes by int8 codes."""
    data, weight = node.input[0], node.input[1]
    return is_constant(view, weight) and code_type(view, data) == code_type(view, weight) == np.int8


def saturating_u8s8(subject: Subject) -> LintWarning | None:
    """uint8 activations with int8 weights so large that two products do not fit into 16 bits."""
    if not subject.target.saturates:
        return None
    found = [
        node
        for node, codes, weight in _integer_kernels(subject.view)
        if codes == np.uint8
        and weight.dtype == np.int8
        and np.abs(weight.astype(np.int16)).max(initial=0) > _NOT_SATURATING
    ]
    return warning_of(
        "saturating-u8s8",
        found,
        f"would saturate on {subject.target.processor}: edgekit's engine takes exact kernels there, at twice the time; "
        "others lose up to 85 of 255 steps",
        "weights of 7 bits (onnxruntime's reduce_range), or float activations (mode weight8)",
    )


def _integer_kernels(view: GraphView) -> list[tuple[onnx.NodeProto, np.dtype, np.ndarray]]:
    """Kernel, type of its input's codes, and its weight; without those whose zero point or weight is computed."""
    found = []
    for node in view.graph.node:
        zero_at, weight_at = _CODES.get(node.op_type, (0, 0))
        if len(node.input) <= max(zero_at, weight_at) or not zero_at:
            continue
        zero, weight = view.value(node.input[zero_at]), view.value(node.input[weight_at])
        if zero is not None and weight is not None:
            found.append((node, zero.dtype, weight))
    return found


def missing_accuracy_level(subject: Subject) -> LintWarning | None:
    """Weights of few bits whose products are in float32 for want of an attribute."""
    nodes = (node for node in subject.view.graph.node if node.op_type == "MatMulNBits")
    return warning_of(
        "missing-accuracy-level",
        [node for node in nodes if not attribute(node, "accuracy_level", 0)],
        "are MatMulNBits without accuracy_level: computed in float32",
        "accuracy_level=4 computes in int8: about four times fewer instructions, and differs by up to 1.2 %",
    )
