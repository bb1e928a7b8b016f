"""Codes that no integer kernel computes with."""

from __future__ import annotations

import numpy as np
import onnx

from edgekit_export.convert.graph import GraphView
from edgekit_export.lint.subject import WEIGHTED, Subject, code_type, dequantizes, is_constant
from edgekit_export.lint.warning import LintWarning, warning_of

_FUSABLE = WEIGHTED | {"Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool"}
"""Operators for which the engine has an integer kernel."""
_PASSED = frozenset({"Relu", "Clip", "ReorderInput", "ReorderOutput"})


def unfused_qdq(subject: Subject) -> LintWarning | None:
    """Operators that have an integer kernel, and compute in float between codes."""
    found = [
        node
        for node in subject.view.graph.node
        if node.op_type in _FUSABLE and _reads_codes(subject.view, node) and _is_coded(subject.view, node)
    ]
    return warning_of(
        "unfused-qdq",
        found,
        "compute in float between a DequantizeLinear and a QuantizeLinear: slower than float throughout",
        "give weight, bias and both tensors codes in the patterns that onnxruntime fuses, or keep them all in float",
    )


def _reads_codes(view: GraphView, node: onnx.NodeProto) -> bool:
    """Whether all that ``node`` computes with comes from codes, constants excepted.

    Where all codes are int8, onnxruntime fuses on ARM and not on x86: ``slow_s8s8`` speaks of that.
    """
    types = [code_type(view, name) for name in node.input if name and not is_constant(view, name)]
    return bool(types) and None not in types and set(types) != {np.dtype(np.int8)}


def _is_coded(view: GraphView, node: onnx.NodeProto) -> bool:
    """Whether what ``node`` gives, behind a rectifier, is only made codes of."""
    users = view.consumers.get(node.output[0], [])
    while len(users) == 1 and users[0].op_type in _PASSED:
        users = view.consumers.get(users[0].output[0], [])
    return bool(users) and all(user.op_type == "QuantizeLinear" for user in users)


def weights_expanded_each_run(subject: Subject) -> LintWarning | None:
    """Weights behind a DequantizeLinear that no kernel took in: the engine never folds one."""
    view, found = subject.view, []
    for node in view.graph.node:
        users = view.consumers.get(node.output[0], []) if dequantizes(node) else []
        stored = bool(users) and node.input[0] in view.constants
        if stored and not all(code_type(view, user.input[0]) == np.int8 for user in users):
            found.append(node)
    return warning_of(
        "weights-expanded-each-run",
        found,
        "are constants that a DequantizeLinear expands to float at every run",
        "store them behind Cast and Mul, which onnxruntime folds when it loads the model",
    )
