"""Which mode each layer of a graph has by a recipe."""

from __future__ import annotations

import numpy as np
import onnx

from edgekit_export.quantize.placement import CODED, Mode, layers
from edgekit_export.quantize.recipe import Recipe

_SMALL = 1 << 13
"""Weights of a layer that is not worth coding its input for: a classifier's last one."""


def modes_of(model: onnx.ModelProto, recipe: Recipe) -> dict[str, Mode]:
    """Layer name → mode."""
    modes = {node.output[0]: _mode_of(model, node, recipe.mode) for node in layers(model)}
    modes.update(recipe.modes)
    modes.update(dict.fromkeys(recipe.weight8, Mode.WEIGHT8))
    modes.update(dict.fromkeys(recipe.half, Mode.HALF))
    modes.update(dict.fromkeys(recipe.wide, Mode.WIDE))
    return {node.output[0]: modes[node.output[0]] for node in layers(model)}  # recurrent ones have none


def _mode_of(model: onnx.ModelProto, node: onnx.NodeProto, mode: Mode) -> Mode:
    """A row of a convolution has no range of its own, and small layers cost more to code for than to compute."""
    if mode is not Mode.DYNAMIC:
        return mode
    weight = next(t for t in model.graph.initializer if t.name == node.input[1])
    return Mode.WEIGHT8 if node.op_type == "Conv" or np.prod(weight.dims) < _SMALL else mode


def may_code(model: onnx.ModelProto, recipe: Recipe) -> bool:
    """Whether some layer may compute in codes; a scan tries int8 everywhere."""
    return recipe.keep_below_db > 0 or bool(CODED & {recipe.mode, *modes_of(model, recipe).values()})
