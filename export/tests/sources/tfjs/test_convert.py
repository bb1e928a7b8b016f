"""Each operator against TensorFlow's definition, written out in numpy."""

import base64
import json

import numpy as np
import pytest

from edgekit.errors import ModelError
from edgekit_export.convert.session import session_of
from edgekit_export.sources.tfjs.convert import to_onnx
from edgekit_export.sources.tfjs.graph_model import GraphModel, Node, read_graph_model

X = np.random.default_rng(5).normal(size=(1, 5, 6, 3)).astype(np.float32)
PLANAR = X.transpose(0, 3, 1, 2)


def converted(op, constants=(), attributes=(), inputs=("x",), x=PLANAR):
    """Output of one operator in NHWC; constants are its further inputs."""
    values = {f"c{i}": np.asarray(value) for i, value in enumerate(constants)}
    nodes = {
        "x": Node("x", "Placeholder", (), {}),
        "y": Node("y", op, (*inputs, *values), dict(attributes)),
    }
    model = to_onnx(GraphModel(nodes, values), ["y"], x.shape)
    return session_of(model).run({"x": np.ascontiguousarray(x)})[0].transpose(0, 2, 3, 1)


def convolved(x, kernel, stride, dilation, padding):
    """``tf.nn.conv2d`` of one NHWC picture, by its definition; SAME pads more on the right and below."""
    spans = [(side - 1) * dilation + 1 for side in kernel.shape[:2]]
    if padding == "SAME":
        sizes = [-(-side // stride) for side in x.shape[1:3]]
        rests = [
            max((n - 1) * stride + s - side, 0) for n, s, side in zip(sizes, spans, x.shape[1:3], strict=True)
        ]
        x = np.pad(x, [(0, 0), *((rest // 2, rest - rest // 2) for rest in rests), (0, 0)])
    else:
        sizes = [-(-(side - s + 1) // stride) for s, side in zip(spans, x.shape[1:3], strict=True)]
    made = np.zeros((1, *sizes, kernel.shape[3]))
    for row in range(sizes[0]):
        for column in range(sizes[1]):
            top, left = row * stride, column * stride
            seen = x[0, top : top + spans[0] : dilation, left : left + spans[1] : dilation]
            made[0, row, column] = np.einsum("hwi,hwio->o", seen, kernel)
    return made


def options(stride, dilation, padding, *fused):
    return {
        "strides": [1, stride, stride, 1],
        "dilations": [1, dilation, dilation, 1],
        "padding": padding,
        "data_format": "NHWC",
        "fused_ops": list(fused),
    }


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("side", [1, 2, 3])
def test_convolution(padding, stride, dilation, side):
    kernel = np.random.default_rng(side).normal(size=(side, side, 3, 4)).astype(np.float32)
    got = converted("Conv2D", [kernel], options(stride, dilation, padding))
    np.testing.assert_allclose(got, convolved(X, kernel, stride, dilation, padding), atol=1e-5)


@pytest.mark.parametrize(("fused", "low", "high"), [((), -99, 99), (("Relu",), 0, 99), (("Relu6",), 0, 6)])
def test_bias_and_activation_behind_a_convolution(fused, low, high):
    kernel = np.random.default_rng(1).normal(0, 2, (1, 1, 3, 2)).astype(np.float32)
    bias = np.array([3, -2], np.float32)
    got = converted("_FusedConv2D", [kernel, bias], options(1, 1, "SAME", "BiasAdd", *fused))
    wanted = convolved(X, kernel, 1, 1, "SAME") + bias
    assert wanted.max() > 6
    np.testing.assert_allclose(got, np.clip(wanted, low, high), atol=1e-5)


@pytest.mark.parametrize("multiplier", [1, 2])
@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_convolution(multiplier, stride):
    kernel = np.random.default_rng(2).normal(size=(3, 3, 3, multiplier)).astype(np.float32)
    got = converted("DepthwiseConv2dNative", [kernel], options(stride, 1, "SAME"))
    channels = [convolved(X[..., c : c + 1], kernel[:, :, c : c + 1], stride, 1, "SAME") for c in range(3)]
    np.testing.assert_allclose(got, np.concatenate(channels, axis=3), atol=1e-5)


@pytest.mark.parametrize("constant", [2.5, [1.0, 2.0, 3.0]])
@pytest.mark.parametrize(("op", "do"), [("Add", np.add), ("AddV2", np.add), ("Mul", np.multiply)])
def test_pointwise_with_a_constant(op, do, constant):
    constant = np.array(constant, np.float32)
    np.testing.assert_allclose(converted(op, [constant]), do(X, constant), atol=1e-6)


@pytest.mark.parametrize(
    ("op", "wanted"),
    [
        ("Relu", np.maximum(X, 0)),
        ("Relu6", np.clip(X, 0, 6)),
        ("Sigmoid", 1 / (1 + np.exp(-X))),
        ("Identity", X),
    ],
)
def test_activations(op, wanted):
    np.testing.assert_allclose(converted(op), wanted, atol=1e-6)


def test_mean_over_the_map():
    got = converted("Mean", [np.array([1, 2], np.int32)], {"keep_dims": True})
    np.testing.assert_allclose(got, X.mean(axis=(1, 2), keepdims=True), atol=1e-6)


@pytest.mark.parametrize("axis", [3, -1, 1])
def test_concat(axis):
    got = converted("ConcatV2", [np.array(axis, np.int32)], inputs=("x", "x"))
    np.testing.assert_array_equal(got, np.concatenate([X, X], axis=axis))


@pytest.mark.parametrize("half", [False, True])
def test_resize_bilinear(half):
    """Without half pixel centres the first pixels coincide; positions past the last one repeat it."""
    got = converted(
        "ResizeBilinear", [np.array([10, 12], np.int32)], {"align_corners": False, "half_pixel_centers": half}
    )
    wanted = X
    for axis, size in ((1, 10), (2, 12)):
        n = wanted.shape[axis]
        place = (np.arange(size) + 0.5) * n / size - 0.5 if half else np.arange(size) * n / size
        place = np.clip(place, 0, n - 1)
        left = np.floor(place).astype(int)
        part = (place - left).reshape([-1 if i == axis else 1 for i in range(4)])
        right = np.minimum(left + 1, n - 1)
        wanted = np.take(wanted, left, axis) * (1 - part) + np.take(wanted, right, axis) * part
    np.testing.assert_allclose(got, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("op", "constants", "attributes", "problem"),
    [
        ("Conv2D", [np.zeros((1, 1, 3, 1), np.float32)], options(1, 1, "EXPLICIT"), "padding EXPLICIT"),
        ("Conv2D", [np.zeros((1, 1, 3, 1), np.float32)], {"data_format": "NCHW"}, "data_format is NCHW"),
        (
            "_FusedConv2D",
            [np.zeros((1, 1, 3, 1), np.float32), np.zeros(1, np.float32)],
            options(1, 1, "SAME", "BiasAdd", "Elu"),
            r"ends in \['Elu'\]",
        ),
        ("Mul", [np.zeros((5, 6, 3), np.float32)], {}, "expected a number or one a channel"),
        ("Mean", [np.array([1, 2])], {"keep_dims": False}, "keep_dims is False"),
        ("ResizeBilinear", [np.array([2, 2])], {"align_corners": True}, "align_corners is True"),
        ("Where", [], {}, "operators that are not converted: Where"),
    ],
)  # fmt: skip
def test_what_is_refused(op, constants, attributes, problem):
    with pytest.raises(ModelError, match=problem):
        converted(op, constants, attributes)


def test_outputs_and_inputs_that_are_none():
    graph = GraphModel({"y": Node("y", "Relu", ("gone",), {})}, {})
    with pytest.raises(ModelError, match="no operator 'z'"):
        to_onnx(graph, ["z"], (1, 3, 5, 6))
    with pytest.raises(ModelError, match="reads 'gone'"):
        to_onnx(graph, ["y"], (1, 3, 5, 6))


def written(**changes):
    """A small ``model.json`` and its weights."""
    weights = [
        {"name": "half", "shape": [2], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "count", "shape": [], "dtype": "int32"},
    ]  # fmt: skip
    nodes = [
        {"name": "half", "op": "Const"},
        {"name": "y", "op": "Conv2D", "input": ["x:0", "half", "^later"], "attr": {
            "padding": {"s": base64.b64encode(b"SAME").decode()},
            "strides": {"list": {"i": ["1", "2"]}},
            "fused_ops": {"list": {}},
            "keep": {"b": True},
            "T": {"type": "DT_FLOAT"},
        }},
    ]  # fmt: skip
    content = {
        "modelTopology": {"node": nodes},
        "weightsManifest": [{"paths": ["a.bin", "b.bin"], "weights": weights}],
    }
    return json.dumps(content | changes).encode()


PARTS = {"a.bin": np.array([1.5, -2], "<f2").tobytes(), "b.bin": np.array([7], "<i4").tobytes()}


def test_reading():
    graph = read_graph_model(written(), "model.json", PARTS.__getitem__)
    assert graph.constants["half"].tolist() == [1.5, -2.0]
    assert graph.constants["half"].dtype == np.float32
    assert graph.constants["count"].tolist() == 7
    assert graph.nodes.keys() == {"y"}
    assert graph.nodes["y"].inputs == ("x", "half")
    attributes = graph.nodes["y"].attributes
    assert (attributes["padding"], attributes["strides"], attributes["fused_ops"]) == ("SAME", [1, 2], [])
    assert attributes["keep"] is True


@pytest.mark.parametrize(
    ("data", "parts", "problem"),
    [
        (b"", PARTS, "is no TensorFlow.js graph model"),
        (b"{}", PARTS, "is no TensorFlow.js graph model"),
        (written(modelTopology={"node": [{"name": "y", "op": "R", "attr": {"s": {"s": "?"}}}]}), PARTS, "is no T"),
        (written(), PARTS | {"b.bin": b""}, "weight count ends at byte 8 of 4"),
        (written(), PARTS | {"b.bin": bytes(5)}, "9 bytes of weights, expected 8"),
        (
            written(weightsManifest=[{"paths": [], "weights": [
                {"name": "w", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8"}}]}]),
            PARTS,
            "weight w is stored as uint8",
        ),
    ],
)  # fmt: skip
def test_damaged_files(data, parts, problem):
    with pytest.raises(ModelError, match=problem):
        read_graph_model(data, "model.json", parts.__getitem__)
