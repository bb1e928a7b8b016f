import numpy as np
import pytest

from edgekit_export.convert.graph import GraphView
from edgekit_export.quantize.placement import layers
from edgekit_export.quantize.weights import (
    BIAS_LIMIT,
    LayerWeights,
    nearest,
    read_weights,
    smallest_scale,
)
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import values


def test_nearest_is_within_half_a_step():
    weight = values(4, 3, 2, 2)
    codes = nearest(weight)
    assert (np.abs(codes.real - weight) <= codes.scale.reshape(-1, 1, 1, 1) * 0.5001).all()
    assert (np.abs(codes.codes).reshape(4, -1).max(axis=1) == 127).all()


def test_a_channel_of_zeros():
    assert nearest(np.zeros((2, 3, 1, 1))).scale.tolist() == [1.0, 1.0]


def test_a_channel_too_small_for_float32():
    codes = nearest(np.full((1, 2, 1, 1), 1e-43))
    assert codes.scale[0] == np.float32(1e-30)
    assert not codes.codes.any()


def test_bias_of_a_dead_channel_fits():
    weights = LayerWeights(np.full((1, 1, 1, 1), 1e-10), np.asarray([-2.0]), 1, False)
    finest = smallest_scale(weights, 0.02)
    codes = nearest(weights.weight, finest)
    assert abs(weights.bias[0] / (0.02 * codes.scale[0])) <= BIAS_LIMIT * (1 + 1e-6)


@pytest.mark.parametrize(("trans_b", "shape"), [(0, (3, 5)), (1, (5, 3))])
def test_gemm_weights_come_outputs_first(trans_b, shape):
    weight = values(*shape)
    model = model_of(
        [node("Gemm", ["x", "w", "b"], ["y"], transB=trans_b)],
        {"x": [1, 3]},
        {"y": [1, 5]},
        {"w": weight, "b": np.float32(2)},
    )
    found = read_weights(GraphView(model), layers(model)[0])
    assert found.weight.shape == (5, 3)
    assert found.transposed == (not trans_b)
    assert found.bias.tolist() == [2.0] * 5


def test_matmul_has_no_bias():
    model = model_of([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 3]}, {"y": [1, 5]}, {"w": values(3, 5)})
    found = read_weights(GraphView(model), layers(model)[0])
    assert found.bias is None
    assert smallest_scale(found, 1.0).tolist() == [0.0] * 5
