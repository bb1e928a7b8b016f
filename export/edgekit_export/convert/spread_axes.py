"""Pass: a Resize that names its axes gets sizes for all of them.

onnxruntime 1.31.1 moves quantised Resizes to another layout and permutes their sizes as if there were one an axis; it
then refuses the model that it made.
"""

from __future__ import annotations

import numpy as np
import onnx

from edgekit_export.convert.graph import GraphView, attribute, constant, fresh_name, tensor_names
from edgekit_export.convert.shapes import read_shapes


def spread_axes(model: onnx.ModelProto) -> None:
    """Rewrites each Resize with ``axes`` whose shapes are known; shapes must have been inferred."""
    view, shapes, taken = GraphView(model), read_shapes(model), tensor_names(model)
    for node in model.graph.node:
        axes = attribute(node, "axes")
        if node.op_type != "Resize" or axes is None:
            continue
        before, after = shapes.get(node.input[0]), shapes.get(node.output[0])
        if before is None or after is None:
            continue
        position, default = (2, 1.0) if node.input[2] else (3, None)
        named = view.value(node.input[position])
        if named is None or (default is None and not all(isinstance(side, int) for side in before)):
            continue
        values = np.full(len(before), default) if default else np.array(before)
        values[[axis % len(before) for axis in axes]] = named
        name = fresh_name(taken, f"{node.output[0]}.{'scales' if default else 'sizes'}")
        model.graph.initializer.append(constant(name, values.astype(named.dtype)))
        node.input[position] = name
        kept = [item for item in node.attribute if item.name != "axes"]
        del node.attribute[:]
        node.attribute.extend(kept)
