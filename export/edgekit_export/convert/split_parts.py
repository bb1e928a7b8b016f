"""Pass: a detector's graph gives scores and boxes apart, before their activations; the head applies these instead.

One tensor of boxes, logits and probabilities has no good integer code: a step of its widest part is the whole range of
another. Apart, each has its own; and a float sigmoid as an output is not the same to the bit on every CPU.
"""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from msgspec.structs import replace
from onnx import helper

from edgekit.bundle.detect_head import DetectHead, Level, Part
from edgekit_export.convert.graph import GraphView, attribute, fresh_name, tensor_names
from edgekit_export.convert.remove_dead import remove_dead
from edgekit_export.convert.shapes import infer_shapes

ROLES = ("objectness", "scores", "boxes", "offset")
_COMMUTES = frozenset({"Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"})


def split_parts(model: onnx.ModelProto, head: DetectHead) -> tuple[onnx.ModelProto, DetectHead]:
    """A copy of ``model`` whose outputs are the parts of ``head``, and the head that reads them.

    What cannot be taken apart stays as it is.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    infer_shapes(made)
    levels = []
    for index, level in enumerate(head.levels):
        suffix = f".{index}" if len(head.levels) > 1 else ""
        levels.append(_apart(made, level, suffix))
    changed = replace(head, levels=tuple(levels))
    _set_outputs(made, changed)
    return made, changed


def _apart(model: onnx.ModelProto, level: Level, suffix: str) -> Level:
    taken = tensor_names(model)
    sources = {role: _source(model, level, part) for role, part in _parts(level)}
    alone = [name for name, _ in sources.values()]
    apart = {}
    for role, part in _parts(level):
        (source, start), activation = sources[role], part.activation
        scored = role in ("objectness", "scores") and activation == "none"
        if scored and start == 0 and alone.count(source) == 1:
            source, activation = _before_activation(model, source, part)
        if (source, activation) == (part.tensor, part.activation):
            continue
        name = fresh_name(taken, role + suffix)
        model.graph.node.append(helper.make_node("Identity", [source], [name]))
        apart[role] = replace(part, tensor=name, start=start, activation=activation)
    return replace(level, **apart)


def _parts(level: Level) -> Iterator[tuple[str, Part]]:
    """Role and part."""
    yield from ((role, part) for role in ROLES if (part := getattr(level, role)) is not None)


def _source(model: onnx.ModelProto, level: Level, part: Part) -> tuple[str, int]:
    """The tensor that a Concat took the part from, and its first channel there; else the part's own."""
    view = GraphView(model)
    concat = view.producer.get(part.tensor)
    sizes = _channels(model)
    if concat is None or concat.op_type != "Concat" or part.tensor not in sizes:
        return part.tensor, part.start
    rank = len(sizes[part.tensor])
    axis = 1 if part.channels == "first" else rank - 1
    if attribute(concat, "axis") % rank != axis or any(name not in sizes for name in concat.input):
        return part.tensor, part.start
    starts = [other.start for _, other in _parts(level) if other.tensor == part.tensor]
    later = [start for start in starts if start > part.start]
    end = min(later, default=sizes[part.tensor][axis])
    first = 0
    for name in concat.input:
        last = first + sizes[name][axis]
        if first <= part.start and end <= last:
            return str(name), part.start - first
        first = last
    return part.tensor, part.start


def _channels(model: onnx.ModelProto) -> dict[str, list[int]]:
    """Shapes that are known."""
    values = [*model.graph.value_info, *model.graph.output]
    return {
        v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
        for v in values
        if v.type.tensor_type.HasField("shape")
    }


def _before_activation(model: onnx.ModelProto, source: str, part: Part) -> tuple[str, str]:
    """The tensor as it is without the sigmoid or softmax that makes it, and which of them that was.

    A sigmoid may stand before reshapes and transposes, a softmax over the channels before transposes.
    """
    view = GraphView(model)
    path: list[onnx.NodeProto] = []
    node = view.producer.get(source)
    while node is not None and node.op_type in _COMMUTES:
        path.insert(0, node)
        node = view.producer.get(node.input[0])
    if node is None or node.op_type not in ("Sigmoid", "Softmax"):
        return source, "none"
    if node.op_type == "Softmax" and not _over_channels(model, node, path, part):
        return source, "none"
    taken, name = tensor_names(model), node.input[0]
    for step in path:
        copy = onnx.NodeProto()
        copy.CopyFrom(step)
        copy.name, copy.input[0], copy.output[0] = "", name, fresh_name(taken, f"{step.output[0]}.raw")
        model.graph.node.append(copy)
        name = copy.output[0]
    return str(name), str(node.op_type).lower()


def _over_channels(
    model: onnx.ModelProto, softmax: onnx.NodeProto, path: list[onnx.NodeProto], part: Part
) -> bool:
    """Whether a softmax is over the part's channels, seen through the transposes behind it."""
    shape = _channels(model).get(softmax.output[0], [])
    opset = max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    rank = len(shape)
    if not rank or any(step.op_type != "Transpose" for step in path):
        return False
    axis = attribute(softmax, "axis", -1 if opset >= 13 else 1) % rank
    if opset < 13 and axis != rank - 1:
        return False  # it was over all axes from this one on
    for step in path:
        axis = list(attribute(step, "perm", list(range(rank))[::-1])).index(axis)
    return axis == (1 if part.channels == "first" else rank - 1)


def _set_outputs(model: onnx.ModelProto, head: DetectHead) -> None:
    """The parts become the graph's outputs."""
    names = list(dict.fromkeys(part.tensor for part in head.parts))
    known = {v.name: v for v in model.graph.output}
    del model.graph.output[:]
    for name in names:
        value = known.get(name) or helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)
        model.graph.output.append(value)
    remove_dead(model)
    infer_shapes(model)
