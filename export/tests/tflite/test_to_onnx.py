"""Each operator in ONNX against TFLite's own interpreter."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit.errors import ModelError
from edgekit_export.convert.session import session_of
from edgekit_export.tflite.flatbuffer import read_tflite, write_tflite
from edgekit_export.tflite.tap import session_of_tflite
from edgekit_export.tflite.to_onnx import tflite_to_onnx
from export.tests.tflite.graphs import VALID, Maker
from tests.tflite_files import channel_means

RNG = np.random.default_rng(5)
X = RNG.normal(0, 3, (1, 7, 6, 4)).astype(np.float32)
RELU, RELU6, RELU_N1_TO_1 = 1, 3, 2
SAME = 0


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def differs_by(graph, x=X):
    """Largest difference between both, for a graph of one output."""
    planar = np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if x.ndim == 4 else x
    (converted,) = session_of(tflite_to_onnx(graph, "image", ["y"])).run({"image": planar})
    (wanted,) = session_of_tflite(write_tflite(graph), threads=1).run({"x": x})
    assert converted.shape == wanted.shape
    return float(np.abs(converted - wanted).max())


def convolution(kind, weight, padding, stride, dilation, fused=0, half=False):
    made = Maker(X.shape)
    weights = [weight, normal(weight.shape[3] if kind == "DEPTHWISE_CONV_2D" else weight.shape[0])]
    constants = [made.constant(w.astype(np.float16) if half else w) for w in weights]
    if half:
        shapes = [w.shape for w in weights]
        constants = [made.add("DEQUANTIZE", [c], shape) for c, shape in zip(constants, shapes, strict=True)]
    rows, columns = (
        -(-(side - (0 if padding == SAME else (span - 1) * dilation)) // stride)
        for side, span in zip(X.shape[1:3], weight.shape[1:3], strict=True)
    )
    options = "Conv2DOptions" if kind == "CONV_2D" else "DepthwiseConv2DOptions"
    extra = {} if kind == "CONV_2D" else {"depthMultiplier": weight.shape[3] // X.shape[3]}
    made.add(
        kind, [0, *constants], (1, rows, columns, len(weights[1])), options,
        padding=padding, strideH=stride, strideW=stride, dilationHFactor=dilation, dilationWFactor=dilation,
        fusedActivationFunction=fused, **extra,
    )  # fmt: skip
    return made.graph()


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize(("kind", "shape"), [("CONV_2D", (5, 3, 2, 4)), ("DEPTHWISE_CONV_2D", (1, 3, 3, 8))])
def test_convolutions(kind, shape, padding, stride, dilation):
    assert differs_by(convolution(kind, normal(*shape), padding, stride, dilation)) < 1e-5


@pytest.mark.parametrize("fused", [RELU, RELU6])
def test_what_a_convolution_ends_with(fused):
    assert differs_by(convolution("CONV_2D", normal(5, 1, 1, 4), VALID, 1, 1, fused)) < 1e-5


def test_weights_of_float16_are_expanded():
    graph = convolution("CONV_2D", normal(5, 3, 3, 4), SAME, 1, 1, half=True)
    assert differs_by(graph) < 1e-5
    assert len(tflite_to_onnx(graph, "image", ["y"]).graph.node) == 2  # convolution, order of axes


def pooled(kind, padding):
    made = Maker(X.shape)
    sides = (4, 3) if padding == SAME else (3, 2)
    options = {"padding": padding, "strideH": 2, "strideW": 2, "filterHeight": 3, "filterWidth": 3}
    made.add(kind, [0], (1, *sides, 4), "Pool2DOptions", **options)
    return made.graph()


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("kind", ["MAX_POOL_2D", "AVERAGE_POOL_2D"])
def test_pooling(kind, padding):
    assert differs_by(pooled(kind, padding)) < 1e-6


@pytest.mark.parametrize("kind", ["RELU", "RELU6", "LOGISTIC", "TANH", "HARD_SWISH"])
def test_activations(kind):
    made = Maker(X.shape)
    made.add(kind, [0], X.shape, "HardSwishOptions" if kind == "HARD_SWISH" else "")
    assert differs_by(made.graph()) < 1e-6


@pytest.mark.parametrize("kind", ["ADD", "SUB", "MUL"])
@pytest.mark.parametrize("shape", [(1,), (4,), (1, 1, 1, 4), (1, 7, 6, 4)])
def test_pointwise_with_a_constant(kind, shape):
    made = Maker(X.shape)
    options = f"{kind.capitalize()}Options"
    made.add(kind, [0, made.constant(normal(*shape))], X.shape, options, fusedActivationFunction=RELU)
    assert differs_by(made.graph()) < 1e-6


@pytest.mark.parametrize("shape", [(1, 1, 4), (4,)])
def test_prelu(shape):
    made = Maker(X.shape)
    made.add("PRELU", [0, made.constant(normal(*shape))], X.shape)
    assert differs_by(made.graph()) < 1e-6


@pytest.mark.parametrize(("keeps", "shape"), [(True, (1, 1, 1, 4)), (False, (1, 4))])
def test_mean_over_a_picture(keeps, shape):
    made = Maker(X.shape)
    axes = made.constant(np.int32([1, 2]))
    made.add("MEAN", [0, axes], shape, "ReducerOptions", keepDims=keeps)
    assert differs_by(made.graph()) < 1e-6


def test_padding_of_every_axis():
    made = Maker(X.shape)
    amounts = made.constant(np.int32([[0, 0], [1, 2], [0, 3], [0, 5]]))
    made.add("PAD", [0, amounts], (1, 10, 9, 9), "PadOptions")
    assert differs_by(made.graph()) == 0


@pytest.mark.parametrize("shape", [(1, 42, 4), (1, 168), (1, 6, 7, 4), (1, 1, 1, 168)])
def test_reshape_keeps_the_order_of_tflite(shape):
    made = Maker(X.shape)
    made.add(
        "RESHAPE", [0, made.constant(np.int32(shape))], shape, "ReshapeOptions", newShape=np.int32(shape)
    )
    assert differs_by(made.graph()) == 0


@pytest.mark.parametrize(("axis", "shape"), [(3, (1, 7, 6, 8)), (-3, (1, 14, 6, 4))])
def test_concatenation(axis, shape):
    made = Maker(X.shape)
    made.add("CONCATENATION", [0, 0], shape, "ConcatenationOptions", axis=axis)
    assert differs_by(made.graph()) == 0


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("size", [(14, 12), (5, 9)])
def test_bilinear_resize(half, size):
    made = Maker(X.shape)
    inputs = [0, made.constant(np.int32(size))]
    made.add("RESIZE_BILINEAR", inputs, (1, *size, 4), "ResizeBilinearOptions", halfPixelCenters=half)
    assert differs_by(made.graph()) < 1e-5


def test_a_linear_layer_flattens_what_it_reads_and_a_softmax_is_over_its_classes():
    made = Maker(X.shape)
    weights = [made.constant(normal(3, 168) / 10), made.constant(normal(3))]
    scores = made.add("FULLY_CONNECTED", [0, *weights], (1, 3), "FullyConnectedOptions")
    made.add("SOFTMAX", [scores], (1, 3), "SoftmaxOptions", beta=1.0)
    assert differs_by(made.graph()) < 1e-5


def test_outputs_have_their_names_and_tflites_shapes():
    made = Maker(X.shape)
    first = made.add("RELU", [0], X.shape)
    second = made.add("TANH", [first], X.shape)
    model = tflite_to_onnx(made.graph(second, first), "image", ["b", "a"])
    assert [v.name for v in model.graph.output] == ["b", "a"]
    assert [d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim] == [1, 7, 6, 4]


def refusal_of(graph):
    with pytest.raises(ModelError) as caught:
        tflite_to_onnx(graph, "image", ["y"])
    return caught.value.message


def test_unknown_operators_are_all_named():
    made = Maker(X.shape)
    made.add("FLOOR", [made.add("COS", [0], X.shape)], X.shape)
    assert refusal_of(made.graph()) == "TFLite operators that are not converted to ONNX: COS, FLOOR"


def test_a_quantised_file_is_refused():
    assert "computes with codes of integers" in refusal_of(read_tflite(channel_means("int8"), "means.tflite"))


def test_a_computed_weight_is_refused():
    made = Maker(X.shape)
    weight = made.add("RELU", [0], X.shape)
    made.add("PRELU", [0, weight], X.shape)
    assert "expected a constant as input 1" in refusal_of(made.graph())


def test_an_activation_that_onnx_lacks_is_refused():
    graph = convolution("CONV_2D", normal(5, 1, 1, 4), VALID, 1, 1, RELU_N1_TO_1)
    assert "ends in activation 2, expected RELU" in refusal_of(graph)


@pytest.mark.parametrize("name", ["vww_96_float", "pretrainedResnet"])
def test_trained_networks_give_what_tflite_gives(test_data, name):
    path = test_data / "mlperf_tiny" / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"test data absent: {path}")
    graph = read_tflite(path.read_bytes(), path.name)
    _, *sides = graph.shape(graph.inputs[0])
    graph.rename(graph.inputs[0], "x")
    assert differs_by(graph, RNG.uniform(0, 1, (1, *sides)).astype(np.float32)) < 1e-5
