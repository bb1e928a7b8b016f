"""A TensorFlow.js graph as ONNX: what the wanted outputs need of it, with a planar float input."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper

from edgekit.errors import ModelError
from edgekit_export.sources.tfjs.graph_model import GraphModel, Node
from edgekit_export.sources.tfjs.operators import OPERATORS, Writer

OPSET = 18


def to_onnx(source: GraphModel, outputs: Sequence[str], shape: tuple[int, int, int, int]) -> onnx.ModelProto:
    """Writes the part of a graph that gives ``outputs``.

    Args:
        source: a graph of pictures, NHWC, with one placeholder.
        outputs: names of its operators; in ONNX they are NCHW.
        shape: of the input, NCHW.

    Raises:
        ModelError: no such output, several inputs, or an operator that is not known here; all are named.
    """
    needed = _needed(source, outputs)
    inputs = [node.name for node in needed if node.op == "Placeholder"]
    unknown = sorted({node.op for node in needed} - OPERATORS.keys() - {"Placeholder"})
    if unknown:
        raise ModelError(f"operators that are not converted: {', '.join(unknown)}", "choose earlier outputs")
    if len(inputs) != 1:
        raise ModelError(f"expected one input, got {len(inputs)}: {', '.join(inputs)}")
    writer = Writer(source)
    for node in needed:
        if node.op != "Placeholder":
            OPERATORS[node.op](writer, node)
    graph = helper.make_graph(
        writer.nodes,
        "graph",
        [helper.make_tensor_value_info(inputs[0], TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        list(writer.constants.values()),
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    typed = onnx.shape_inference.infer_shapes(made, strict_mode=True)
    onnx.checker.check_model(typed)
    return typed


def _needed(source: GraphModel, outputs: Sequence[str]) -> list[Node]:
    """Operators that ``outputs`` depend on, each after those that it reads."""
    for name in outputs:
        if name not in source.nodes:
            raise ModelError(f"graph has no operator {name!r}", "name one of its outputs")
    ordered: dict[str, Node] = {}
    stack = [(name, False) for name in reversed(outputs)]
    while stack:
        name, ready = stack.pop()
        if name in ordered or name in source.constants:
            continue
        if name not in source.nodes:
            raise ModelError(f"graph reads {name!r}, which it does not have")
        node = source.nodes[name]
        if ready:
            ordered[name] = node
        else:
            stack.append((name, True))
            stack += [(each, False) for each in reversed(node.inputs)]
    return list(ordered.values())
