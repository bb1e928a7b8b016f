"""Each choice's bytes against the file, each choice's noise against the graph that has it."""

import numpy as np
import pytest

from edgekit_export.budget.allocation import Tables
from edgekit_export.budget.latency import Latency, Times
from edgekit_export.budget.mixed import mixed_recipe
from edgekit_export.budget.noise import by_bits
from edgekit_export.budget.table import CHOICES, table_of
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.convert.session import session_of
from edgekit_export.quantize.calibrate import calibrate, calibrate_apart
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode
from edgekit_export.quantize.quantize import build, quantize
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.thinned import Thinned
from export.tests.convert.graphs import model_of, node, noise
from export.tests.quantize.networks import pictures, residual

RECIPE = mixed_recipe(Recipe(), residual(), {})


@pytest.fixture(scope="module")
def measured():
    feeds = pictures()
    apart, ready = calibrate_apart(residual(), Thinned(feeds, 100), {3, 7}, RECIPE)
    return table_of(apart, [feeds[3], feeds[7]]), ready, feeds


def relative_noise(full, other, feeds):
    one, two = session_of(full), session_of(other)
    pairs = [(one.run(feed)[0], two.run(feed)[0]) for feed in feeds]
    signal = sum(np.square(a, dtype=np.float64).sum() for a, _ in pairs)
    return sum(np.square(np.subtract(a, b, dtype=np.float64)).sum() for a, b in pairs) / signal


@pytest.mark.parametrize("mode", CHOICES)
def test_bytes_are_those_of_the_file(measured, mode):
    table, ready, _ = measured
    modes = dict.fromkeys(table.options, mode)
    actual = len(to_bytes(build(ready, modes).model))
    assert table.bytes_of(modes) == pytest.approx(actual, rel=0.005, abs=200)


def test_bytes_of_a_mixture(measured):
    table, ready, _ = measured
    modes = dict(
        zip(table.options, (Mode.WEIGHT4, Mode.WEIGHT13, Mode.HALF, Mode.WEIGHT8, Mode.FLOAT), strict=True)
    )
    actual = len(to_bytes(build(ready, modes).model))
    assert table.bytes_of(modes) == pytest.approx(actual, abs=250)
    assert table.weights == 8 * 27 + 8 * 9 + 64 + 64 + 40


def test_noise_of_one_layer_is_that_of_the_graph(measured):
    table, _, feeds = measured
    apart, _ = calibrate_apart(residual(), Thinned(feeds, 100), {3, 7}, RECIPE)
    full = build(apart, {}).model
    for name in table.options:
        made = build(apart, {name: Mode.WEIGHT6}).model
        wanted = relative_noise(full, made, [feeds[3], feeds[7]])
        assert table.options[name][Mode.WEIGHT6].noise == pytest.approx(wanted, rel=0.02)


def test_noises_add_up(measured):
    table, _, feeds = measured
    apart, _ = calibrate_apart(residual(), Thinned(feeds, 100), {3, 7}, RECIPE)
    full, judging = build(apart, {}).model, [feeds[3], feeds[7]]
    for mode in (Mode.WEIGHT6, Mode.WEIGHT8, Mode.WEIGHT12):
        modes = dict.fromkeys(table.options, mode)
        whole = relative_noise(full, build(apart, modes).model, judging)
        assert abs(10 * np.log10(whole / table.noise_of(modes))) < 5  # of 456 weights; real networks: 0.8


def test_what_was_held_apart_was_not_seen():
    feeds = pictures()
    apart, ready = calibrate_apart(residual(), Thinned(feeds, 100), {3, 7}, RECIPE)
    without = calibrate(residual(), Thinned([f for i, f in enumerate(feeds) if i not in (3, 7)], 100), RECIPE)
    every = calibrate(residual(), Thinned(feeds, 100), RECIPE)
    for name, moments in every.moments.items():
        assert np.array_equal(moments.second(centred=False), ready.moments[name].second(centred=False))
        wanted = without.moments[name].second(centred=True)
        np.testing.assert_allclose(
            apart.moments[name].second(centred=True), wanted, atol=1e-3 * np.abs(wanted).max()
        )


