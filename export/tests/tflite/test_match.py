from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="pip install 'edgekit[litert]'")

from edgekit_export.quantize.weights import LayerWeights
from edgekit_export.tflite.flatbuffer import read_tflite
from edgekit_export.tflite.match import match_layers
from tests.tflite_files import channel_means

WEIGHTS = LayerWeights(np.diag([0.1] * 3), None, 1, False)


def matched(known):
    return match_layers(read_tflite(channel_means(), "means"), known)


def test_the_layer_with_the_same_weight():
    other = replace(WEIGHTS, weight=WEIGHTS.weight * 1.1)
    assert matched({"other": other, "same": WEIGHTS}) == {"scores": "same"}


@pytest.mark.parametrize(("factor", "found"), [(1.0009, 1), (1.0011, 0)])
def test_up_to_rounding(factor, found):
    assert len(matched({"a": replace(WEIGHTS, weight=WEIGHTS.weight * factor)})) == found


def test_shapes_but_for_trailing_ones():
    assert matched({"conv": replace(WEIGHTS, weight=WEIGHTS.weight[:, :, None, None])}) == {"scores": "conv"}
    assert matched({"longer": replace(WEIGHTS, weight=np.zeros((3, 4)))}) == {}
    assert matched({}) == {}


def test_of_equal_ones_the_first():
    assert matched({"first": WEIGHTS, "second": WEIGHTS}) == {"scores": "first"}
