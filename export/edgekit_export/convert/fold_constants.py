"""Pass: nodes whose inputs are all constant are computed once, here."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, constant, copy_node, remove_nodes

_LIMIT_BYTES = 1 << 20
"""A result larger than this stays computed, unless what it is made of goes: folding must not make the file larger."""

_QUANTISED = frozenset({"QuantizeLinear", "DequantizeLinear"})
_CONTROL_FLOW = frozenset({"If", "Loop", "Scan"})
_CHANCE = frozenset({"Bernoulli", "Multinomial", "RandomNormalLike", "RandomUniformLike"})
"""Draws anew each time it runs; drawn here, two exports of a model would differ."""

_NEVER = _QUANTISED | _CONTROL_FLOW | _CHANCE


def fold_constants(model: onnx.ModelProto) -> None:
    """Replaces nodes of constant inputs by initialisers; graph outputs are left alone."""
    view = GraphView(model)
    known = dict(view.constants)
    gone = []
    for node in model.graph.node:
        if node.op_type in _NEVER or node.domain not in ("", "ai.onnx") or not node.input:
            continue
        if any(name and name not in known for name in node.input) or set(node.output) & set(view.outputs):
            continue
        results = _compute(model, node, known)
        if sum(array.nbytes for array in results) > max(_LIMIT_BYTES, _freed(view, known, node)):
            continue
        made = [constant(name, array) for name, array in zip(node.output, results, strict=True)]
        known.update({tensor.name: tensor for tensor in made})
        model.graph.initializer.extend(made)
        gone.append(node)
    remove_nodes(model.graph, gone)


def _freed(view: GraphView, known: dict[str, onnx.TensorProto], node: onnx.NodeProto) -> int:
    """Bytes of constants that this node alone reads: a weight that two layers share lies behind one Transpose."""
    alone = {name for name in node.input if name and view.uses(name) == list(node.input).count(name)}
    return sum(len(known[name].raw_data) for name in alone)


def _compute(model: onnx.ModelProto, node: onnx.NodeProto, known: dict[str, onnx.TensorProto]) -> list[Array]:
    graph = helper.make_graph(
        [copy_node(node)],
        "one_node",
        [],
        [onnx.ValueInfoProto(name=name) for name in node.output],
        [known[name] for name in dict.fromkeys(node.input) if name],
    )
    alone = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    return [np.asarray(value) for value in ReferenceEvaluator(alone).run(None, {})]
