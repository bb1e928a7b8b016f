import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.opset import OPSET, default_opset, raise_opset
from export.tests.convert.graphs import copy_of, difference, model_of, node, noise, ops, run

X = noise(2, 4, 5, 6)


def raised(nodes, opset, shape=None, x=X, constants=()):
    before = model_of(nodes, {"x": x.shape}, {"y": shape or x.shape}, constants, opset=opset)
    after = raise_opset(copy_of(before))
    assert default_opset(after) == OPSET == 18
    assert after.ir_version == 8
    assert difference(before, after, {"x": x}) < 1e-6
    return after


@pytest.mark.parametrize("opset", [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18])
def test_every_opset_that_is_read(opset):
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Relu", ["c"], ["r"]),
        node("GlobalAveragePool", ["r"], ["y"]),
    ]
    raised(nodes, opset, (2, 3, 1, 1), constants={"w": noise(3, 4, 3, 3)})


@pytest.mark.parametrize("opset", [11, 12])
@pytest.mark.parametrize("axis", [1, 2, 3, -1])
def test_softmax_over_the_flattened_rest(opset, axis):
    """Before opset 13, softmax ran over all axes from ``axis`` on."""
    raised([node("Softmax", ["x"], ["y"], axis=axis)], opset)


@pytest.mark.parametrize("opset", [11, 12])
@pytest.mark.parametrize(
    ("op", "attributes", "shape"),
    [
        ("Unsqueeze", {"axes": [0]}, (1, 2, 4, 5, 6)),
        ("ReduceMean", {"axes": [2, 3], "keepdims": 1}, (2, 4, 1, 1)),
        ("ReduceSum", {"axes": [1], "keepdims": 0}, (2, 5, 6)),
        ("ReduceMax", {"keepdims": 0}, ()),
        ("Pad", {}, (2, 4, 7, 6)),
    ],
)
def test_attributes_that_became_inputs(opset, op, attributes, shape):
    more = ["pads"] if op == "Pad" else []
    constants = {"pads": np.array([0, 0, 1, 0, 0, 0, 1, 0])} if more else {}
    raised([node(op, ["x", *more], ["y"], **attributes)], opset, shape, constants=constants)


def test_squeeze_and_split():
    nodes = [node("Split", ["x"], ["a", "b"], axis=0, split=[1, 1]), node("Squeeze", ["b"], ["y"], axes=[0])]
    raised(nodes, 11, (4, 5, 6))


@pytest.mark.parametrize("opset", [7, 10])
def test_clip_bounds_become_inputs(opset):
    after = raised([node("Clip", ["x"], ["y"], min=-0.5, max=0.5)], opset)
    assert ops(after)["Clip"] == 1


@pytest.mark.parametrize("opset", [11, 12])
def test_batch_norm_and_dropout(opset):
    norm = {"g": noise(4), "b": noise(4, seed=1), "m": noise(4, seed=2), "v": np.abs(noise(4, seed=3)) + 1}
    nodes = [
        node("BatchNormalization", ["x", *norm], ["n"]),
        node("Dropout", ["n"], ["d"]),
        node("Neg", ["d"], ["y"]),
    ]
    raised(nodes, opset, constants=norm)


@pytest.mark.parametrize("opset", [11, 12])
@pytest.mark.parametrize("mode", ["asymmetric", "half_pixel", "align_corners"])
def test_resize(opset, mode):
    nodes = [
        node(
            "Resize",
            ["x", "roi", "scales"],
            ["y"],
            mode="nearest",
            coordinate_transformation_mode=mode,
            nearest_mode="floor",
        )
    ]
    constants = {"roi": np.zeros(0, np.float32), "scales": np.float32([1, 1, 2, 2])}
    raised(nodes, opset, (2, 4, 10, 12), constants=constants)


def test_a_file_format_in_which_weights_had_to_be_inputs():
    model = model_of(
        [node("Add", ["x", "w"], ["y"])], {"x": [2], "w": [2]}, {"y": [2]}, {"w": [1.0, 2.0]}, 9, 3
    )
    del model.graph.input[1:]  # as lift_constants leaves it
    assert run(raise_opset(model), {"x": np.zeros(2, np.float32)})[0].tolist() == [1, 2]


@pytest.mark.parametrize("opset", [19, 21])
def test_a_newer_model_stays(opset):
    model = model_of([node("Relu", ["x"], ["y"])], {"x": [2]}, {"y": [2]}, opset=opset, ir_version=9)
    after = raise_opset(copy_of(model))
    assert (default_opset(after), after.ir_version) == (opset, 9)


def test_an_operator_without_a_conversion():
    model = model_of(
        [node("Upsample", ["x"], ["y"], scales=[1.0, 1.0, 2.0, 2.0])],
        {"x": X.shape},
        {"y": (2, 4, 10, 12)},
        opset=7,
    )
    model.graph.node[0].op_type = "NoSuchOperator"
    with pytest.raises(ModelError, match="opset 7, expected 18; it cannot be converted"):
        raise_opset(model)


def test_the_default_domain_is_named_in_two_ways():
    model = model_of([node("Relu", ["x"], ["y"])], {"x": [2]}, {"y": [2]}, opset=13)
    assert default_opset(model) == 13
    model.opset_import[0].domain = "ai.onnx"
    assert default_opset(model) == 13
    del model.opset_import[:]
    assert default_opset(model) == 1
