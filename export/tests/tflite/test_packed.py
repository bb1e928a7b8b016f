import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.quantize.weights import Codes
from edgekit_export.tflite.drop_unread import drop_unread
from edgekit_export.tflite.flatbuffer import write_tflite
from edgekit_export.tflite.half import half_weights
from edgekit_export.tflite.layers import tflite_layers
from edgekit_export.tflite.packed import bytes_of, pack, stored_bits, write_packed
from edgekit_export.tflite.tap import TfliteTap, session_of_tflite
from export.tests.tflite.graphs import one_layer

BITS = (*range(4, 15), 16)


def codes_of(shape, bits, seed=0):
    """Codes of all sizes, the largest of both signs among them, and uneven scales."""
    rng = np.random.default_rng(seed)
    limit = (1 << (bits - 1)) - 1
    codes = rng.integers(-limit, limit + 1, shape)
    codes.reshape(-1)[:2] = limit, -limit
    return Codes(codes, rng.uniform(1e-4, 1e-1, shape[0]).astype(np.float32))


def real_of(codes):
    """What the ONNX graph computes: one product in float32."""
    return codes.codes.astype(np.float32) * codes.scale.reshape(-1, *[1] * (codes.codes.ndim - 1))


def unpacked(plane, size):
    """The numbers that a plane stands for, by the rules of TFLite's types."""
    if plane.dtype in ("int8", "int16"):
        digits = plane.stored.astype(np.int64).reshape(-1)
    else:
        width = int(plane.dtype[3:])
        digits = (plane.stored[:, None] >> (width * np.arange(8 // width))) & ((1 << width) - 1)
        digits = digits.reshape(-1)[:size].astype(np.int64)
        digits -= (digits >= 1 << (width - 1)) * (1 << width)
    return (digits - plane.zero_point) * plane.worth


def packed_layer(kind, source, weight, output, bits, fused=0):
    graph = one_layer(kind, source, weight, output, fused=fused)
    (layer,) = tflite_layers(graph)
    onnx_shape = layer.to_onnx(graph.constant(layer.weight)).shape
    codes = codes_of(onnx_shape, bits)
    bias = np.linspace(-1, 1, onnx_shape[0])
    stored = write_packed(graph, graph.operators[0], layer, codes, bits, bias)
    drop_unread(graph)
    return graph, codes, bias, stored


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [(2, 1), (3, 1), (5, 7), (1, 9)])
def test_planes_hold_the_codes(bits, shape):
    codes = codes_of(shape, bits).codes
    planes = pack(codes, bits)
    total = sum(unpacked(plane, codes.size) for plane in planes)
    np.testing.assert_array_equal(total, codes.reshape(-1))
    assert bytes_of(shape, bits) == 4 * shape[0] + sum(plane.stored.nbytes for plane in planes)


@pytest.mark.parametrize(
    ("bits", "types"),
    [
        (4, ["int4"]),
        (5, ["int4", "int2"]),
        (6, ["int4", "int2"]),
        (8, ["int8"]),
        (9, ["int8", "int2"]),
        (10, ["int8", "int2"]),
        (12, ["int8", "int4"]),
        (14, ["int8", "int4", "int2"]),
        (16, ["int16"]),
    ],
)
def test_planes_are_of_types_that_tflite_has(bits, types):
    assert [plane.dtype for plane in pack(codes_of((4, 4), bits).codes, bits)] == types


def test_bytes_follow_the_stored_bits():
    assert [stored_bits(bits) for bits in BITS] == [4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14, 16]
    assert bytes_of((1280, 320, 1, 1), 10) == 4 * 1280 + 1280 * 320 * 10 // 8
    assert bytes_of((3, 1), 6) == 12 + 2 + 1  # three codes: a nibble and a pair of bits to spare


@pytest.mark.parametrize(("bits", "code"), [(4, 8), (4, -9), (10, 512), (16, 1 << 15)])
def test_codes_that_do_not_fit_are_refused(bits, code):
    with pytest.raises(ValueError, match=f"codes of {bits} bits: expected −{1 << (bits - 1)} to"):
        pack(np.array([0, code]), bits)


@pytest.mark.parametrize("optimization", ["all", "none"])
@pytest.mark.parametrize("bits", BITS)
def test_the_engine_unpacks_the_same_float32_as_onnx(bits, optimization):
    graph, codes, bias, stored = packed_layer("CONV_2D", (1, 3, 5, 7), (9, 1, 1, 7), (1, 3, 5, 9), bits)
    kinds = {graph.kind(op) for op in graph.operators}
    assert kinds <= {"DEQUANTIZE", "ADD", "MUL", "BATCH_MATMUL"}
    assert stored == bytes_of((9, 7), bits) - 4 * 9
    picture = {"x": np.random.default_rng(1).normal(size=(1, 3, 5, 7)).astype(np.float32)}
    weight = next(i for i in range(len(graph.main.tensors)) if graph.name(i) == "y.w")
    real = real_of(codes).reshape(9, 7)
    (found,) = TfliteTap(write_tflite(graph), [weight]).over([picture])
    np.testing.assert_array_equal(found["y.w"].T, real)
    session = session_of_tflite(write_tflite(graph), optimization=optimization)
    wanted = picture["x"].astype(np.float64) @ real.T.astype(np.float64) + bias
    for _ in range(2):  # what is unpacked once is the same again
        (scores,) = session.run(picture)
        np.testing.assert_allclose(scores, wanted, rtol=1e-5, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize(("fused", "low", "high"), [(0, -np.inf, np.inf), (1, 0, np.inf), (3, 0, 6)])
def test_a_linear_layer_keeps_its_activation(fused, low, high):
    graph, codes, bias, _ = packed_layer("FULLY_CONNECTED", (1, 7), (9, 7), (1, 9), 10, fused)
    row = np.random.default_rng(1).normal(size=(1, 7)).astype(np.float32)
    (scores,) = session_of_tflite(write_tflite(graph)).run({"x": row})
    wanted = np.clip(row @ real_of(codes).T + bias, low, high)
    np.testing.assert_allclose(scores, wanted, rtol=1e-5, atol=1e-4)
    assert graph.outputs == [i for i in range(len(graph.main.tensors)) if graph.name(i) == "y"]


@pytest.mark.parametrize(("kind", "weight"), [("CONV_2D", (4, 3, 3, 4)), ("DEPTHWISE_CONV_2D", (1, 3, 3, 4))])
def test_a_convolution_over_pixels_has_float16(kind, weight):
    graph, codes, _, stored = packed_layer(kind, (1, 6, 6, 4), weight, (1, 6, 6, 4), 12)
    assert [graph.kind(op) for op in graph.operators] == ["DEQUANTIZE", kind]
    (layer,) = tflite_layers(graph)
    half = graph.constant(layer.weight)
    assert (str(half.dtype), stored) == ("float16", half.nbytes)
    np.testing.assert_array_equal(layer.to_onnx(half), half_weights(codes.real))
