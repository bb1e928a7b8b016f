"""What is read off a finished graph must be the whole truth: put back layer by layer, it is that graph."""

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit_export.convert.graph import GraphView
from edgekit_export.convert.normalize import normalize
from edgekit_export.convert.session import session_of
from edgekit_export.layers.alone import with_layer
from edgekit_export.layers.reduced import reduced_layers
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode, layers
from export.tests.convert.graphs import model_of, noise
from export.tests.convert.test_any_network import CHANNELS, Builder
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


def test_outputs_of_float_operators_that_layers_read_as_codes():
    """A mean computed in floats is rounded for the MatMul that reads it, behind a transposition."""
    full = gated()
    found = reduced_layers(full, quantize(full, pictures(8, (8, 24)), Recipe()).model)
    assert [layer.name for layer in found] == [
        "conv0",
        "mul0",
        "globalaveragepool0",
        "conv1",
        "reducemean0",
        "logits",
    ]
    mean = found[4]
    assert [reading.source for reading in mean.inputs] == list(mean.node.input)
    assert all(reading.coding is None for reading in mean.inputs)
    assert (mean.parameters, mean.held) == ((), "reducemean0.q")
    assert mean.coding == found[5].inputs[0].coding


KINDS = st.sampled_from(
    ["conv", "padded", "depthwise", "norm", "shift", "divide", "swish", "sigmoid", "relu", "branch", "join"]
)
MIXES = {
    "int8": lambda names: Recipe(),
    "weight8": lambda names: Recipe(mode=Mode.WEIGHT8),
    "half": lambda names: HALF_WEIGHTS,
    "every other wide": lambda names: Recipe(wide=tuple(names[::2])),
    "every other weight8": lambda names: Recipe(weight8=tuple(names[1::2])),
}


@settings(max_examples=40, deadline=None, derandomize=True)
@given(kinds=st.lists(KINDS, min_size=1, max_size=8), mix=st.sampled_from(sorted(MIXES)))
def test_networks_that_nobody_thought_of(kinds, mix):
    builder = Builder(seed=len(kinds))
    builder.layer("negate")
    builder.kept = builder.last
    for kind in ["conv", *kinds]:
        builder.layer(kind)
    shape = (1, CHANNELS, 6, 6)
    full = normalize(model_of(builder.nodes, {"x": shape}, {builder.last: shape}, builder.constants))
    feeds = [{"x": noise(*shape, seed=seed)} for seed in range(3)]
    names = [node.output[0] for node in layers(full)]
    reduced = quantize(full, feeds, MIXES[mix](names)).model
    rebuilt = full
    for layer in reduced_layers(full, reduced):
        rebuilt = with_layer(rebuilt, layer)
    shipped = outputs(reduced, feeds)
    apart = sqnr_db(shipped, outputs(rebuilt, feeds))
    assert apart > 90 or apart > sqnr_db(outputs(full, feeds), shipped) + 15  # a tie may fall either way
