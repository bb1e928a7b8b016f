import numpy as np
import pytest

from edgekit_export.convert.session import session_of
from edgekit_export.layers.origin import graph_origin
from edgekit_export.layers.substituted import _with, keeps_tensors, substitutes
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import DYNAMIC_INT8
from export.tests.quantize.networks import attending, pictures, residual, token_ids

WEIGHT8 = Recipe(name="w", mode=Mode.WEIGHT8, rounding="nearest", correct_bias=False)


@pytest.mark.parametrize(
    ("recipe", "modes"),
    [(DYNAMIC_INT8, {"dynamic": 2, "weight8": 6}), (WEIGHT8, {"weight8": 8}), (HALF_WEIGHTS, {"half": 8})],
)
def test_every_layer_and_table_is_found(recipe, modes):
    full = attending()
    found = substitutes(full, quantize(full, (), recipe).model)
    names = [layer.mode.value for layer in found]
    assert {mode: names.count(mode) for mode in set(names)} == modes
    assert found[0].node.op_type == "Gather"


def test_all_of_them_together_are_the_reduced_graph():
    full = attending()
    reduced = quantize(full, (), DYNAMIC_INT8).model
    made = full
    for layer in substitutes(full, reduced):
        made = _with(made, reduced, layer)
    for feed in token_ids(4):
        assert np.array_equal(
            session_of(made, optimization="none").run(feed)[0],
            session_of(reduced, optimization="none").run(feed)[0],
        )


def test_noise_of_layers():
    full, feeds = attending(), token_ids(6)
    reduced = quantize(full, (), DYNAMIC_INT8).model
    origin = graph_origin(full, reduced, feeds)
    outputs = [np.concatenate([session_of(m).run(f)[0] for f in feeds]) for m in (full, reduced)]
    last = next(layer for layer in origin.layers if layer.name == "scores")
    assert last.cumulative_db == pytest.approx(sqnr_db(*outputs), abs=0.05)
    assert {layer.precision for layer in origin.layers} == {"dynamic", "weight8"}
    assert all(layer.alone_db > last.cumulative_db for layer in origin.layers)
    assert origin.samples == 6


def test_other_graphs_are_read_as_before():
    full = residual()
    for recipe in (Recipe(), Recipe(wide=("conv0", "conv1")), HALF_WEIGHTS):
        assert not keeps_tensors(full, quantize(full, pictures(4), recipe).model)
    assert keeps_tensors(attending(), quantize(attending(), (), DYNAMIC_INT8).model)
