"""Pass: nodes that compute nothing new (Identity, inference-time Dropout, empty casts) and dead ones go."""

from __future__ import annotations

import onnx

from edgekit_export.convert.graph import GraphView, attribute, remove_nodes

_TRANSPARENT = frozenset({"Identity", "Dropout"})


def remove_identities(model: onnx.ModelProto) -> None:
    """Wires past Identity and Dropout nodes; a graph output keeps its name."""
    view = GraphView(model)
    instead: dict[str, str] = {}
    outputs, gone = set(view.outputs), []
    for node in model.graph.node:
        if not _is_transparent(view, node):
            continue
        source, target = instead.get(node.input[0], node.input[0]), node.output[0]
        if target not in outputs:
            instead[target] = source
        elif source in view.producer and source not in outputs:
            instead[source] = target
            outputs.add(target)
        else:
            continue  # an input or a constant handed straight to an output
        gone.append(node)
    remove_nodes(model.graph, gone)
    for node in model.graph.node:
        for names in (node.input, node.output):
            for position, name in enumerate(names):
                names[position] = _resolve(name, instead)


def drop_empty_casts(model: onnx.ModelProto) -> None:
    """Casts to the type that a tensor has already become Identity; types must have been inferred."""
    graph = model.graph
    types = {v.name: v.type.tensor_type.elem_type for v in [*graph.input, *graph.value_info]}
    for node in graph.node:
        if node.op_type == "Cast" and attribute(node, "to") == types.get(node.input[0]):
            node.op_type = "Identity"
            del node.attribute[:]


def _is_transparent(view: GraphView, node: onnx.NodeProto) -> bool:
    """True for Identity, and for Dropout unless it is told to train or someone reads its mask."""
    if node.op_type not in _TRANSPARENT or any(view.uses(extra) for extra in node.output[1:]):
        return False
    return len(node.input) < 3 or not node.input[2] or view.scalar(node.input[2]) == 0.0


def _resolve(name: str, instead: dict[str, str]) -> str:
    while name in instead:
        name = instead[name]
    return name


def remove_dead(model: onnx.ModelProto) -> None:
    """Drops nodes and initialisers that no graph output depends on."""
    view = GraphView(model)
    wanted, stack = set(view.outputs), list(view.outputs)
    while stack:
        maker = view.producer.get(stack.pop())
        for name in maker.input if maker is not None else ():
            if name and name not in wanted:
                wanted.add(name)
                stack.append(name)
    remove_nodes(model.graph, [n for n in model.graph.node if not set(n.output) & wanted])
    unused = [t.name for t in model.graph.initializer if t.name not in wanted]
    for name in unused:
        position = next(i for i, t in enumerate(model.graph.initializer) if t.name == name)
        del model.graph.initializer[position]
