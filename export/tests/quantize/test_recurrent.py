from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.errors import ModelError
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.quantize import quantize
from edgekit_export.quantize.recipe import HALF_WEIGHTS, Recipe, recipe_from
from edgekit_export.quantize.recurrent import recurrent, reduce_recurrent

RNG = np.random.default_rng(0)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def layer(kind="LSTM", directions=1, hidden=16, inputs=8):
    gates = GATES[kind]
    w = RNG.normal(size=(directions, gates * hidden, inputs)).astype(np.float32)
    r = RNG.normal(size=(directions, gates * hidden, hidden)).astype(np.float32) / 4
    attributes = {"hidden_size": hidden, **({"direction": "bidirectional"} if directions == 2 else {})}
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", "w", "r"], ["y"], **attributes)],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [5, 1, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [5, directions, 1, hidden])],
        [numpy_helper.from_array(w, "w"), numpy_helper.from_array(r, "r")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


def worst(first, second):
    x = RNG.normal(size=(5, 1, 8)).astype(np.float32)
    return float(np.abs(session_of(first).run({"x": x})[0] - session_of(second).run({"x": x})[0]).max())


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize(("half", "limit"), [((), 0.05), (("y",), 2e-3)])
def test_weights_shrink_and_the_function_stays(kind, directions, half, limit):
    model = layer(kind, directions)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    sizes = reduce_recurrent(made, half)
    parameters = directions * GATES[kind] * 16 * (8 + 16)
    assert sizes == {"y": 2 * parameters if half else parameters + 4 * 2 * GATES[kind] * 16}
    onnx.checker.check_model(made)
    assert 0 < worst(model, made) < limit


def test_shared_or_computed_weights_are_left_alone():
    model = layer("RNN", hidden=8)
    model.graph.node[0].input[2] = "w"
    assert recurrent(model) == []
    model = layer()
    del model.graph.initializer[1]
    model.graph.input.append(helper.make_tensor_value_info("r", TensorProto.FLOAT, [1, 64, 16]))
    assert recurrent(model) == []


def test_recipes_reach_them():
    model = layer()
    recipe = Recipe(
        name="w8", mode=recipe_from({"mode": "weight8"}).mode, rounding="nearest", correct_bias=False
    )
    small = quantize(model, (), recipe)
    assert [(entry.name, entry.operator, entry.mode) for entry in small.layers] == [("y", "LSTM", "weight8")]
    assert [entry.mode for entry in quantize(model, (), HALF_WEIGHTS).layers] == ["half"]
    kept = recipe_from({"mode": "weight8", "rounding": "nearest", "correct_bias": False, "half": ["y"]})
    assert [entry.mode for entry in quantize(model, (), kept).layers] == ["half"]
    wrong = recipe_from({"mode": "weight8", "rounding": "nearest", "correct_bias": False, "half": ["z"]})
    with pytest.raises(ModelError, match="no layer 'z'"):
        quantize(model, (), wrong)
