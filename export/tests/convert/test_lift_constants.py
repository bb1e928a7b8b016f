import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.errors import ModelError
from edgekit_export.convert.lift_constants import lift_constants, merge_constants
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise, ops

X = noise(2, 3)


@pytest.mark.parametrize(
    ("attributes", "dtype", "value"),
    [
        ({"value": numpy_helper.from_array(np.float32([[1, 2, 3]]))}, np.float32, [[1, 2, 3]]),
        ({"value_float": 2.5}, np.float32, 2.5),
        ({"value_floats": [1.0, 2.0, 3.0]}, np.float32, [1, 2, 3]),
    ],
)
def test_constant_nodes_become_initialisers(attributes, dtype, value):
    nodes = [node("Constant", [], ["c"], **attributes), node("Add", ["x", "c"], ["y"])]
    before = model_of(nodes, {"x": [2, 3]}, {"y": [2, 3]})
    after = copy_of(before)
    lift_constants(after)
    assert ops(after) == {"Add": 1}
    assert constants_of(after)["c"].dtype == dtype
    np.testing.assert_array_equal(constants_of(after)["c"], value)
    assert difference(before, after, {"x": X}) == 0


@pytest.mark.parametrize(("attributes", "value"), [({"value_int": 3}, 3), ({"value_ints": [3, 2]}, [3, 2])])
def test_constant_integers(attributes, value):
    axes = helper.make_tensor_value_info("c", TensorProto.INT64, np.shape(value))
    before = model_of([node("Constant", [], ["c"], **attributes)], {}, {"c": axes})
    after = copy_of(before)
    lift_constants(after)
    assert constants_of(after)["c"].dtype == np.int64
    np.testing.assert_array_equal(constants_of(after)["c"], value)
    assert difference(before, after, {}) == 0  # an initialiser may be an output


def test_a_constant_of_another_kind_is_refused():
    text = helper.make_tensor_value_info("c", TensorProto.STRING, [])
    model = model_of([node("Constant", [], ["c"], value_string="a")], {}, {"c": text})
    with pytest.raises(ModelError, match="constant 'c'"):
        lift_constants(model)


def test_weights_are_no_inputs():
    inputs = {"x": [2, 3], "w": [3], "b": [3]}
    constants = {"w": noise(3), "b": noise(3, seed=1)}
    nodes = [node("Mul", ["x", "w"], ["a"]), node("Add", ["a", "b"], ["y"])]
    before = model_of(nodes, inputs, {"y": [2, 3]}, constants, opset=11, ir_version=3)
    after = copy_of(before)
    lift_constants(after)
    assert [v.name for v in after.graph.input] == ["x"]
    assert sorted(constants_of(after)) == ["b", "w"]
    assert difference(before, after, {"x": X}) == 0


def merged(constants, used, **options):
    """Constants that are left where ``x`` is added up with each of ``used``."""
    nodes, last = [], "x"
    for i, name in enumerate(used):
        nodes.append(node("Add", [last, name], [f"a{i}"]))
        last = f"a{i}"
    before = model_of(nodes, {"x": [2, 3]}, {last: [2, 3]}, constants)
    after = copy_of(before)
    merge_constants(after, **options)
    assert difference(before, after, {"x": X}) == 0
    return list(constants_of(after)), [n.input[1] for n in after.graph.node]


def test_equal_small_constants_are_one():
    constants = {"a": [1.0], "b": [1.0], "c": [2.0], "d": np.float32(1), "e": [1.0], "unused": [7.0]}
    assert merged(constants, "abcde") == (["a", "c", "d"], ["a", "a", "c", "d", "a"])


def test_scalars_only():
    constants = {"a": np.float32(1), "b": np.float32(1), "c": [1.0], "d": [1.0]}
    assert merged(constants, "abcd", scalars_only=True) == (["a", "c", "d"], ["a", "a", "c", "d"])


@pytest.mark.parametrize(("rows", "left"), [(16, ["a"]), (17, ["a", "b"])])
def test_only_up_to_64_bytes(rows, left):
    table = np.ones((rows, 1, 1), np.float32)
    nodes = [node("Add", ["x", "a"], ["s"]), node("Mul", ["s", "b"], ["y"])]
    model = model_of(nodes, {"x": [1, 1]}, {"y": [rows, 1, 1]}, {"a": table, "b": table})
    merge_constants(model)
    assert list(constants_of(model)) == left


def test_type_and_shape_tell_equal_bytes_apart():
    constants = {
        "float": np.zeros(2, np.float32),
        "int": np.zeros(2, np.int32),
        "row": np.zeros((1, 2), np.float32),
        "minus": np.array([-0.0, 0.0], np.float32),
    }
    nodes = [node("Cast", ["int"], ["i"], to=TensorProto.FLOAT)]
    for i, (last, name) in enumerate(zip(["i", "s0", "s1"], ["float", "row", "minus"], strict=True)):
        nodes.append(node("Add", [last, name], [f"s{i}"]))
    model = model_of(nodes, {}, {"s2": [1, 2]}, constants)
    merge_constants(model)
    assert list(constants_of(model)) == list(constants)


def test_an_output_keeps_its_constant():
    model = model_of(
        [node("Relu", ["x"], ["y"])], {"x": [1]}, {"y": [1], "a": [1], "b": [1]}, {"a": [1.0], "b": [1.0]}
    )
    merge_constants(model)
    assert list(constants_of(model)) == ["a", "b"]
    assert isinstance(model.graph.initializer[0], onnx.TensorProto)
