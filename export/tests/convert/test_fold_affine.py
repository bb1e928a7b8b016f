import numpy as np
import pytest
from onnx import TensorProto, helper

from edgekit_export.convert.fold_affine import fold_affine, split_batch_norm
from edgekit_export.convert.shapes import infer_shapes
from export.tests.convert.graphs import constants_of, copy_of, difference, model_of, node, noise, ops

X = noise(1, 4, 6, 7)
W = noise(8, 4, 3, 3, seed=1, scale=0.3)
CHANNELS = {"a8": np.abs(noise(1, 8, 1, 1, seed=2)) + 0.5, "b8": noise(1, 8, 1, 1, seed=3)}
INPUTS = {"a4": np.abs(noise(1, 4, 1, 1, seed=4)) + 0.5, "b4": noise(1, 4, 1, 1, seed=5)}
SCALARS = {"two": np.float32(2), "three": [3.0]}
CONSTANTS = {"w": W, "bias": noise(8, seed=6), **CHANNELS, **INPUTS, **SCALARS}
ANY = [None, None, None, None]


def folded(nodes, x=X, outputs=("y",), limit=1e-5, **constants):
    inputs = x if isinstance(x, dict) else {"x": x}
    before = model_of(
        nodes,
        {k: v.shape for k, v in inputs.items()},
        dict.fromkeys(outputs, ANY),
        {**CONSTANTS, **constants},
    )
    infer_shapes(before)
    after = copy_of(before)
    fold_affine(after)
    assert difference(before, after, inputs) < limit
    return after


def norm_parameters(channels, seed=0):
    return {
        "gamma": noise(channels, seed=seed + 1),
        "beta": noise(channels, seed=seed + 2),
        "mean": noise(channels, seed=seed + 3),
        "variance": np.abs(noise(channels, seed=seed + 4)) + 0.1,
    }


NORM = ["gamma", "beta", "mean", "variance"]


# After a convolution


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Mul", ["c", "a8"], ["y"])],
        [node("Mul", ["a8", "c"], ["y"])],
        [node("Add", ["c", "b8"], ["y"])],
        [node("Add", ["b8", "c"], ["y"])],
        [node("Sub", ["c", "b8"], ["y"])],
        [node("Div", ["c", "a8"], ["y"])],
        [node("Mul", ["c", "two"], ["y"])],
        [node("Add", ["c", "three"], ["y"])],
        [node("Div", ["c", "two"], ["d"]), node("Sub", ["d", "b8"], ["e"]), node("Mul", ["e", "a8"], ["y"])],
    ],
)
@pytest.mark.parametrize("inputs", [["x", "w"], ["x", "w", "bias"], ["x", "w", ""]])
def test_scales_and_shifts_after(inputs, nodes):
    after = folded([node("Conv", inputs, ["c"], pads=[1, 1, 1, 1]), *nodes])
    assert ops(after) == {"Conv": 1}
    assert list(after.graph.node[0].output) == ["y"]
    assert len(after.graph.initializer) == 2


@pytest.mark.parametrize("shape", [(8, 1, 1), (1, 8, 1, 1)])
def test_shapes_of_a_scale_a_channel(shape):
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "s"], ["y"])]
    assert ops(folded(nodes, s=noise(*shape, seed=9))) == {"Conv": 1}


@pytest.mark.parametrize("shape", [(5,), (4, 1), (1, 5), (1, 1, 4, 5), (1, 8, 4, 5)])
def test_scales_that_vary_over_the_picture_stay(shape):
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "s"], ["y"])]
    assert ops(folded(nodes, s=noise(*shape, seed=9))) == {"Conv": 1, "Mul": 1}


@pytest.mark.parametrize("op", ["Mul", "Add"])
def test_one_channel_that_becomes_many_stays(op):
    nodes = [node("Conv", ["x", "w1"], ["c"]), node(op, ["c", "a8"], ["y"])]
    assert ops(folded(nodes, w1=W[:1])) == {"Conv": 1, op: 1}


@pytest.mark.parametrize("op", ["Div", "Sub"])
def test_what_is_divided_or_taken_from_a_constant_stays(op):
    nodes = [node("Conv", ["x", "w", "big"], ["c"]), node(op, ["two", "c"], ["y"])]
    assert ops(folded(nodes, big=np.full(8, 100.0), limit=1e-4)) == {"Conv": 1, op: 1}


def test_two_computed_tensors_stay():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "c"], ["y"])]
    assert ops(folded(nodes)) == {"Conv": 1, "Mul": 1}


