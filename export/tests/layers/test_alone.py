import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edgekit_export.layers.alone import alone_db
from edgekit_export.layers.reduced import reduced_layers
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.placement import Mode
from export.tests.convert.graphs import model_of, node
from export.tests.quantize.networks import pictures, residual

E = 2.0**-12
"""1 + E is 1 in half precision."""


def chain(*weights):
    """``x`` times one number after the other."""
    names = ["x", *(f"t{i}" for i in range(len(weights)))]
    nodes = [node("MatMul", [names[i], f"w{i}"], [names[i + 1]]) for i in range(len(weights))]
    constants = {f"w{i}": np.asarray([[weight]]) for i, weight in enumerate(weights)}
    return model_of(nodes, {"x": [1, 1]}, {names[-1]: [1, 1]}, constants)


def decibel(signal, noise):
    return 20 * np.log10(abs(signal) / abs(noise))


def broken(model, weight):
    """The same graph with the channels of one stored weight in reverse order."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    tensor = next(t for t in made.graph.initializer if t.name == weight)
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[::-1].copy(), weight))
    return made


def test_half_weights_by_hand():
    full = chain(1 + E, 2.0, 4 * (1 - E / 2))  # 4 - 2E is 4 in half precision
    feeds = [{"x": np.asarray([[value]], np.float32)} for value in (1.0, -3.0)]
    reduced = quantize(full, (), HALF_WEIGHTS).model
    told = []
    found = alone_db(full, reduced_layers(full, reduced), feeds, lambda: told.append(1))
    y = (1 + E) * 2 * 4 * (1 - E / 2)
    assert found["t0"] == pytest.approx(decibel(y, y - 1 * 2 * 4 * (1 - E / 2)), abs=0.01)
    assert found["t1"] is None  # 2 stays 2
    assert found["t2"] == pytest.approx(decibel(y, y - (1 + E) * 2 * 4), abs=0.02)
    assert len(told) == 3


@pytest.mark.parametrize("layer", ["conv0", "conv1", "conv2", "conv3", "scores"])
@pytest.mark.parametrize(
    ("recipe", "suffix"), [(Recipe(), "wq"), (Recipe(mode=Mode.WEIGHT8), "wq"), (HALF_WEIGHTS, "wh")]
)
def test_a_broken_layer_is_named(layer, recipe, suffix):
    full, feeds = residual(), pictures(6)
    reduced = broken(quantize(full, feeds, recipe).model, f"{layer}.{suffix}")
    found = alone_db(full, reduced_layers(full, reduced), feeds, lambda: None)
    ranked = sorted((db, name) for name, db in found.items() if db is not None)
    assert ranked[0][1] == layer
    assert ranked[0][0] < 15
    assert ranked[1][0] > 35
