"""The choices of one graph as a TFLite file holds them: other bytes, and fewer ways to store a convolution."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import onnx

from edgekit_export.budget.knapsack import Option
from edgekit_export.budget.table import LayerTable
from edgekit_export.convert.graph import GraphView, attribute
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode, layers
from edgekit_export.quantize.weights import read_weights
from edgekit_export.tflite.packed import bytes_of, stored_bits
from edgekit_export.tflite.placement import Kind, kind_of

_PLANE_BYTES = {1: 300, 2: 540, 3: 800}
"""Tables of a packed weight, by its planes, beyond those of the float layer."""
_ZERO_POINT_BYTES = 8
_SHARED = 1.5
"""Zero points of int8 channels are one vector for all layers of as many channels. So many of these layers pay for it as
if it were theirs alone, for not all of them will be int8: within 0.1 % of the files of EfficientNet-Lite0."""


def for_tflite(table: LayerTable, model: onnx.ModelProto, file_bytes: int) -> LayerTable:
    """The table for a TFLite file of the same network.

    Args:
        table: of the ONNX graph.
        model: that graph, normalised, in full precision.
        file_bytes: of the TFLite file in full precision.

    Returns:
        Bytes as :mod:`edgekit_export.tflite.packed` writes them. A convolution that is no plain matrix has more than
        eight bits only as float16, so its wider choices cost and disturb as that does.
    """
    view, options = GraphView(model), {}
    nodes = {node.output[0]: node for node in layers(model)}
    shapes = {name: read_weights(view, node).weight.shape for name, node in nodes.items()}
    alike = Counter(shape[0] for shape in shapes.values())
    for name, known in table.options.items():
        shape = shapes[name]
        zero_points = _ZERO_POINT_BYTES * shape[0] * min(1.0, _SHARED / alike[shape[0]])
        options[name] = _options(known, shape, round(zero_points), matrix=is_matrix(nodes[name], shape))
    weights = sum(4 * math.prod(shape) for shape in shapes.values())
    return replace(table, fixed_bytes=file_bytes - weights, options=options)


def _options(
    known: Mapping[Mode, Option], shape: tuple[int, ...], zero_points: int, *, matrix: bool
) -> dict[Mode, Option]:
    size, found = math.prod(shape), {}
    for mode, option in known.items():
        kind = kind_of(mode, matrix=matrix)
        half = kind is Kind.HALF or (kind is Kind.PACKED and not matrix)
        if half:
            stored, option = 2 * size, replace(option, noise=known[Mode.HALF].noise)
        elif kind is Kind.PACKED:
            planes = stored_bits(WEIGHT_BITS[mode]).bit_count() if WEIGHT_BITS[mode] < 16 else 1
            stored = bytes_of(shape, WEIGHT_BITS[mode]) + _PLANE_BYTES[planes]
        elif kind is Kind.WEIGHT_ONLY:
            stored = size + 4 * shape[0] + zero_points
        else:
            stored = 4 * size
        found[mode] = replace(option, bytes=stored)
    return found


def is_matrix(node: onnx.NodeProto, shape: tuple[int, ...]) -> bool:
    """Whether a layer multiplies every position by one matrix, as the TFLite graph will have it.

    Args:
        node: of the normalised ONNX graph.
        shape: of its weight, output channels first.
    """
    if node.op_type != "Conv":
        return True
    plain = {*attribute(node, "strides", [1])} == {1} and not any(attribute(node, "pads", [0]))
    return plain and attribute(node, "group", 1) == 1 and math.prod(shape[2:]) == 1