def test_not_across_a_branch():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "a8"], ["m"]), node("Add", ["m", "c"], ["y"])]
    assert ops(folded(nodes)) == {"Conv": 1, "Mul": 1, "Add": 1}


def test_not_where_the_convolution_is_an_output():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "a8"], ["y"])]
    assert ops(folded(nodes, outputs=["y", "c"])) == {"Conv": 1, "Mul": 1}


def test_a_shared_weight_is_changed_for_one_only():
    nodes = [
        node("Conv", ["x", "w", "bias"], ["c"]),
        node("Conv", ["x", "w", "bias"], ["d"]),
        node("Mul", ["c", "a8"], ["m"]),
        node("Sub", ["m", "d"], ["y"]),
    ]
    after = folded(nodes)
    assert ops(after) == {"Conv": 2, "Sub": 1}
    np.testing.assert_array_equal(constants_of(after)["w"], W)


@pytest.mark.parametrize(("weight", "bias"), [("z", "bias"), ("w", "zb")])
def test_computed_weights_and_biases_stay(weight, bias):
    inputs = {"x": X, "z": W, "zb": noise(8, seed=6)}
    nodes = [node("Conv", ["x", weight, bias], ["c"]), node("Mul", ["c", "a8"], ["y"])]
    before = model_of(nodes, {k: v.shape for k, v in inputs.items()}, {"y": ANY}, CONSTANTS)
    after = copy_of(before)
    fold_affine(after)
    assert ops(after) == {"Conv": 1, "Mul": 1}


@pytest.mark.parametrize("group", [2, 4])
def test_groups_after(group):
    nodes = [node("Conv", ["x", "w"], ["c"], group=group), node("Mul", ["c", "a8"], ["y"])]
    assert ops(folded(nodes, w=W[:, : 4 // group])) == {"Conv": 1}


# Before a convolution


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 2, 3]])
@pytest.mark.parametrize("factor", ["a4", "two"])
def test_scales_before(group, pads, factor):
    nodes = [
        node("Mul", ["x", factor], ["m"]),
        node("Conv", ["m", "w", "bias"], ["y"], group=group, pads=pads),
    ]
    after = folded(nodes, w=W[:, : 4 // group])
    assert ops(after) == {"Conv": 1}
    assert after.graph.node[0].input[0] == "x"


@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("op", ["Add", "Sub"])
@pytest.mark.parametrize("shift", ["b4", "three"])
def test_shifts_before_where_nothing_is_padded(group, op, shift):
    nodes = [node(op, ["x", shift], ["m"]), node("Conv", ["m", "w"], ["y"], group=group, auto_pad="VALID")]
    assert ops(folded(nodes, w=W[:, : 4 // group])) == {"Conv": 1}


@pytest.mark.parametrize(
    "padding", [{"pads": [0, 0, 0, 1]}, {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}]
)
def test_shifts_before_a_padded_border_stay(padding):
    nodes = [node("Add", ["x", "b4"], ["m"]), node("Conv", ["m", "w"], ["y"], **padding)]
    assert ops(folded(nodes)) == {"Add": 1, "Conv": 1}


def test_a_scale_behind_a_shift_that_stays():
    nodes = [
        node("Mul", ["x", "a4"], ["m"]),
        node("Add", ["m", "b4"], ["n"]),
        node("Conv", ["n", "w"], ["y"], pads=[1, 1, 1, 1]),
    ]
    assert ops(folded(nodes)) == {"Mul": 1, "Add": 1, "Conv": 1}


@pytest.mark.parametrize("op", ["Mul", "Sub"])
def test_a_grey_picture_that_becomes_three_channels_stays(op):
    """The constant widens one channel to four: without it, the convolution would get one."""
    nodes = [node(op, ["x", "a4"], ["m"]), node("Conv", ["m", "w"], ["y"])]
    assert ops(folded(nodes, noise(1, 1, 6, 7))) == {op: 1, "Conv": 1}


def test_a_picture_of_unknown_channels_stays():
    nodes = [node("Mul", ["x", "a4"], ["m"]), node("Conv", ["m", "w"], ["y"])]
    model = model_of(nodes, {"x": [1, None, 6, 7]}, {"y": ANY}, CONSTANTS)
    infer_shapes(model)
    fold_affine(model)
    assert ops(model) == {"Mul": 1, "Conv": 1}


def test_not_before_a_branch():
    nodes = [
        node("Mul", ["x", "a4"], ["m"]),
        node("Conv", ["m", "w"], ["c"]),
        node("GlobalAveragePool", ["m"], ["p"]),
        node("Conv", ["p", "w1"], ["q"]),
        node("Add", ["c", "q"], ["y"]),
    ]
    assert ops(folded(nodes, w1=W[:, :, :1, :1]))["Mul"] == 1


def test_a_scale_of_the_weight_is_none_of_the_input():
    nodes = [node("Mul", ["z", "two"], ["m"]), node("Conv", ["x", "m"], ["y"])]
    assert ops(folded(nodes, {"x": X, "z": W})) == {"Mul": 1, "Conv": 1}


def test_a_scale_of_the_bias_is_none_of_the_input():
    nodes = [node("Mul", ["z", "two"], ["m"]), node("Conv", ["x", "w", "m"], ["y"])]
    assert ops(folded(nodes, {"x": X, "z": noise(8)})) == {"Mul": 1, "Conv": 1}


def test_a_scale_before_a_computed_bias_stays():
    nodes = [node("Mul", ["x", "a4"], ["m"]), node("Conv", ["m", "w", "z"], ["y"])]
    assert ops(folded(nodes, {"x": X, "z": noise(8)})) == {"Mul": 1, "Conv": 1}


def test_a_scale_between_two_convolutions_goes_into_the_first():
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("Mul", ["c", "a8"], ["m"]),
        node("Add", ["m", "b8"], ["n"]),
        node("Conv", ["n", "v"], ["y"], pads=[1, 1, 1, 1]),
    ]
    after = folded(nodes, v=noise(2, 8, 3, 3, seed=8, scale=0.2))
    assert ops(after) == {"Conv": 2}
    assert len(after.graph.initializer) == 3  # the second has no bias, still


# Other ranks


def test_a_volume_has_another_channel_axis():
    """``(8, 1, 1)`` beside ``(N, 8, 8, H, W)`` scales depths, not channels."""
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "s"], ["y"])]
    x, w = noise(1, 2, 8, 3, 3), noise(8, 2, 1, 1, 1, seed=1)
    before = model_of(nodes, {"x": x.shape}, {"y": [None] * 5}, {"w": w, "s": noise(8, 1, 1, seed=2)})
    infer_shapes(before)
    after = copy_of(before)
    fold_affine(after)
    assert difference(before, after, {"x": x}) == 0


@pytest.mark.parametrize("rank", [3, 5])
@pytest.mark.parametrize("first", [True, False])
def test_scalars_fold_at_any_rank(rank, first):
    x, w = noise(1, 2, *[4] * (rank - 2)), noise(3, 2, *[1] * (rank - 2), seed=1)
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "two"], ["y"])]
    if first:
        nodes = [node("Mul", ["x", "two"], ["m"]), node("Conv", ["m", "w"], ["y"])]
    before = model_of(nodes, {"x": x.shape}, {"y": [None] * rank}, {"w": w, "two": [2.0]})
    infer_shapes(before)
    after = copy_of(before)
    fold_affine(after)
    assert ops(after) == {"Conv": 1}
    assert difference(before, after, {"x": x}) < 1e-6


