import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit.errors import ModelError
from edgekit_export.convert.session import session_of
from edgekit_export.convert.shapes import fix_input_shape, fold_shapes, infer_shapes, read_shapes
from export.tests.convert.graphs import model_of, node, noise


@pytest.fixture
def model():
    nodes = [node("Conv", ["x", "w"], ["c"], strides=[2, 2]), node("Relu", ["c"], ["y"])]
    return model_of(
        nodes, {"x": ["n", 3, "h", None]}, {"y": ["n", "any", "a", "b"]}, {"w": noise(4, 3, 3, 3)}
    )


def test_shapes_as_they_stand(model):
    assert read_shapes(model) == {"x": ("n", 3, "h", None), "y": ("n", "any", "a", "b"), "w": (4, 3, 3, 3)}


def test_inferred_shapes_replace_what_an_exporter_wrote(model):
    model.graph.value_info.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, [9, 9, 9, 9]))
    infer_shapes(model)
    shapes = read_shapes(model)
    assert shapes["c"][:2] == shapes["y"][:2] == ("n", 4)
    assert not any(isinstance(side, int) for side in shapes["y"][2:])


@pytest.mark.parametrize(
    ("shape", "inner"),
    [((1, 3, 9, 7), (1, 4, 4, 3)), ((1, 3, 9, "width"), (1, 4, 4)), ((None, 3, 9, 9), (None, 4, 4, 4))],
)
def test_a_fixed_input_fixes_what_follows(model, shape, inner):
    fix_input_shape(model, "x", shape)
    infer_shapes(model)
    shapes = read_shapes(model)
    assert shapes["x"] == shape
    assert tuple(None if isinstance(d, str) else d for d in shapes["y"])[: len(inner)] == inner
    sides = [d if isinstance(d, int) else 9 for d in shape]
    sides[0] = 1
    (y,) = session_of(model, threads=1).run({"x": noise(*sides)})
    assert y.shape == (1, 4, (sides[2] - 1) // 2, (sides[3] - 1) // 2)


def test_an_input_that_is_not_there(model):
    with pytest.raises(ModelError, match="no input 'image'; it has: x"):
        fix_input_shape(model, "image", (1, 3, 4, 4))


def test_shapes_computed_from_shapes():
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"]),
        node("Concat", ["n", "rest"], ["to"], axis=0),
        node("Reshape", ["x", "to"], ["y"]),
    ]
    constants = {"zero": np.array([0]), "rest": np.array([-1])}
    model = model_of(nodes, {"x": [2, 3, 4]}, {"y": [None, None]}, constants)
    infer_shapes(model)
    assert read_shapes(model)["y"] == (2, 12)


def test_tensors_of_unknown_rank_are_absent():
    shape = helper.make_tensor_value_info("shape", TensorProto.INT64, [None])
    model = model_of(
        [node("Reshape", ["x", "shape"], ["r"]), node("Relu", ["r"], ["y"])],
        {"x": [4], "shape": shape},
        {"y": [2, 2]},
    )
    infer_shapes(model)
    assert set(read_shapes(model)) == {"x", "shape"}


def test_an_output_without_a_shape_gets_one(model):
    model.graph.output[0].type.tensor_type.ClearField("shape")
    infer_shapes(model)
    assert read_shapes(model)["y"][:2] == ("n", 4)


@pytest.mark.parametrize(
    ("op", "attributes", "value"),
    [
        ("Shape", {}, [1, 3, 9, 7]),
        ("Shape", {"start": 2}, [9, 7]),
        ("Shape", {"start": -3, "end": -1}, [3, 9]),
        ("Size", {}, 189),
    ],
)
def test_known_shapes_become_constants(op, attributes, value):
    nodes = [node("Relu", ["x"], ["r"]), node(op, ["r"], ["s"], **attributes), node("Identity", ["s"], ["y"])]
    made = model_of(nodes, {"x": [1, 3, 9, 7]}, {"y": list(np.shape(value))})
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.INT64
    infer_shapes(made)
    fold_shapes(made)
    assert [n.op_type for n in made.graph.node] == ["Relu", "Identity"]
    assert numpy_helper.to_array(made.graph.initializer[0]).tolist() == value


def test_an_output_or_an_open_side_stays_computed():
    made = model_of([node("Shape", ["x"], ["y"])], {"x": [1, 3]}, {"y": [2]})
    fold_shapes(made)
    assert len(made.graph.node) == 1
    made = model_of(
        [node("Shape", ["x"], ["s"]), node("Identity", ["s"], ["y"])], {"x": [1, "n"]}, {"y": [2]}
    )
    fold_shapes(made)
    assert len(made.graph.node) == 2
