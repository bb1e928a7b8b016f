"""What a layer takes in a TFLite file, choice by choice."""

import numpy as np
import pytest

from edgekit_export.budget.knapsack import Option
from edgekit_export.budget.table import CHOICES, LayerTable
from edgekit_export.budget.tflite_table import for_tflite, is_matrix
from edgekit_export.quantize.placement import Mode, layers
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import residual

KNOWN = {mode: Option(1, 2.0**-i, 3.0) for i, mode in enumerate(CHOICES)}


@pytest.fixture
def table():
    model = residual()
    known = LayerTable(537, 456, {n.output[0]: KNOWN for n in layers(model)})
    return for_tflite(known, model, 10_000)


def test_what_is_not_weights_is_the_rest_of_the_file(table):
    assert table.fixed_bytes == 10_000 - 4 * (8 * 27 + 8 * 9 + 64 + 64 + 40)
    floats = dict.fromkeys(table.options, Mode.FLOAT)
    assert table.bytes_of(floats) == 10_000


@pytest.mark.parametrize(
    ("layer", "mode", "size"),
    [
        ("conv2", Mode.WEIGHT4, 4 * 8 + 32 + 300),
        ("conv2", Mode.WEIGHT5, 4 * 8 + 48 + 540),
        ("conv2", Mode.WEIGHT7, 64 + 4 * 8 + 24),
        ("conv2", Mode.WEIGHT8, 64 + 4 * 8 + 24),
        ("conv2", Mode.WEIGHT14, 4 * 8 + 112 + 800),
        ("conv2", Mode.WEIGHT16, 4 * 8 + 128 + 300),
        ("conv2", Mode.HALF, 128),
        ("conv1", Mode.WEIGHT4, 72 + 4 * 8 + 24),
        ("conv1", Mode.WEIGHT9, 144),
        ("conv0", Mode.WEIGHT16, 432),
        ("scores", Mode.WEIGHT12, 4 * 5 + 60 + 540),
        ("scores", Mode.WEIGHT8, 40 + 4 * 5 + 8 * 5),
        ("scores", Mode.FLOAT, 160),
    ],
)
def test_bytes(table, layer, mode, size):
    assert table.options[layer][mode].bytes == size


def test_wide_convolutions_disturb_as_float16_does(table):
    assert table.options["conv1"][Mode.WEIGHT12].noise == KNOWN[Mode.HALF].noise
    assert table.options["conv1"][Mode.WEIGHT6].noise == KNOWN[Mode.WEIGHT6].noise
    assert table.options["conv2"][Mode.WEIGHT12].noise == KNOWN[Mode.WEIGHT12].noise
    assert table.options["conv2"][Mode.WEIGHT12].latency_ms == 3.0


@pytest.mark.parametrize(
    ("shape", "attributes", "matrix"),
    [
        ((4, 2, 1, 1), {}, True),
        ((4, 2, 1, 1), {"strides": [1, 1], "pads": [0, 0, 0, 0]}, True),
        ((4, 2, 1, 1), {"strides": [2, 2]}, False),
        ((4, 2, 1, 1), {"pads": [0, 0, 1, 1]}, False),
        ((2, 1, 1, 1), {"group": 2}, False),
        ((4, 2, 3, 3), {}, False),
    ],
)
def test_matrices(shape, attributes, matrix):
    conv = node("Conv", ["x", "w"], ["y"], **attributes)
    model = model_of([conv], {"x": [1, 2, 6, 6]}, {"y": [None] * 4}, {"w": np.ones(shape)})
    assert is_matrix(model.graph.node[0], shape) is matrix
