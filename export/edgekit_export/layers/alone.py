"""Each layer alone: the noise of the graph's output when this one is reduced, all others in full precision.

The sensitivity scan of the quantiser asks the same of layers before anything is chosen, each with codes that it
would have if all others stayed floats. Here each has the codes that it has in the finished graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import helper

from edgekit.statistics.sqnr import Sqnr
from edgekit.types import Array
from edgekit_export.convert.graph import constant, copy_node, set_nodes
from edgekit_export.convert.session import session_of
from edgekit_export.layers.reduced import Reading, ReducedLayer
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.tap import Batch

_Part: TypeAlias = tuple[list[onnx.NodeProto], list[onnx.TensorProto]]
"""Nodes and the constants that they need."""


def alone_db(
    full: onnx.ModelProto,
    layers: Sequence[ReducedLayer],
    feeds: Sequence[Batch],
    advance: Callable[..., Any],
) -> dict[str, float | None]:
    """Layer → signal to noise of the output that suffers most, in dB; ``None`` where all are equal to the bit.

    Args:
        full: normalised float graph.
        layers: of it.
        feeds: inputs to measure on.
        advance: called after each layer.
    """
    reference = list(_outputs(full, feeds))
    found = {}
    for layer in layers:
        noises = [Sqnr() for _ in full.graph.output]
        for expected, got in zip(reference, _outputs(with_layer(full, layer), feeds), strict=True):
            for noise, a, b in zip(noises, expected, got, strict=True):
                noise.add(a, b)
        found[layer.name] = min((noise.db for noise in noises if noise.db is not None), default=None)
        advance()
    return found


def _outputs(model: onnx.ModelProto, feeds: Sequence[Mapping[str, Array]]) -> Iterator[list[Array]]:
    session = session_of(model)
    for feed in feeds:
        yield session.run(feed)


def with_layer(full: onnx.ModelProto, layer: ReducedLayer) -> onnx.ModelProto:
    """A copy of the full-precision graph in which one layer is as reduced.

    Its inputs and its output are rounded to their codes in floats, and its integer weights stand as floats:
    the same values as an integer kernel's but for the last bits. A wide layer computes in whole numbers, as it
    does where it ships.
    """
    made = onnx.ModelProto()
    made.CopyFrom(full)
    nodes, constants = [], []
    for node in full.graph.node:
        if node.output[0] == layer.name:
            fresh, values = _fragment(layer)
            nodes += fresh
            constants += values
        elif node.output[0] != layer.compared:  # its activation: codes saturate instead
            nodes.append(node)
    set_nodes(made.graph, nodes)
    made.graph.initializer.extend(constants)
    return made


def _fragment(layer: ReducedLayer) -> _Part:
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    whole, made, names = layer.mode is Mode.WIDE, copy_node(layer.node), []
    for position, reading in enumerate(layer.inputs):
        part = _read(reading, f"{layer.name}.in{position}", whole)
        names.append(part[0][-1].output[0] if part[0] else reading.source)
        nodes += part[0]
        constants += part[1]
    for position, value in enumerate(layer.parameters):
        names.append(f"{layer.name}.p{position}")
        constants.append(constant(names[-1], value.astype(np.float32)))
    del made.input[:]
    made.input.extend(names)
    nodes.append(made)
    if layer.coding is not None:
        made.output[0] = f"{layer.name}.out"
        part = layer.coding.nodes(made.output[0], layer.compared, divide=not whole)
        nodes += part[0]
        constants += part[1]
    return nodes, constants


def _read(reading: Reading, name: str, whole: bool) -> _Part:
    """Operators that give ``name``, what the layer reads; none where that is the source itself."""
    if reading.mean:
        mean = constant(f"{name}.mean", np.asarray(reading.mean, np.float32))
        return [helper.make_node("Sub", [reading.source, mean.name], [name])], [mean]
    if reading.coding is None:
        return [], []
    return reading.coding.nodes(reading.source, name, multiply=not whole)
