"""Pass: the graph's one output gets the name that the bundle's head reads."""

from __future__ import annotations

import onnx

from edgekit.errors import ModelError
from edgekit_export.convert.graph import GraphView, tensor_names


def rename_output(model: onnx.ModelProto, name: str) -> None:
    """Renames the only output to ``name``.

    Raises:
        ModelError: the graph has several outputs, or another tensor has that name.
    """
    if len(model.graph.output) != 1:
        found = ", ".join(v.name for v in model.graph.output)
        raise ModelError(f"expected a graph with one output, got {len(model.graph.output)}: {found}")
    old = model.graph.output[0].name
    if old == name:
        return
    if name in tensor_names(model):
        raise ModelError(f"graph has a tensor named {name!r} already")
    if old in GraphView(model).inputs:
        raise ModelError(f"output {old!r} is an input handed through, expected a computed one")
    for node in model.graph.node:
        for names in (node.input, node.output):
            for i, tensor in enumerate(names):
                if tensor == old:
                    names[i] = name
    for value in [*model.graph.output, *model.graph.value_info, *model.graph.initializer]:
        if value.name == old:
            value.name = name
