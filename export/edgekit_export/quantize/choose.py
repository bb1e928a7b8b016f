"""The recipe of a graph for which none was written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import onnx

from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.placement import layers
from edgekit_export.quantize.recipe import DYNAMIC_INT8, Recipe, recipe_from
from edgekit_export.quantize.tables import tables


def recipe_for(model: onnx.ModelProto, table: Mapping[str, Any]) -> Recipe:
    """What the table says; where it says nothing, dynamic int8 for transformers and static int8 for the rest.

    Args:
        model: normalised float graph.
        table: ``quantize`` of a recipe.

    Raises:
        UsageError: an unknown key, or a value out of range.
    """
    return DYNAMIC_INT8 if not table and is_transformer(model) else recipe_from(table)


def is_transformer(model: onnx.ModelProto) -> bool:
    """Whether most weights are of linear layers and lookup tables, and rows are normalised or attend to each other.

    A convolutional network whose classifier outweighs it has neither.
    """
    view, linear, rest = GraphView(model), 0, 0
    for node in layers(model):
        size = math.prod(view.constants[node.input[1]].dims)
        linear, rest = (linear, rest + size) if node.op_type == "Conv" else (linear + size, rest)
    linear += sum(math.prod(table.shape) for table in tables(model))
    return linear > rest and any(_of_rows(view, node) for node in model.graph.node)


def _of_rows(view: GraphView, node: onnx.NodeProto) -> bool:
    if node.op_type == "MatMul":
        return not any(name in view.constants for name in node.input)
    return node.op_type in ("LayerNormalization", "RMSNormalization")
