import numpy as np
import pytest

from edgekit.processing.activations import activate


def test_softmax_sums_to_one_and_survives_large_logits():
    scores = activate(np.array([[1000, 1000, -1000], [0, np.log(3), 0]], np.float32), "softmax")
    np.testing.assert_allclose(scores, [[0.5, 0.5, 0], [0.2, 0.6, 0.2]], atol=1e-6)
    assert scores.dtype == np.float32


@pytest.mark.parametrize(("activation", "expected"), [("sigmoid", [0.5, 0.75]), ("none", [0, np.log(3)])])
def test_others(activation, expected):
    np.testing.assert_allclose(
        activate(np.array([0, np.log(3)], np.float32), activation), expected, atol=1e-6
    )


def test_a_sigmoid_of_large_logits_says_nothing_and_is_exact():
    """BlazeFace gives -2,000 and less where no face is."""
    assert activate(np.array([-2000, -100, 100], np.float32), "sigmoid").tolist() == [0, 0, 1]
