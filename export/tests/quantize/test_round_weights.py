import numpy as np
import pytest

from edgekit_export.quantize.round_weights import round_to_output
from edgekit_export.quantize.weights import nearest
from export.tests.quantize.networks import values


def covariance(size, groups=1, seed=0):
    basis = values(groups, size, size * 2, seed=seed)
    basis[:, :, 0] *= 8  # inputs that move together, as channels do
    return basis @ basis.transpose(0, 2, 1) / (2 * size)


def output_error(weight, codes, second):
    groups = len(second)
    error = (weight - codes.real).reshape(groups, len(weight) // groups, -1)
    return float(np.einsum("gok,gkl,gol->", error, second, error))


@pytest.mark.parametrize("shape", [(16, 24, 1, 1), (7, 150, 1, 1), (5, 3, 3, 3)])
def test_output_error_is_well_below_nearest(shape):
    weight, second = values(*shape), covariance(int(np.prod(shape[1:])))
    ours, plain = round_to_output(weight, second), nearest(weight)
    assert output_error(weight, ours, second) < 0.7 * output_error(weight, plain, second)
    assert np.abs(ours.codes).max() <= 127
    assert ours.codes.shape == shape


def test_depthwise_has_a_covariance_a_channel():
    weight, second = values(12, 1, 3, 3), covariance(9, groups=12)
    ours = round_to_output(weight, second)
    assert output_error(weight, ours, second) < 0.8 * output_error(weight, nearest(weight), second)


def test_scale_floor_holds():
    weight = values(3, 4, 1, 1) * 1e-12
    codes = round_to_output(weight, covariance(4), finest=np.full(3, 1e-3))
    assert (codes.scale >= 1e-3 * (1 - 1e-6)).all()
    assert not codes.codes.any()


def test_a_dead_input_and_a_dead_channel():
    weight = values(4, 6, 1, 1)
    weight[2] = 0
    second = covariance(6)
    second[:, 3], second[:, :, 3] = 0, 0
    codes = round_to_output(weight, second)
    assert np.isfinite(codes.scale).all()
    assert not codes.codes[2].any()


def test_the_same_every_time():
    weight, second = values(16, 130, 1, 1), covariance(130)
    first, again = round_to_output(weight, second), round_to_output(weight, second)
    assert first.codes.tobytes() == again.codes.tobytes()
    assert first.scale.tobytes() == again.scale.tobytes()


def test_a_covariance_of_few_samples_and_large_means():
    """What is left of it can be slightly negative in some direction."""
    covariance = np.diag([1.0, 1e-9, 0.0, -0.4])[np.newaxis]
    weight = np.random.default_rng(0).normal(size=(3, 4))
    codes = round_to_output(weight, covariance)
    assert np.abs(codes.real - weight).max() <= np.abs(weight).max() / 127


def test_little_data_is_not_fitted():
    """With fewer samples than inputs, unseen data must not fare worse than under nearest rounding."""
    rng = np.random.default_rng(0)
    mix = rng.normal(0, 1, (200, 200)) * np.exp(-np.arange(200) / 40)
    seen, unseen = (
        (lambda x: x.T @ x / len(x))(rng.normal(0, 1, (n, 200)) @ mix.T)[None] for n in (20, 4000)
    )
    weight = values(64, 200, 1, 1)
    ours, plain = round_to_output(weight, seen, damping=0.3), nearest(weight)
    assert output_error(weight, ours, unseen) < output_error(weight, plain, unseen)
