import numpy as np
import pytest

from edgekit_export.convert.graph import attribute
from edgekit_export.quantize.covariance import Moments, bias_shift, layer_patches, positions_of
from edgekit_export.quantize.placement import layers
from export.tests.convert.graphs import model_of, node, run
from export.tests.quantize.networks import values


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"strides": [2, 2], "pads": [0, 1, 1, 0]},
        {"dilations": [2, 1], "pads": [2, 1, 2, 1]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER"},
        {"group": 2, "pads": [1, 1, 1, 1]},
        {"group": 4},
    ],
    ids=str,
)
def test_patches_give_the_convolution(attributes):
    groups = attributes.get("group", 1)
    x, weight = values(1, 4, 7, 6), values(8, 4 // groups, 3, 2, seed=1)
    model = model_of(
        [node("Conv", ["x", "w"], ["y"], **attributes)], {"x": [1, 4, 7, 6]}, {"y": [None] * 4}, {"w": weight}
    )
    conv = layers(model)[0]
    patches = layer_patches(conv, x.astype(np.float32), weight.shape)
    assert attribute(conv, "group", 1) == groups
    by_group = weight.reshape(groups, 8 // groups, -1)
    got = np.einsum("gpk,gok->gop", patches, by_group).reshape(8, -1)
    wanted = run(model, {"x": x.astype(np.float32)})[0].reshape(8, -1)
    assert np.abs(got - wanted).max() < 1e-5


def test_patches_of_a_matrix_product():
    model = model_of(
        [node("MatMul", ["x", "w"], ["y"])], {"x": [1, 5, 3]}, {"y": [None] * 3}, {"w": values(3, 4)}
    )
    x = values(1, 5, 3)
    assert np.array_equal(layer_patches(layers(model)[0], x, (4, 3)), x)


def test_moments_are_those_of_the_data():
    x = values(2, 100, 4) + 3
    moments = Moments(np.zeros((2, 4)), np.zeros((2, 4, 4)), 0)
    moments.add(x[:, :30])
    moments.add(x[:, 30:])
    for group in range(2):
        assert moments.mean[group] == pytest.approx(x[group].mean(axis=0))
        assert moments.second(centred=True)[group] == pytest.approx(np.cov(x[group].T, bias=True))
        assert moments.second(centred=False)[group] == pytest.approx(x[group].T @ x[group] / 100)


def test_bias_takes_up_the_mean():
    x, error = values(1, 200, 6) + 2, values(3, 6, 1, 1, seed=1)
    moments = Moments(np.zeros((1, 6)), np.zeros((1, 6, 6)), 0)
    moments.add(x)
    left = x[0] @ error.reshape(3, 6).T - bias_shift(error, moments)
    assert np.abs(left.mean(axis=0)).max() < 1e-9


@pytest.mark.parametrize(("samples", "positions"), [(0, 128), (1, 128), (160, 128), (320, 64), (10_000, 12)])
def test_many_samples_give_few_positions_each(samples, positions):
    assert positions_of(samples) == positions
