"""Pass: a graph that ends in a softmax ends before it; the bundle's head applies it instead.

Logits code better than probabilities, most of which are nearly 0; their order is the same, so that a recogniser
needs the softmax of a few steps only; and a float softmax as an output is not the same to the bit on every CPU.
"""

from __future__ import annotations

import onnx

from edgekit_export.convert.graph import GraphView, attribute


def cut_softmax(model: onnx.ModelProto) -> onnx.ModelProto | None:
    """A copy that ends before its softmax over the last axis, its output under the old name; None if it has none."""
    if len(model.graph.output) != 1:
        return None
    name = model.graph.output[0].name
    last = GraphView(model).producer.get(name)
    if last is None or last.op_type != "Softmax" or not _over_last_axis(model, last):
        return None
    made = onnx.ModelProto()
    made.CopyFrom(model)
    kept = [node for node in made.graph.node if name not in node.output]
    kept.append(onnx.helper.make_node("Identity", [last.input[0]], [name]))
    del made.graph.node[:]
    made.graph.node.extend(kept)
    return made


def _over_last_axis(model: onnx.ModelProto, softmax: onnx.NodeProto) -> bool:
    rank = len(model.graph.output[0].type.tensor_type.shape.dim)
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    axis = attribute(softmax, "axis", -1 if opset >= 13 else 1)
    return axis in (-1, rank - 1)
