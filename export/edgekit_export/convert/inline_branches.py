"""Pass: an If whose condition turns out constant gives way to its branch.

Exporters of scripted networks write an If wherever the code asks for a shape or a setting (a sample rate); once the
inputs' shapes are fixed and the settings constant, only one branch can ever be taken.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import onnx
from onnx import AttributeProto, helper

from edgekit.errors import ModelError
from edgekit_export.convert.fold_constants import fold_constants
from edgekit_export.convert.graph import (
    GraphView,
    attribute,
    constant,
    copy_node,
    fresh_name,
    set_nodes,
    tensor_names,
)
from edgekit_export.convert.lift_constants import lift_constants
from edgekit_export.convert.shapes import fold_shapes, infer_shapes

_BRANCHES = ("else_branch", "then_branch")


def fix_input(model: onnx.ModelProto, name: str, value: float) -> None:
    """Makes an input a constant of its own dtype and shape (dimensions that are not fixed are 1).

    Raises:
        ModelError: the graph has no such input.
    """
    given = next((v for v in model.graph.input if v.name == name), None)
    if given is None:
        inputs = ", ".join(v.name for v in model.graph.input) or "none"
        raise ModelError(f"graph has no input {name!r} to make constant; it has: {inputs}")
    tensor = given.type.tensor_type
    shape = [d.dim_value or 1 for d in tensor.shape.dim]
    dtype = helper.tensor_dtype_to_np_dtype(tensor.elem_type)
    model.graph.input.remove(given)
    model.graph.initializer.append(constant(name, np.full(shape, value, dtype)))


def inline_branches(model: onnx.ModelProto) -> None:
    """Replaces every If of constant condition, also inside branches; input shapes must have been fixed.

    An If whose condition depends on what the graph is given stays.
    """
    while any(node.op_type == "If" for node in model.graph.node):
        lift_constants(model)
        infer_shapes(model)
        fold_shapes(model)
        fold_constants(model)
        view, nodes, inlined = GraphView(model), list[onnx.NodeProto](), False
        taken = tensor_names(model)
        for node in model.graph.node:
            condition = view.value(node.input[0]) if node.op_type == "If" else None
            if condition is None:
                nodes.append(node)
                continue
            inlined = True
            branch = attribute(node, _BRANCHES[bool(condition.reshape(-1)[0])])
            nodes += _opened(model, branch, list(node.output), taken)
        set_nodes(model.graph, nodes)
        if not inlined:
            return


def _opened(
    model: onnx.ModelProto, branch: onnx.GraphProto, outputs: list[str], taken: set[str]
) -> list[onnx.NodeProto]:
    """A branch's nodes under names that are free, its results under the If's; its constants join the graph's."""
    made = {name for node in branch.node for name in node.output if name}
    names = {name: fresh_name(taken, name) for name in sorted(made | {t.name for t in branch.initializer})}
    passed = []
    for target, source in zip(outputs, (value.name for value in branch.output), strict=True):
        if source in made and names[source] not in outputs:
            names[source] = target
        else:  # a tensor from outside the branch, a constant, or one given twice
            passed.append(helper.make_node("Identity", [names.get(source, source)], [target]))
    for tensor in branch.initializer:
        kept = onnx.TensorProto()
        kept.CopyFrom(tensor)
        kept.name = names[tensor.name]
        model.graph.initializer.append(kept)
    nodes = [copy_node(node) for node in branch.node]
    _rename(nodes, names)
    return [*nodes, *passed]


def _rename(nodes: Iterable[onnx.NodeProto], names: dict[str, str]) -> None:
    """Renames tensors, also where branches inside read them."""
    for node in nodes:
        for tensors in (node.input, node.output):
            for i, name in enumerate(tensors):
                tensors[i] = names.get(name, name)
        for item in node.attribute:
            if item.type == AttributeProto.GRAPH:
                _rename(item.g.node, names)
                for value in item.g.output:
                    value.name = names.get(value.name, value.name)
