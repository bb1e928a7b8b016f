"""Pass: activations that exporters spell out become the operator they are.

``x * clip(x + 3, 0, 6) / 6`` (Howard et al. 2019, arXiv 1905.02244, section 5.2) has four to five nodes in
exported graphs; ``x * HardSigmoid(x; 1/6, 1/2)`` is the same function in two, and ``clip(x * a + b, 0, c) / c``
alone is a HardSigmoid.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from edgekit_export.convert.graph import GraphView, constant, fresh_name, set_nodes, tensor_names
from edgekit_export.convert.remove_dead import remove_dead


def rewrite_hard_swish(model: onnx.ModelProto) -> None:
    """Rewrites every ``(x + a) → clip to [0, c] → [* x] → / c`` chain."""
    view, taken, replaced = GraphView(model), tensor_names(model), {}
    for clip in model.graph.node:
        if clip.op_type != "Clip" or len(clip.input) < 3 or not _is_float_zero(view, clip.input[1]):
            continue
        ceiling, add = view.scalar(clip.input[2]), view.producer.get(clip.input[0])
        if not ceiling or add is None or add.op_type != "Add":
            continue
        source, offset = _split_constant(view, add)
        user = view.only_consumer(clip.output[0])
        if source is None or user is None or view.only_consumer(add.output[0]) is None:
            continue
        sigmoid = helper.make_node("HardSigmoid", [source], [], alpha=1.0 / ceiling, beta=offset / ceiling)
        made = _hard_swish(view, clip, user, source, ceiling, sigmoid, taken)
        made = made or _hard_sigmoid(view, user, ceiling, sigmoid)
        if made is not None:
            replaced[made[-1].output[0]] = made
    nodes = []
    for node in model.graph.node:
        nodes.extend(replaced.get(node.output[0], [node]))
    set_nodes(model.graph, nodes)
    remove_dead(model)


def _is_float_zero(view: GraphView, name: str) -> bool:
    """False for the zero of integers, too: they are clipped in index arithmetic, and HardSigmoid has none."""
    value = view.value(name)
    return value is not None and value.size == 1 and value.dtype.kind == "f" and value.item() == 0


def _split_constant(view: GraphView, node: onnx.NodeProto) -> tuple[str | None, float]:
    """The computed input of a two-input node and its scalar constant."""
    for which in (0, 1):
        value = view.scalar(node.input[which])
        if value is not None:
            return node.input[1 - which], value
    return None, 0.0


def _divides_by(view: GraphView, node: onnx.NodeProto | None, ceiling: float) -> bool:
    if node is None or node.op_type not in ("Div", "Mul"):
        return False
    value = view.scalar(node.input[1])
    wanted = ceiling if node.op_type == "Div" else 1.0 / ceiling
    return value is not None and bool(np.isclose(value, wanted, rtol=1e-6))


def _hard_swish(
    view: GraphView,
    clip: onnx.NodeProto,
    user: onnx.NodeProto,
    source: str,
    ceiling: float,
    sigmoid: onnx.NodeProto,
    taken: set[str],
) -> list[onnx.NodeProto] | None:
    """``x * clip / c``; the product with ``x`` comes before the division or after it."""
    if user.op_type == "Mul" and set(user.input) == {clip.output[0], source}:
        last = view.only_consumer(user.output[0])
        if not _divides_by(view, last, ceiling):
            return None
    elif _divides_by(view, user, ceiling):
        last = view.only_consumer(user.output[0])
        if last is None or last.op_type != "Mul" or set(last.input) != {user.output[0], source}:
            return None
    else:
        return None
    assert last is not None
    gate = fresh_name(taken, f"{last.output[0]}.gate")
    sigmoid.output.append(gate)
    return [sigmoid, helper.make_node("Mul", [source, gate], [last.output[0]])]


def _hard_sigmoid(
    view: GraphView, user: onnx.NodeProto, ceiling: float, sigmoid: onnx.NodeProto
) -> list[onnx.NodeProto] | None:
    if not _divides_by(view, user, ceiling):
        return None
    sigmoid.output.append(user.output[0])
    return [sigmoid]


def constant_divisions(model: onnx.ModelProto) -> None:
    """Division by a constant power of two becomes a multiplication: the same result, faster."""
    view, taken = GraphView(model), tensor_names(model)
    for node in model.graph.node:
        divisor = view.scalar(node.input[1]) if node.op_type == "Div" and len(node.input) == 2 else None
        tensor = view.value(node.input[1]) if divisor else None
        if divisor is None or tensor is None or tensor.dtype != np.float32:
            continue
        if np.frexp(divisor)[0] not in (0.5, -0.5):
            continue
        name = fresh_name(taken, f"{node.input[1]}.inverse")
        model.graph.initializer.append(constant(name, (1.0 / tensor).astype(np.float32)))
        node.op_type = "Mul"
        node.input[1] = name
