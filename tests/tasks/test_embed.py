import numpy as np
import pytest

from edgekit.tasks.embed import _unit


@pytest.mark.parametrize("vector", [[3.0, 4.0], [1e-20, 0.0], [-1e30, 1e30], [0.5] * 384])
def test_length_one(vector):
    made = _unit(np.asarray(vector, np.float32))
    assert made.dtype == np.float32
    assert np.linalg.norm(made.astype(np.float64)) == pytest.approx(1.0, abs=1e-6)


def test_the_zero_vector_stays():
    assert _unit(np.zeros(3, np.float32)).tolist() == [0.0, 0.0, 0.0]
