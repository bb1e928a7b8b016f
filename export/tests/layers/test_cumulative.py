import numpy as np
import pytest

from edgekit_export.layers.cumulative import BINS, TOGETHER, cumulative, histogram
from edgekit_export.layers.reduced import reduced_layers
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.tap import Tap
from export.tests.convert.graphs import model_of, node
from export.tests.layers.test_alone import E, chain, decibel
from export.tests.quantize.networks import gated, pictures, residual


def measured(full, reduced, feeds):
    layers, told = reduced_layers(full, reduced), []
    return layers, cumulative(full, reduced, layers, feeds, lambda: told.append(1)), len(told)


def test_noise_adds_up_by_hand():
    full = chain(*[1 + E] * 9)  # all become 1
    feeds = [{"x": np.asarray([[value]], np.float32)} for value in (2.0, -1.0)]
    layers, seen, told = measured(full, quantize(full, (), HALF_WEIGHTS).model, feeds)
    for depth, layer in enumerate(layers, start=1):
        y = (1 + E) ** depth
        assert seen[layer.name].noise.db == pytest.approx(decibel(y, y - 1), abs=0.01)
        assert (seen[layer.name].low, seen[layer.name].high) == pytest.approx((-y, 2 * y), rel=1e-6)
    assert told == -(-9 // TOGETHER)


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(wide=("conv1",))])
def test_the_outputs_are_those_of_the_graph_that_ships(recipe):
    full, feeds = residual(), pictures(6)
    reduced = quantize(full, feeds, recipe).model
    _, seen, _ = measured(full, reduced, feeds)
    ours, theirs = (
        Tap(full, ["clip1", "conv2", "relu0", "scores"]),
        Tap(reduced, ["clip1.d", "conv2.d", "relu0.d", "scores"]),
    )
    values = [(list(ours(feed).values()), list(theirs(feed).values())) for feed in feeds]
    for position, name in enumerate(["conv1", "conv2", "add0", "scores"]):
        reference, candidate = (np.stack([pair[side][position] for pair in values]) for side in (0, 1))
        assert seen[name].noise.db == pytest.approx(sqnr_db(reference, candidate), abs=1e-3)
    assert seen["scores"].noise.db == pytest.approx(
        sqnr_db(*(np.stack([Tap(m, ["scores"])(f)["scores"] for f in feeds]) for m in (full, reduced))),
        abs=1e-3,
    )


def test_codes_without_a_scale_in_the_file_are_read_all_the_same():
    full, feeds = residual(), pictures(6)
    _, seen, _ = measured(full, quantize(full, feeds, Recipe(wide=("conv0", "conv1"))).model, feeds)
    _, coarse, _ = measured(full, quantize(full, feeds, Recipe()).model, feeds)
    assert seen["conv0"].noise.db > coarse["conv0"].noise.db + 6  # fine codes between two wide layers


def test_widths_may_differ():
    full = gated()
    feeds = pictures(2, (8, 24)) + pictures(2, (8, 40))
    _, seen, _ = measured(full, quantize(full, feeds, Recipe()).model, feeds)
    assert all(found.noise.samples == 4 and found.noise.db > 10 for found in seen.values())


def test_histogram_counts_every_value_and_those_beyond_at_the_ends():
    full, feeds = chain(1 + E, 1.0), [{"x": np.asarray([[v]], np.float32)} for v in (-2.0, -1.0, 0.0, 2.0)]
    reduced = quantize(chain(4.0, 1.0), (), HALF_WEIGHTS).model  # four times too much
    layers, seen, _ = measured(full, reduced, feeds)
    found = histogram(full, reduced, layers[0], seen["t0"], feeds)
    assert (found.layer, len(found.edges)) == ("t0", BINS + 1)
    assert (found.edges[0], found.edges[-1]) == pytest.approx((-2 * (1 + E), 2 * (1 + E)), rel=1e-6)
    assert {i: n for i, n in enumerate(found.reference) if n} == {0: 1, 10: 1, 20: 1, 39: 1}
    assert {i: n for i, n in enumerate(found.candidate) if n} == {0: 2, 20: 1, 39: 1}


def test_histogram_of_an_output_that_is_always_the_same():
    constants = {"w": np.zeros((1, 1))}
    full = model_of([node("MatMul", ["x", "w"], ["y"])], {"x": [1, 1]}, {"y": [1, 1]}, constants)
    feeds = [{"x": np.ones((1, 1), np.float32)}]
    reduced = quantize(chain(0.25), (), HALF_WEIGHTS).model
    layers, seen, _ = measured(full, reduced, feeds)
    found = histogram(full, reduced, layers[0], seen["y"], feeds)
    assert all(low < high for low, high in zip(found.edges, found.edges[1:], strict=False))
    assert sum(found.reference) == sum(found.candidate) == 1
