"""Cross-layer equalisation: channels of a tensor get scales of their own, at no cost at run time.

Codes have one step a tensor, so a channel that never exceeds 0.3 beside one that reaches 6 has only twelve of
them. Scaling channel ``c`` by ``s_c`` in the layers that make it and by ``1 / s_c`` in those that read it leaves
the function as it is (Nagel et al. 2019, arXiv 1906.04721, section 4.1) and fills the codes. Where only
depthwise convolutions read the tensor this is free: their weights have a scale a channel anyway. Elsewhere the
reading weights become less even, so the exponent ``alpha`` of ``s_c = (largest / largest_c) ** alpha`` is chosen
to make the sum of both rounding errors least.

With ReLU6 a scaled channel saturates between what it reached in calibration and 6, never below it: ``s_c ≥ 1``
and a channel that reaches 6 keeps its scale.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, attribute, constant, set_constants
from edgekit_export.convert.shapes import read_shapes
from edgekit_export.quantize.channels import ChannelStatistics, channel_statistics
from edgekit_export.quantize.integer import S8_MAX, U8_MAX
from edgekit_export.quantize.placement import layers
from edgekit_export.quantize.tap import Batch
from edgekit_export.quantize.weights import read_weights

LARGEST_SCALE = 64.0
"""A channel that is nearly dead is not blown up without bound."""

_ALPHAS = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
_SAME_CHANNELS = frozenset({"Relu", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool", "ReduceMean"})


@dataclass(slots=True)
class Group:
    """Tensors that must share the scales of their channels.

    Attributes:
        tensors: their names, in graph order.
        makers: layers whose outputs are in the group.
        readers: layers that read from it.
        free: False where something else than layers touches it.
    """

    tensors: list[str] = field(default_factory=list)
    makers: list[onnx.NodeProto] = field(default_factory=list)
    readers: list[onnx.NodeProto] = field(default_factory=list)
    free: bool = True


def channel_groups(model: onnx.ModelProto) -> list[Group]:
    """The groups of tensors that can be scaled."""
    view, parent = GraphView(model), {}
    layer_ids = {id(n) for n in layers(model) if n.op_type == "Conv" or n.op_type == "Gemm"}
    shapes = read_shapes(model)

    def find(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    fixed = set(view.inputs) | set(view.outputs)
    for node in view.graph.node:
        tensors = [n for n in [*node.input, *node.output] if n and n not in view.constants]
        if id(node) in layer_ids:
            continue
        if _keeps_channels(view, node, shapes):
            for name in tensors[1:]:
                parent[find(name)] = find(tensors[0])
        else:
            fixed.update(tensors)
    groups: dict[str, Group] = {}
    for node in view.graph.node:
        for name in node.output:
            groups.setdefault(find(name), Group()).tensors.append(name)
        if id(node) in layer_ids:
            groups.setdefault(find(node.output[0]), Group()).makers.append(node)
            groups.setdefault(find(node.input[0]), Group()).readers.append(node)
    for name in fixed:
        groups.setdefault(find(name), Group()).free = False
    return [g for g in groups.values() if g.free and g.makers and g.readers]


def _keeps_channels(view: GraphView, node: onnx.NodeProto, shapes: Mapping[str, tuple]) -> bool:
    """Whether scaling a channel of every input scales the same channel of the output."""
    if node.op_type == "Clip":
        return view.scalar(node.input[1]) == 0.0 if len(node.input) > 1 else False
    if node.op_type == "ReduceMean":
        axes = view.value(node.input[1]) if len(node.input) > 1 else None
        return axes is not None and all(a in (2, 3, -1, -2) for a in axes) and len(shapes.get(node.input[0], ())) == 4
    if node.op_type == "Add":
        rows = [shapes.get(name, ()) for name in node.input]
        return not any(name in view.constants for name in node.input) and rows[0][:2] == rows[1][:2] != ()
    if node.op_type in ("Flatten", "Reshape", "Squeeze"):
        before, after = shapes.get(node.input[0], ()), shapes.get(node.output[0], ())
        return len(before) == 4 and before[2:] == (1, 1) and after[:2] == before[:2] and len(after) in (2, 4)
    return node.op_type in _SAME_CHANNELS


def equalize(
    model: onnx.ModelProto, batches: Iterable[Batch], coded: Iterable[str], threads: int = 2
) -> onnx.ModelProto:
    """A copy of ``model`` with equalised channels: the same function on the calibration data.

    Args:
        model: normalised float graph.
        batches: calibration data.
        coded: tensors that are stored as codes, whose channels are to be even.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    groups, wanted = channel_groups(made), set(coded)
    watched = [name for g in groups for name in g.tensors if name in wanted]
    if not watched:
        return made
    statistics = channel_statistics(made, watched, batches, threads)
    view = GraphView(made)
    weights = {n.output[0]: read_weights(view, n).weight for g in groups for n in (*g.makers, *g.readers)}
    biases = {n.output[0]: read_weights(view, n).bias for g in groups for n in g.makers}
    for group in groups:
        seen = [statistics[name] for name in group.tensors if name in statistics]
        if seen:
            _scale_group(group, group_scales(group, seen, view, weights), weights, biases)
    _store(made, view, weights, biases)
    return made