def test_a_scale_that_adds_an_axis_stays():
    nodes = [node("Conv", ["x", "w"], ["c"]), node("Mul", ["c", "s"], ["y"])]
    before = model_of(nodes, {"x": X.shape}, {"y": [None] * 5}, {"w": W, "s": np.full((1, 1, 1, 1, 1), 2.0)})
    infer_shapes(before)
    after = copy_of(before)
    fold_affine(after)
    assert difference(before, after, {"x": X}) == 0


# Batch normalisation


@pytest.mark.parametrize("epsilon", [None, 1e-3])
@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 5), (2, 4, 5, 6), (2, 4, 3, 2, 2)])
def test_batch_norm_at_any_rank(shape, epsilon):
    attributes = {} if epsilon is None else {"epsilon": epsilon}
    nodes = [node("BatchNormalization", ["x", *NORM], ["y"], **attributes)]
    before = model_of(nodes, {"x": shape}, {"y": shape}, norm_parameters(4))
    after = copy_of(before)
    split_batch_norm(after)
    assert ops(after) == {"Mul": 1, "Add": 1}
    assert difference(before, after, {"x": noise(*shape, seed=7)}) < 2e-5


def normalised(nodes, x, constants, rank=4):
    before = model_of(nodes, {"x": x.shape}, {"y": [None] * rank}, constants)
    after = copy_of(before)
    infer_shapes(after)
    split_batch_norm(after)
    fold_affine(after)
    assert difference(before, after, {"x": x}) < 2e-5
    return after


