import numpy as np
import pytest

from edgekit_export.tflite.half import half_weights


@pytest.mark.parametrize("shape", [(1, 1, 1), (6, 1, 3, 3), (4, 3, 5, 5)])
def test_errors_cancel_over_the_taps(shape):
    real = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    half = half_weights(real)
    assert (half.dtype, half.shape) == (np.float16, shape)
    error = (half - real.astype(np.float64)).reshape(*shape[:2], -1)
    largest = np.abs(real).reshape(*shape[:2], -1).max(axis=2)
    assert (np.abs(error) <= 2.0**-10 * largest[..., None]).all()
    smallest = np.abs(real).reshape(*shape[:2], -1).min(axis=2)
    assert (np.abs(error.sum(axis=2)) <= 2.0**-11 * (smallest + 2.0**-11 * largest)).all()


def test_nearest_would_not_cancel():
    real = np.full((1, 1, 3, 3), 1 + 2.0**-11 - 2.0**-20, np.float32)  # just below half a step
    nearest = real.astype(np.float16).astype(np.float64)
    assert nearest.sum() - real.sum() == pytest.approx(-9 * 2.0**-11, rel=0.01)
    assert abs(half_weights(real).astype(np.float64).sum() - real.astype(np.float64).sum()) < 2.0**-11


def test_what_float16_holds_stays():
    real = np.array([[[0.0, 1.0, -0.5, 2.0**-14]]], np.float32)
    np.testing.assert_array_equal(half_weights(real), real)