def group_scales(
    group: Group, seen: list[ChannelStatistics], view: GraphView, weights: Mapping[str, Array]
) -> Array:
    """Scale of each channel, ``(channels,)`` ≥ 1."""
    largest = np.max([s.largest for s in seen], axis=0)
    top = largest.max()
    if top <= 0:
        return np.ones_like(largest)
    ratio = np.minimum(top / np.maximum(largest, top / LARGEST_SCALE), LARGEST_SCALE)
    if all(_is_depthwise(n, weights) for n in group.readers):
        return ratio
    readers = [weights[n.output[0]].reshape(len(weights[n.output[0]]), -1) for n in group.readers
               if not _is_depthwise(n, weights) and attribute(n, "group", 1) == 1]
    if len(readers) == 0:
        return np.ones_like(largest)
    power = np.mean([s.power for s in seen], axis=0)
    return ratio ** min(_ALPHAS, key=lambda alpha: _noise(ratio**alpha, largest, power, readers))


def _noise(scale: Array, largest: Array, power: Array, readers: list[Array]) -> float:
    """Rounding noise at the outputs of the readers, relative to each output's power, activations plus weights."""
    step = (largest * scale).max() / U8_MAX
    total = 0.0
    for weight in readers:
        per_input = weight.reshape(len(weight), len(scale), -1)
        energy = (per_input**2).sum(axis=2)
        signal = np.maximum(energy @ power, 1e-30)
        from_activations = step**2 / 12 * (energy / scale**2).sum(axis=1)
        weight_step = np.abs(per_input / scale[:, None]).max(axis=(1, 2)) / S8_MAX
        from_weights = weight_step**2 / 12 * per_input.shape[2] * (power * scale**2).sum()
        total += float(((from_activations + from_weights) / signal).mean())
    return total


def _is_depthwise(node: onnx.NodeProto, weights: Mapping[str, Array]) -> bool:
    return attribute(node, "group", 1) == len(weights[node.output[0]]) and weights[node.output[0]].shape[1] == 1


def _scale_group(
    group: Group, scale: Array, weights: dict[str, Array], biases: Mapping[str, Array | None]
) -> None:
    for node in group.makers:
        weight, bias = weights[node.output[0]], biases[node.output[0]]
        weight *= scale.reshape(-1, *[1] * (weight.ndim - 1))
        if bias is not None:
            bias *= scale
    for node in group.readers:
        weight = weights[node.output[0]]
        if _is_depthwise(node, weights):
            weight /= scale.reshape(-1, *[1] * (weight.ndim - 1))
        else:
            weight /= scale.reshape(1, -1, *[1] * (weight.ndim - 2))


def _store(
    made: onnx.ModelProto, view: GraphView, weights: Mapping[str, Array], biases: Mapping[str, Array | None]
) -> None:
    fresh: dict[str, onnx.TensorProto] = {}
    for node in layers(made):
        name = node.output[0]
        if name not in weights:
            continue
        transposed = read_weights(view, node).transposed
        stored = weights[name].T if transposed else weights[name]
        fresh[node.input[1]] = constant(node.input[1], stored.astype(np.float32))
        bias = biases.get(name)
        if bias is not None and len(node.input) > 2 and node.input[2]:
            fresh[node.input[2]] = constant(node.input[2], bias.astype(np.float32))
    set_constants(made.graph, [fresh.get(t.name, t) for t in made.graph.initializer])