def test_the_solvers_graph_is_the_recipes(measured):
    """What ships can be made again from the recipe alone, to the byte."""
    table, ready, feeds = measured
    tables = Tables({"model": table})
    allocation = tables.allocate((tables.smallest_bytes + tables.largest_bytes) // 2)
    modes = allocation.modes["model"]
    assert len(set(modes.values())) > 1
    again = quantize(residual(), feeds, mixed_recipe(Recipe(), residual(), modes))
    assert to_bytes(again.model) == to_bytes(build(ready, modes).model)


def test_more_bytes_never_make_more_noise(measured):
    tables = Tables({"model": measured[0]})
    sizes = np.linspace(tables.smallest_bytes, tables.largest_bytes, 9).astype(int)
    found = [tables.allocate(int(size)) for size in sizes]
    assert all(one.model_bytes <= size for one, size in zip(found, sizes, strict=True))
    assert np.all(np.diff([one.noise for one in found]) <= 0)
    assert tables.allocate(tables.smallest_bytes - 1) is None


def test_one_budget_over_two_graphs(measured):
    table = measured[0]
    both = Tables({"a": table, "b": table})
    one = Tables({"a": table})
    size = (one.smallest_bytes + one.largest_bytes) // 2
    assert both.smallest_bytes == 2 * one.smallest_bytes
    assert both.allocate(2 * size).noise <= 2 * one.allocate(size).noise * (1 + 1e-5)


def test_an_output_that_is_silent_tells_nothing():
    """Zero on the samples that judge, and rounding wakes it: no ratio can be said of it."""
    silent = np.asarray([0.7, -0.5, -0.2], np.float32).reshape(1, 3, 1, 1)
    nodes = [node("Conv", ["x", "u"], ["y"]), node("Conv", ["x", "v"], ["c"]), node("Relu", ["c"], ["z"])]
    shapes = {"x": [1, 3, 2, 2]}, {"y": [1, 4, 2, 2], "z": [1, 1, 2, 2]}
    model = model_of(nodes, *shapes, {"u": noise(4, 3, 1, 1), "v": silent})
    feeds = [{"x": noise(1, 3, 2, 2, seed=seed)} for seed in range(6)]
    _, ready = calibrate_apart(model, Thinned(feeds, 100), {5}, mixed_recipe(Recipe(), model, {}))
    found = table_of(ready, [{"x": np.ones((1, 3, 2, 2), np.float32)}])
    assert all(option.noise < 1 for options in found.options.values() for option in options.values())
    assert found.options["y"][Mode.WEIGHT4].noise > found.options["y"][Mode.WEIGHT8].noise > 0


def test_widths_between_and_beyond():
    powers = by_bits({Mode.WEIGHT4: 1.0, Mode.WEIGHT6: 2.0**-4, Mode.WEIGHT10: 2.0**-14, Mode.HALF: 0.3})
    assert powers[Mode.WEIGHT5] == pytest.approx(2.0**-2)
    assert powers[Mode.WEIGHT8] == pytest.approx(2.0**-9)
    assert powers[Mode.WEIGHT16] == pytest.approx(2.0**-26)
    assert powers[Mode.HALF] == 0.3
    assert set(powers) == {*WEIGHT_BITS, Mode.HALF}
    assert by_bits({Mode.WEIGHT4: 0.0, Mode.WEIGHT6: 0.0})[Mode.WEIGHT5] > 0


def test_codes_are_a_choice_where_time_is_limited(measured):
    plain, _, feeds = measured
    recipe = mixed_recipe(Recipe(), residual(), {}, coded=True)
    ready = calibrate(residual(), Thinned(feeds, 100), recipe)
    times = {name: Times(4.0 + i, 1.0 + i) for i, name in enumerate(plain.options)}
    table = table_of(ready, feeds[:2], latency=Latency(times, Times(0.5, 0.7)))
    full = build(ready, {}).model
    for name, choices in table.options.items():
        assert set(choices) == {*CHOICES, Mode.INT8}
        assert choices[Mode.INT8].bytes == choices[Mode.WEIGHT8].bytes
        assert choices[Mode.INT8].latency_ms == times[name].int8_ms
        assert {choices[mode].latency_ms for mode in CHOICES} == {times[name].float_ms}
        alone = relative_noise(full, build(ready, {name: Mode.INT8}).model, feeds[:2])
        assert choices[Mode.INT8].noise == pytest.approx(alone, rel=1e-6)
    assert table.ms_of(dict.fromkeys(table.options, Mode.INT8)) == 0.5 + sum(
        1.0 + i for i in range(len(times))
    )
    tables = Tables({"model": table})
    fastest = tables.fastest(10**6)
    assert set(fastest.modes["model"].values()) == {Mode.INT8}
    between = tables.allocate(10**6, fastest.ms + 3.5)
    assert list(between.modes["model"].values()).count(Mode.INT8) == len(times) - 1
    assert tables.allocate(10**6, fastest.ms - 0.1) is None
    assert tables.allocate(10**6).noise < between.noise < fastest.noise


@pytest.mark.parametrize(
    ("modes", "name"),
    [({"conv0": Mode.WEIGHT8}, "weight_only_mixed"), ({"conv0": Mode.INT8}, "static_mixed")],
)
def test_a_recipe_is_named_for_its_activations(modes, name):
    assert mixed_recipe(Recipe(), residual(), modes, coded=True).name == name
