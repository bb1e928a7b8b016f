import numpy as np
import pytest
from onnx import TensorProto

from edgekit_export.convert.fold_constants import fold_constants
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise, ops

X = noise(2, 3)


def folded(nodes, constants, outputs=None, **more):
    before = model_of(nodes, {"x": [2, 3]}, outputs or {"y": [2, 3]}, constants, **more)
    after = copy_of(before)
    fold_constants(after)
    assert difference(before, after, {"x": X}) == 0
    return after


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_a_chain_is_computed_once(opset):
    nodes = [
        node("Mul", ["two", "three"], ["six"]),
        node("Sqrt", ["six"], ["root"]),
        node("Mul", ["x", "root"], ["y"]),
    ]
    after = folded(nodes, {"two": [2.0], "three": [3.0]}, opset=opset)
    assert ops(after) == {"Mul": 1}
    np.testing.assert_array_equal(constants_of(after)["root"], np.sqrt(np.float32([6])))


def test_several_outputs():
    nodes = [
        node("Split", ["both", "sizes"], ["one", "two"]),
        node("Add", ["x", "one"], ["a"]),
        node("Mul", ["a", "two"], ["y"]),
    ]
    after = folded(nodes, {"both": [1.0, 2.0], "sizes": np.array([1, 1])})
    assert ops(after) == {"Add": 1, "Mul": 1}
    assert constants_of(after)["two"] == [2.0]


def test_optional_inputs_that_are_left_out():
    nodes = [node("Clip", ["c", "", "high"], ["low"]), node("Add", ["x", "low"], ["y"])]
    after = folded(nodes, {"c": [5.0, -1.0, 1.0], "high": np.float32(2)})
    np.testing.assert_array_equal(constants_of(after)["low"], [2, -1, 1])


def test_a_constant_used_twice_by_one_node():
    nodes = [node("Mul", ["c", "c"], ["square"]), node("Add", ["x", "square"], ["y"])]
    assert constants_of(folded(nodes, {"c": [3.0]}))["square"] == [9.0]


def test_outputs_stay_computed():
    nodes = [node("Neg", ["c"], ["n"]), node("Add", ["x", "n"], ["y"])]
    after = folded(nodes, {"c": [3.0]}, {"y": [2, 3], "n": [1]})
    assert ops(after) == {"Neg": 1, "Add": 1}


@pytest.mark.parametrize(("side", "left"), [(512, {"Add": 1}), (513, {"Expand": 1, "Add": 1})])
def test_never_more_than_a_mebibyte(side, left):
    nodes = [node("Expand", ["c", "shape"], ["wide"]), node("Add", ["s", "wide"], ["y"])]
    constants = {"c": [1.0], "shape": np.array([side, side])}
    model = model_of(nodes, {"s": [1]}, {"y": [side, side]}, constants)
    fold_constants(model)
    assert ops(model) == left


def test_quantised_weights_stay_quantised():
    constants = {"q": np.int8([[1, 2, 3]]), "scale": np.float32(0.5)}
    nodes = [node("DequantizeLinear", ["q", "scale"], ["w"]), node("Add", ["x", "w"], ["y"])]
    assert ops(folded(nodes, constants)) == {"DequantizeLinear": 1, "Add": 1}


@pytest.mark.parametrize("op", ["RandomNormalLike", "RandomUniformLike", "Bernoulli"])
def test_chance_is_not_drawn_at_export(op):
    nodes = [node(op, ["c"], ["r"]), node("Add", ["x", "r"], ["y"])]
    model = model_of(nodes, {"x": [2, 3]}, {"y": [2, 3]}, {"c": [0.5]})
    fold_constants(model)
    assert ops(model) == {op: 1, "Add": 1}


def test_shapes_of_constants():
    nodes = [node("Shape", ["table"], ["s"]), node("Cast", ["s"], ["f"], to=TensorProto.FLOAT)]
    nodes.append(node("Add", ["x", "f"], ["y"]))
    after = folded(nodes, {"table": noise(4, 5, 6)})
    np.testing.assert_array_equal(constants_of(after)["f"], [4, 5, 6])


@pytest.mark.parametrize(
    ("also", "left"),
    [
        ([], {"MatMul": 2, "Add": 1}),
        ([node("ReduceSum", ["w"], ["all"], keepdims=0), node("Add", ["m", "all"], ["y"])], None),
    ],
    ids=["shared weight", "read elsewhere too"],
)
def test_a_large_weight_behind_a_transpose(also, left):
    """As linear layers that share their weight come out of torch; what is made of it takes its place."""
    nodes = [
        node("Transpose", ["w"], ["t"], perm=[1, 0]),
        node("MatMul", ["x", "t"], ["first"]),
        node("MatMul", ["x", "t"], ["second"]),
        node("Add", ["first", "second"], ["m" if also else "y"]),
        *also,
    ]
    before = model_of(nodes, {"x": [2, 600]}, {"y": [2, 500]}, {"w": noise(500, 600)})
    fold_constants(before)
    assert ("Transpose" in ops(before)) == bool(also)
    if left:
        assert ops(before) == left
