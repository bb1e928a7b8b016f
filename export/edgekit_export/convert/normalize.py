"""Any ONNX graph in, the same function in our normal form out: what every later step may rely on.

Afterwards: opset ≥ 18; one initialiser a constant; no Identity, Dropout, dead or constant node; batch
normalisation and per-channel scales inside convolutions; shapes inferred; short stable names; no metadata.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx

from edgekit.errors import ModelError
from edgekit_export.convert.default_attributes import drop_default_attributes
from edgekit_export.convert.fold_affine import fold_affine, split_batch_norm
from edgekit_export.convert.fold_constants import fold_constants
from edgekit_export.convert.fold_input import Dimension, Picture, fold_input
from edgekit_export.convert.graph import topological_order
from edgekit_export.convert.inline_branches import inline_branches
from edgekit_export.convert.lift_constants import lift_constants, merge_constants
from edgekit_export.convert.opset import raise_opset
from edgekit_export.convert.planar import move_transposes
from edgekit_export.convert.remove_dead import drop_empty_casts, remove_dead, remove_identities
from edgekit_export.convert.rewrite_hard_swish import constant_divisions, rewrite_hard_swish
from edgekit_export.convert.shapes import fix_input_shape, fold_shapes, infer_shapes
from edgekit_export.convert.shorten_names import drop_unused_opsets, shorten_names, strip_metadata
from edgekit_export.convert.spread_axes import spread_axes


def normalize(
    model: onnx.ModelProto,
    picture: Picture | None = None,
    input_shapes: Mapping[str, Sequence[Dimension]] | None = None,
) -> onnx.ModelProto:
    """A normalised copy of ``model``.

    Args:
        model: any ONNX model; it is not changed.
        picture: folds cast and normalisation in, so that the only input is uint8 NHWC named ``image``.
        input_shapes: input name → shape to write first, e.g. to fix a batch of 1.

    Raises:
        ModelError: the model breaks ONNX's rules, has subgraphs, or cannot be brought to our opset.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    for name, shape in (input_shapes or {}).items():
        fix_input_shape(made, name, shape)
    inline_branches(made)
    _refuse_subgraphs(made)
    lift_constants(made)
    remove_identities(made)
    made = raise_opset(made)
    lift_constants(made)
    if picture is not None:
        fold_input(made, picture)
    remove_identities(made)
    infer_shapes(made)
    spread_axes(made)
    drop_empty_casts(made)
    remove_identities(made)
    fold_constants(made)
    infer_shapes(made)
    fold_shapes(made)
    fold_constants(made)  # what followed from shapes
    move_transposes(made)
    remove_identities(made)
    infer_shapes(made)
    split_batch_norm(made)
    rewrite_hard_swish(made)
    fold_affine(made)
    constant_divisions(made)
    merge_constants(made)
    remove_dead(made)
    topological_order(made.graph)
    drop_default_attributes(made)
    strip_metadata(made)
    shorten_names(made)
    drop_unused_opsets(made)
    infer_shapes(made)
    return made


def _refuse_subgraphs(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        if any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute):
            raise ModelError(
                f"operator {node.op_type} with a subgraph is not supported",
                "export the model without control flow",
            )
    if model.functions:
        raise ModelError(
            f"model-local function {model.functions[0].name} is not supported", "inline it first"
        )
