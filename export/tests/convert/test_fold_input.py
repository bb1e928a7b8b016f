import numpy as np
import pytest
from onnx import TensorProto, helper

from edgekit.errors import ModelError
from edgekit_export.convert.fold_input import Picture, fold_input
from edgekit_export.convert.session import session_of
from export.tests.convert.graphs import copy_of, model_of, node, noise, ops, run

IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


def pixels(height, width, channels=3):
    return np.random.default_rng(4).integers(0, 256, (1, height, width, channels), dtype=np.uint8)


def network(shape, channels=3):
    nodes = [node("Conv", ["x", "w", "b"], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"], ["y"])]
    constants = {"w": noise(4, channels, 3, 3, seed=1, scale=0.3), "b": noise(4, seed=2)}
    return model_of(nodes, {"x": shape}, {"y": [1, 4, None, None]}, constants)


def by_hand(picture, mean, std):
    """The definition: NCHW of ``(pixel - mean) / std``, in float64 until the last step."""
    normal = (picture.astype(np.float64) - np.asarray(mean)) / np.asarray(std)
    return np.ascontiguousarray(normal.astype(np.float32).transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("mean", "std"),
    [
        IMAGENET,
        ((127.0,) * 3, (128.0,) * 3),
        ((0.0,) * 3, (255.0,) * 3),
        ((0.5,), (0.25,)),
        ((1.0, 2.0), (3.0, 4.0)),
    ],
)
def test_the_same_as_normalising_by_hand(mean, std):
    channels = len(mean)
    before, picture = network([1, channels, 6, 8], channels), pixels(6, 8, channels)
    after = copy_of(before)
    fold_input(after, Picture(mean, std, 6, 8))
    (wanted,), (got,) = run(before, {"x": by_hand(picture, mean, std)}), run(after, {"image": picture})
    assert np.abs(wanted - got).max() <= 1e-6 * max(1, np.abs(wanted).max())
    assert ops(after) == {"Transpose": 1, "Cast": 1, "Sub": 1, "Mul": 1, "Conv": 1, "Relu": 1}


@pytest.mark.parametrize(
    ("height", "width", "seen"),
    [
        (6, 8, (1, 6, 8, 3)),
        ("height", "width", (1, None, None, 3)),
        (6, "width", (1, 6, None, 3)),
        (None, 8, (1, None, 8, 3)),
    ],
)
def test_the_input_is_uint8_nhwc(height, width, seen):
    model = network([1, 3, height, width])
    fold_input(model, Picture(*IMAGENET, height, width), "picture")
    (spec,) = session_of(model, threads=1).inputs
    assert (spec.name, spec.dtype, spec.shape) == ("picture", "uint8", seen)
    for sides in [(6, 8)] if seen[1] == 6 else [(6, 8), (9, 8)]:
        assert run(model, {"picture": pixels(*sides)})[0].shape == (1, 4, *sides)


def test_channels_may_be_unknown():
    before = network([1, None, 6, 8])
    after = copy_of(before)
    fold_input(after, Picture(*IMAGENET, 6, 8))
    (wanted,) = run(before, {"x": by_hand(pixels(6, 8), *IMAGENET)})
    assert np.abs(wanted - run(after, {"image": pixels(6, 8)})[0]).max() < 1e-5


def test_an_input_that_is_read_twice_and_named_image():
    nodes = [node("Relu", ["image"], ["r"]), node("Add", ["r", "image"], ["y"])]
    before = model_of(nodes, {"image": [1, 3, 4, 4]}, {"y": [1, 3, 4, 4]})
    after = copy_of(before)
    fold_input(after, Picture(*IMAGENET, 4, 4))
    wanted = run(before, {"image": by_hand(pixels(4, 4), *IMAGENET)})[0]
    assert np.abs(wanted - run(after, {"image": pixels(4, 4)})[0]).max() < 1e-6


def test_its_tensors_get_names_that_are_free():
    nodes = [node("Relu", ["x"], ["image.float"]), node("Neg", ["image.float"], ["image.nchw"])]
    model = model_of(nodes, {"x": [1, 3, 4, 4]}, {"image.nchw": [1, 3, 4, 4]})
    fold_input(model, Picture(*IMAGENET, 4, 4))
    assert run(model, {"image": pixels(4, 4)})[0].max() <= 0


def test_a_name_that_is_taken():
    model = model_of([node("Relu", ["x"], ["image"])], {"x": [1, 3, 4, 4]}, {"image": [1, 3, 4, 4]})
    with pytest.raises(ModelError, match="a tensor named 'image' already"):
        fold_input(model, Picture(*IMAGENET, 4, 4))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"x": [1, 3, 4, 4], "z": [1, 3, 4, 4]}, "model has 2 inputs, expected one picture"),
        ({"x": [1, 4, 4, 4]}, r"input x: expected float \(1, 3, height, width\), got float \[1, 4, 4, 4\]"),
        ({"x": [3, 4, 4]}, r"got float \[3, 4, 4\]"),
        (
            {"x": helper.make_tensor_value_info("x", TensorProto.FLOAT16, [1, 3, 4, 4])},
            r"got float16 \[1, 3, 4, 4\]",
        ),
    ],
)
def test_what_is_no_picture(inputs, message):
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    if not isinstance(inputs["x"], list):
        y.CopyFrom(inputs["x"])
        y.name = "y"
    model = model_of([node("Relu", ["x"], ["y"])], inputs, {"y": y})
    with pytest.raises(ModelError, match=message):
        fold_input(model, Picture(*IMAGENET, 4, 4))


@pytest.mark.parametrize(
    ("mean", "std"), [((), ()), ((1.0,), (1.0, 1.0)), ((1.0,), (0.0,)), ((1.0, 1.0), (1.0, -1.0))]
)
def test_means_and_deviations_that_do_not_fit(mean, std):
    with pytest.raises(ValueError, match="as many positive std as mean"):
        Picture(mean, std, 4, 4)
