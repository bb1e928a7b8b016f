from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edgekit.errors import ModelError
from edgekit_export.convert.inline_branches import fix_input, inline_branches
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.session import session_of


def _value(name: str, shape: list[int] | None = None, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _branch(name: str, nodes: list[onnx.NodeProto], output: str, constants=()) -> onnx.GraphProto:
    return helper.make_graph(nodes, name, [], [_value(output)], list(constants))


def _scaled(by: float) -> onnx.GraphProto:
    """``x`` times a constant of the branch's own; both branches use the same names."""
    factor = helper.make_tensor("factor", TensorProto.FLOAT, [], [by])
    return _branch("scaled", [helper.make_node("Mul", ["x", "factor"], ["y"])], "y", [factor])


def _by_rate() -> onnx.ModelProto:
    """``if rate == 16000: (if rank of x is 2: 2 x, else x) else 3 x``, as scripted networks ask."""
    rank = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Size", ["shape"], ["rank"]),
        helper.make_node("Constant", [], ["two"], value=helper.make_tensor("t", TensorProto.INT64, [], [2])),
        helper.make_node("Equal", ["rank", "two"], ["flat"]),
    ]
    inner = helper.make_node(
        "If",
        ["flat"],
        ["out"],
        then_branch=_scaled(2.0),
        else_branch=_branch("same", [helper.make_node("Identity", ["x"], ["z"])], "z"),
    )
    outer = helper.make_node(
        "If",
        ["wide"],
        ["result"],
        then_branch=_branch("wide", [*rank, inner], "out"),
        else_branch=_scaled(3.0),
    )
    rate = helper.make_tensor("wanted", TensorProto.INT64, [], [16000])
    graph = helper.make_graph(
        [helper.make_node("Equal", ["rate", "wanted"], ["wide"]), outer],
        "g",
        [_value("x", [1, 4]), _value("rate", [], TensorProto.INT64)],
        [_value("result")],
        [rate],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.mark.parametrize(("rate", "factor"), [(16000, 2.0), (8000, 3.0)])
def test_a_constant_setting_leaves_one_branch(rate: int, factor: float) -> None:
    model = _by_rate()
    fix_input(model, "rate", rate)
    inline_branches(model)
    assert {node.op_type for node in model.graph.node} == {"Mul"}
    made = session_of(normalize(model))
    assert [given.name for given in made.inputs] == ["x"]
    x = np.arange(4, dtype=np.float32).reshape(1, 4)
    np.testing.assert_array_equal(made.run({"x": x})[0], x * factor)


def test_a_branch_that_hands_its_surroundings_through() -> None:
    model = _by_rate()
    inner = helper.make_node(
        "If", ["wide"], ["result"], then_branch=_branch("outer", [], "x"), else_branch=_scaled(3.0)
    )
    del model.graph.node[1]
    model.graph.node.append(inner)
    fix_input(model, "rate", 16000)
    inline_branches(model)
    assert [node.op_type for node in model.graph.node] == ["Identity"]


def test_a_condition_that_the_input_decides_stays() -> None:
    model = _by_rate()
    inline_branches(model)
    assert [node.op_type for node in model.graph.node] == ["Equal", "If"]
    with pytest.raises(ModelError, match="subgraph"):
        normalize(model)


def test_fixing_an_input_that_is_not_there() -> None:
    with pytest.raises(ModelError, match=r"no input 'sr'.*it has: x, rate"):
        fix_input(_by_rate(), "sr", 16000)
