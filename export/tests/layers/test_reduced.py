"""What is read off a finished graph must be the whole truth: put back layer by layer, it is that graph."""

import numpy as np
import onnx
import pytest

from edgekit_export.convert.graph import GraphView
from edgekit_export.convert.session import session_of
from edgekit_export.layers.alone import with_layer
from edgekit_export.layers.reduced import reduced_layers
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode
from export.tests.quantize.networks import gated, pictures, residual

RECIPES = {
    "int8": Recipe(),
    "first two wide": Recipe(wide=("conv0", "conv1")),
    "second wide": Recipe(wide=("conv1",)),
    "second weight8": Recipe(weight8=("conv1",)),
    "weight8": Recipe(mode=Mode.WEIGHT8),
    "half": HALF_WEIGHTS,
}
NETWORKS = {
    "residual": (residual, {}, (16, 16)),
    "uneven mean": (residual, {"mean": 100.3}, (16, 16)),
    "no mean": (residual, {"mean": 0.0}, (16, 16)),
    "gated": (gated, {}, (8, 24)),
}


def outputs(model, feeds):
    session = session_of(model)
    return np.concatenate([session.run(feed)[0].ravel() for feed in feeds])


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_all_layers_put_into_the_float_graph_are_the_reduced_graph(network, recipe):
    make, options, size = network
    full, feeds = make(**options), pictures(8, size)
    reduced = quantize(full, feeds, recipe).model
    rebuilt = full
    for layer in reduced_layers(full, reduced):
        rebuilt = with_layer(rebuilt, layer)
    shipped = outputs(reduced, feeds)
    assert sqnr_db(outputs(full, feeds), shipped) < 80  # something was reduced
    assert sqnr_db(shipped, outputs(rebuilt, feeds)) > 110  # and this is all of it


def test_what_is_said_of_an_int8_graph():
    full = residual()
    made = quantize(full, pictures(8), Recipe())
    found = reduced_layers(full, made.model)
    assert [(layer.name, layer.mode.value, layer.compared) for layer in found] == [
        ("conv0", "int8", "clip0"),
        ("conv1", "int8", "clip1"),
        ("conv2", "int8", "conv2"),
        ("conv3", "int8", "conv3"),
        ("add0", "int8", "relu0"),
        ("globalaveragepool0", "int8", "globalaveragepool0"),
        ("scores", "int8", "scores"),
    ]
    assert found[0].inputs[0].mean == 127
    assert found[0].coding.lowest == 0  # ReLU6 is the saturation of its codes
    assert found[0].coding.scale * found[0].coding.highest == pytest.approx(6, rel=0.01)
    assert found[-1].coding is None
    assert [len(layer.inputs) for layer in found] == [1, 1, 1, 1, 2, 1, 1]
    weight = found[2].parameters[0]
    original = GraphView(full).value("conv2.w")
    assert sqnr_db(original, weight) > 35


def test_names_do_not_matter():
    full, feeds = residual(), pictures(8)
    reduced = quantize(full, feeds, Recipe(wide=("conv1",))).model
    renamed = onnx.ModelProto()
    renamed.CopyFrom(reduced)
    kept = {v.name for v in [*reduced.graph.input, *reduced.graph.output]}
    names = {}
    for part in renamed.graph.node:
        for listed in (part.input, part.output):
            for i, name in enumerate(listed):
                listed[i] = name if name in kept else names.setdefault(name, f"x{len(names)}")
    for tensor in renamed.graph.initializer:
        tensor.name = names[tensor.name]
    one, other = reduced_layers(full, reduced), reduced_layers(full, renamed)
    assert [(a.name, a.compared, a.coding, a.mode) for a in one] == [
        (b.name, b.compared, b.coding, b.mode) for b in other
    ]
    assert [names.get(a.held, a.held) for a in one] == [b.held for b in other]


def test_full_precision_has_no_reduced_layer():
    assert reduced_layers(residual(), residual()) == []
