from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.weights import LayerWeights, nearest
from edgekit_export.quantize.write_qdq import Layer
from edgekit_export.tflite.bias import corrected_bias

MEANS = np.array([124.0, 116.0, 104.0])
BIAS = np.linspace(-2, 2, 8)


def layer(means=MEANS, inputs=3, groups=1, shift=None):
    """A convolution of 8 outputs that reads ``means`` on average, its bias corrected for coarse codes."""
    weight = np.random.default_rng(0).normal(0, 0.1, (8, inputs, 2, 2))
    codes = nearest(weight, limit=7)
    error = (weight - codes.real).sum(axis=(2, 3))
    shift = error @ means if shift is None else shift
    return Layer(Mode.WEIGHT8, LayerWeights(weight, BIAS + shift, groups, False), codes, shift), error


def test_equal_biases_take_the_correction():
    known, _ = layer()
    assert np.abs(known.shift).max() > 1  # or the tests below say nothing
    np.testing.assert_allclose(corrected_bias(known, BIAS), known.weights.bias, rtol=0, atol=1e-12)


@pytest.mark.parametrize("taken", [MEANS, [127.0] * 3, [10.0, 0.0, -3.0]])
def test_a_mean_in_the_bias_on_one_side_only(taken):
    """What ONNX's bias holds of the mean is subtracted before TFLite's layer: the mean output must stay."""
    known, error = layer()
    own = BIAS + known.weights.weight.sum(axis=(2, 3)) @ taken
    found = corrected_bias(known, own)
    np.testing.assert_allclose(found - own, error @ (MEANS - taken), rtol=0, atol=1e-9)


def test_biases_that_differ_otherwise_take_the_correction_alone():
    known, _ = layer()
    own = BIAS + np.arange(8)
    np.testing.assert_allclose(corrected_bias(known, own) - own, known.shift, rtol=0, atol=1e-12)


def test_more_inputs_than_outputs_tell_no_mean():
    known, _ = layer(np.ones(16), 16)
    own = BIAS + known.weights.weight.sum(axis=(2, 3)) @ np.ones(16)
    np.testing.assert_allclose(corrected_bias(known, own) - own, known.shift, rtol=0, atol=1e-12)


def test_a_product_without_bias_keeps_tflites_own():
    known, _ = layer()
    bare = replace(known, weights=replace(known.weights, bias=None), shift=0.0)
    np.testing.assert_array_equal(corrected_bias(bare, np.float32(BIAS)), np.float32(BIAS))
