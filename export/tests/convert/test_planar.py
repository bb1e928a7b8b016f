"""Networks as TensorFlow's converters write them: channels last between layers, a transpose around each."""

import numpy as np
import pytest
from onnx import TensorProto

from edgekit_export.convert.fold_input import Picture
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.planar import move_transposes
from edgekit_export.convert.remove_dead import drop_empty_casts, remove_identities
from edgekit_export.convert.shapes import fold_shapes, infer_shapes
from export.tests.convert.graphs import constants_of, copy_of, model_of, node, ops, run

ANY = [None] * 4
LAST, FIRST = [0, 2, 3, 1], [0, 3, 1, 2]
RNG = np.random.default_rng(4)
PADS = np.array([0, 1, 2, 0, 0, 3, 1, 0], np.int64)


def layer(name, source, target):
    """Transpose, Conv, Transpose."""
    return [
        node("Transpose", [source], [f"{name}.in"], perm=FIRST),
        node("Conv", [f"{name}.in", f"{name}.w"], [f"{name}.out"], kernel_shape=[3, 3]),
        node("Transpose", [f"{name}.out"], [target], perm=LAST),
    ]


def network(ending=(), outputs=None):
    """Two convolutions with a normalisation, a padding and a sum between them."""
    nodes = [
        *layer("first", "x", "a"),
        node("Sub", ["a", "mean"], ["b"]),
        node("Mul", ["b", "scale"], ["c"]),
        node("Add", ["shift", "c"], ["d"]),
        node("Relu", ["d"], ["e"]),
        node("Add", ["e", "a"], ["f"]),
        node("Pad", ["f", "pads"], ["g"]),
        *layer("second", "g", "h"),
        *ending,
    ]
    constants = {
        "first.w": RNG.normal(size=(5, 3, 3, 3)),
        "second.w": RNG.normal(size=(4, 5, 3, 3)),
        "mean": RNG.normal(size=5),
        "scale": RNG.normal(size=(1, 1, 1, 5)),
        "shift": np.array(0.5),
        "pads": PADS,
        "middle": np.array([1, 2], np.int64),
    }
    return model_of(nodes, {"x": [1, 9, 12, 3]}, outputs or {"h": ANY}, constants)


def moved(model):
    made = copy_of(model)
    move_transposes(made)
    remove_identities(made)
    infer_shapes(made)
    return made


def same(first, second, feeds=None):
    feeds = feeds or {"x": RNG.normal(size=(1, 9, 12, 3)).astype(np.float32)}
    for a, b in zip(run(first, feeds), run(second, feeds), strict=True):
        assert a.shape == b.shape
        assert np.abs(a - b).max() < 1e-5


@pytest.mark.parametrize(
    ("ending", "outputs", "left"),
    [
        ((), {"h": ANY}, 2),  # one of the input, one of the output
        ((node("ReduceMean", ["h", "middle"], ["y"], keepdims=0),), {"y": [1, 4]}, 1),
        ((node("ReduceMean", ["h", "middle"], ["y"], keepdims=1),), {"y": ANY}, 2),
        ((node("Softmax", ["h"], ["y"], axis=-1),), {"y": ANY}, 2),
        (
            (node("Sigmoid", ["h"], ["y"]),),
            {"y": ANY, "e": ANY},
            3,
        ),  # a tensor from the middle is wanted too
    ],
)
def test_the_same_outputs_with_fewer_transposes(ending, outputs, left):
    before = network(ending, outputs)
    after = moved(before)
    assert (ops(before)["Transpose"], ops(after)["Transpose"]) == (4, left)
    same(before, after)


def test_padding_goes_with_its_axes():
    after = moved(network())
    assert constants_of(after)["pads.planar"].tolist() == [0, 0, 1, 2, 0, 0, 3, 1]


def test_nothing_changes_where_nothing_is_won():
    """One transpose on the way to what needs channels last, and one computed addend."""
    nodes = [
        node("Transpose", ["x"], ["a"], perm=LAST),
        node("Add", ["a", "z"], ["b"]),
        node("Softmax", ["b"], ["y"], axis=-1),
    ]
    before = model_of(nodes, {"x": [1, 3, 4, 5], "z": [1, 4, 5, 3]}, {"y": ANY})
    assert moved(before).graph.node == before.graph.node


def test_normalisation_joins_its_convolution_and_the_input_is_a_picture():
    before = network((node("ReduceMean", ["h", "middle"], ["y"], keepdims=0),), {"y": [1, 4]})
    after = normalize(before, Picture((10.0, 20.0, 30.0), (2.0, 2.0, 4.0), 9, 12))
    assert {"Sub", "Mul"} <= ops(after).keys()  # the picture's own
    assert ops(after)["Sub"] == ops(after)["Mul"] == ops(after)["Transpose"] == 1
    pixels = RNG.integers(0, 256, (1, 9, 12, 3), dtype=np.uint8)
    given = (pixels - np.float32([10, 20, 30])) / np.float32([2, 2, 4])
    assert np.abs(run(after, {"image": pixels})[0] - run(before, {"x": given})[0]).max() < 1e-3


def test_casts_to_the_same_type_and_known_shapes_go():
    nodes = [
        node("Cast", ["x"], ["a"], to=TensorProto.FLOAT),
        node("Shape", ["a"], ["s"]),
        node("Cast", ["s"], ["t"], to=TensorProto.FLOAT),
        node("ReduceSum", ["t"], ["u"], keepdims=0),
        node("Add", ["a", "u"], ["y"]),
    ]
    made = model_of(nodes, {"x": [2, 3]}, {"y": [2, 3]})
    infer_shapes(made)
    drop_empty_casts(made)
    remove_identities(made)
    fold_shapes(made)
    assert ops(made) == {"Cast": 1, "ReduceSum": 1, "Add": 1}
    assert constants_of(made)["s"].tolist() == [2, 3]
    assert run(made, {"x": np.zeros((2, 3), np.float32)})[0].tolist() == [[5] * 3] * 2


def test_a_shape_that_is_open_stays():
    made = model_of(
        [node("Shape", ["x"], ["s"]), node("Cast", ["s"], ["y"], to=1)], {"x": ["n", 3]}, {"y": [2]}
    )
    infer_shapes(made)
    fold_shapes(made)
    assert ops(made) == {"Shape": 1, "Cast": 1}