@pytest.mark.parametrize("bias", [[], ["bias"]])
@pytest.mark.parametrize(
    "more", [{}, {"pads": [0, 0, 1, 1], "strides": [2, 2]}, {"auto_pad": "SAME_UPPER", "strides": [2, 2]}]
)
def test_batch_norm_after_a_convolution(bias, more):
    nodes = [node("Conv", ["x", "w", *bias], ["c"], **more), node("BatchNormalization", ["c", *NORM], ["y"])]
    after = normalised(nodes, X, {"w": W, "bias": noise(8), **norm_parameters(8)})
    assert ops(after) == {"Conv": 1}
    assert {a.shape for a in constants_of(after).values()} == {(8, 4, 3, 3), (8,)}


@pytest.mark.parametrize(
    ("pads", "left"), [([0, 0, 0, 0], {"Conv": 1}), ([1, 0, 0, 0], {"Mul": 1, "Add": 1, "Conv": 1})]
)
def test_batch_norm_before_a_convolution(pads, left):
    nodes = [node("BatchNormalization", ["x", *NORM], ["n"]), node("Conv", ["n", "w"], ["y"], pads=pads)]
    assert ops(normalised(nodes, X, {"w": W, **norm_parameters(4)})) == left


def test_batch_norm_between_an_activation_and_a_depthwise_convolution():
    nodes = [
        node("Relu", ["x"], ["r"]),
        node("BatchNormalization", ["r", *NORM], ["n"]),
        node("Conv", ["n", "d"], ["y"], group=4),
    ]
    assert ops(normalised(nodes, X, {"d": noise(8, 1, 3, 3), **norm_parameters(4)})) == {"Relu": 1, "Conv": 1}


def test_two_batch_norms_in_a_row():
    second = {f"{k}2": v for k, v in norm_parameters(8, seed=10).items()}
    nodes = [
        node("Conv", ["x", "w"], ["c"]),
        node("BatchNormalization", ["c", *NORM], ["n"]),
        node("BatchNormalization", ["n", *second], ["y"]),
    ]
    assert ops(normalised(nodes, X, {"w": W, **norm_parameters(8), **second})) == {"Conv": 1}


def test_batch_norm_after_a_transposed_convolution_becomes_two_nodes():
    nodes = [
        node("ConvTranspose", ["x", "w"], ["c"], strides=[2, 2]),
        node("BatchNormalization", ["c", *NORM], ["y"]),
    ]
    after = normalised(nodes, X, {"w": noise(4, 8, 2, 2), **norm_parameters(8)})
    assert ops(after) == {"ConvTranspose": 1, "Mul": 1, "Add": 1}


def test_batch_norm_that_trains_stays():
    nodes = [node("BatchNormalization", ["x", *NORM], ["y", "m", "v"], training_mode=1)]
    model = model_of(nodes, {"x": X.shape}, {"y": X.shape}, norm_parameters(4))
    split_batch_norm(model)
    assert ops(model) == {"BatchNormalization": 1}
    del model.graph.node[0].output[1:]
    split_batch_norm(model)
    assert ops(model) == {"BatchNormalization": 1}


def test_batch_norm_with_computed_parameters_stays():
    nodes = [node("BatchNormalization", ["x", "gamma", "beta", "mean", "v"], ["y"])]
    inputs = {"x": X, "v": np.abs(noise(4)) + 1}
    model = model_of(nodes, {k: v.shape for k, v in inputs.items()}, {"y": X.shape}, norm_parameters(4))
    split_batch_norm(model)
    assert ops(model) == {"BatchNormalization": 1}


def test_batch_norm_in_half_precision_stays():
    half = [helper.make_tensor_value_info(n, TensorProto.FLOAT16, [1, 4, 6, 7]) for n in "xy"]
    parameters = {k: v.astype(np.float16) for k, v in norm_parameters(4).items()}
    nodes = [node("BatchNormalization", ["x", *NORM], ["y"])]
    before = model_of(nodes, {"x": half[0]}, {"y": half[1]}, parameters)
    after = copy_of(before)
    split_batch_norm(after)
    assert difference(before, after, {"x": X.astype(np.float16)}) < 0.02


def test_batch_norm_of_a_tensor_of_unknown_rank_stays():
    nodes = [
        node("Reshape", ["x", "shape"], ["r"]),
        node("BatchNormalization", ["r", *NORM], ["n"]),
        node("Reshape", ["n", "flat"], ["y"]),
    ]
    inputs = {"x": [2, 4], "shape": helper.make_tensor_value_info("shape", TensorProto.INT64, [None])}
    before = model_of(nodes, inputs, {"y": [None]}, {"flat": np.array([-1]), **norm_parameters(4)})
    infer_shapes(before)
    after = copy_of(before)
    split_batch_norm(after)
    assert difference(before, after, {"x": noise(2, 4), "shape": np.array([2, 4])}) < 2e-5
