from dataclasses import replace

import pytest

from edgekit.errors import ModelError
from edgekit_export.budget.latency import Work, estimated, measured, works
from edgekit_export.quantize import Recipe, quantize
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import DYNAMIC_INT8
from edgekit_export.target import PI4, PI5, TARGETS, Cost, Kind
from export.tests.convert.graphs import model_of, node, noise
from export.tests.quantize.networks import attending, gated, pictures, residual, token_ids


def test_work_of_a_small_network():
    found = works(residual(), pictures(1)[0])
    assert found == {
        "conv0": Work(Kind.NARROW, 8 * 8 * 8 * 27, 512, 8 * 8 * 27, 216),
        "conv1": Work(Kind.DEPTHWISE_3X3, 512 * 9, 512, 64 * 9, 72),
        "conv2": Work(Kind.POINTWISE, 512 * 8, 512, 512, 64),
        "conv3": Work(Kind.POINTWISE, 512 * 8, 512, 512, 64),
        "scores": Work(Kind.POINTWISE, 5 * 8, 5, 8, 40),
    }


@pytest.mark.parametrize("width", [16, 64])
def test_work_follows_the_input(width):
    found = works(gated(), pictures(1, (8, width))[0])
    assert found["conv0"].macs == 6 * 8 * width * 27
    assert found["conv1"].macs == 36
    assert found["logits"].macs == width * 6 * 12


@pytest.mark.parametrize(
    ("shape", "attributes", "kind"),
    [
        ((32, 32, 3, 3), {}, Kind.SPATIAL),
        ((32, 16, 3, 3), {"group": 2}, Kind.NARROW),
        ((32, 1, 3, 3), {"group": 32}, Kind.DEPTHWISE_3X3),
        ((32, 1, 3, 3), {"group": 32, "strides": [2, 2]}, Kind.DEPTHWISE_STRIDED),
        ((32, 1, 3, 3), {"group": 32, "strides": [2, 1]}, Kind.DEPTHWISE),
        ((32, 1, 5, 5), {"group": 32}, Kind.DEPTHWISE),
        ((32, 32, 1, 1), {}, Kind.POINTWISE),
        ((8, 1, 3, 3), {}, Kind.NARROW),
    ],
)
def test_kinds(shape, attributes, kind):
    channels = shape[1] * attributes.get("group", 1)
    conv = node("Conv", ["x", "w"], ["y"], **attributes)
    model = model_of([conv], {"x": [1, channels, 9, 9]}, {"y": [None] * 4}, {"w": noise(*shape)})
    assert works(model, {"x": noise(1, channels, 9, 9)})["y"].kind is kind


def test_an_estimate_is_instructions_over_cycles():
    costs = dict.fromkeys(PI5.costs, Cost(mac=2.0, output=3.0, row=7.0))
    target = replace(
        PI5, clock_hz=1e6, instructions_per_cycle=0.5, cores=4, read_bytes_per_s=1e12, costs=costs
    )
    alone, shared = (estimated(residual(), pictures(1)[0], target, threads) for threads in (1, 2))
    assert alone.layers["scores"].float_ms == pytest.approx((2 * 40 + 3 * 5 + 7 * 8) / 0.5 / 1e6 * 1e3)
    assert shared.layers["scores"].int8_ms == pytest.approx(alone.layers["scores"].int8_ms / 2)
    assert estimated(residual(), pictures(1)[0], target) == estimated(residual(), pictures(1)[0], target, 9)
    assert alone.rest.float_ms == alone.rest.int8_ms == 0


def test_weights_that_come_slowly_bound_it():
    slow = replace(PI5, read_bytes_per_s=1000.0)
    times = estimated(residual(), pictures(1)[0], slow).layers["scores"]
    assert (times.float_ms, times.int8_ms) == (pytest.approx(160), pytest.approx(40))


def test_int8_pays_most_with_a_dot_product():
    feed = pictures(1)[0]
    ratios = {}
    for target in (PI4, PI5):
        times = estimated(residual(), feed, target).layers["conv2"]
        ratios[target.name] = times.int8_ms / times.float_ms
    assert 0.3 < ratios["pi5"] < ratios["pi4"]
    assert list(estimated(residual(), feed, PI4).layers) == ["conv0", "conv1", "conv2", "conv3", "scores"]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_estimates_are_positive(target):
    for times in estimated(gated(), pictures(1, (8, 32))[0], target).layers.values():
        assert 0 < times.int8_ms < times.float_ms * 2.5


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(wide=("conv0",)), Recipe(mode=Mode.WEIGHT8)])
def test_every_layer_is_measured(recipe):
    full, feeds = residual(), pictures(3)
    found = measured(full, quantize(full, feeds, recipe).model, feeds, threads=1, runs=4)
    assert list(found.layers) == ["conv0", "conv1", "conv2", "conv3", "scores"]
    every = [*found.layers.values(), found.rest]
    assert all(times.float_ms >= 0 <= times.int8_ms for times in every)
    assert sum(times.float_ms for times in every) > 0


def test_gates_and_attention_are_measured():
    full, feeds = gated(), pictures(2, (8, 32))
    found = measured(full, quantize(full, feeds, Recipe()).model, feeds, threads=1, runs=2)
    assert list(found.layers) == ["conv0", "conv1", "logits"]
    full = attending()
    small = quantize(full, (), DYNAMIC_INT8).model
    found = measured(full, small, token_ids(2), threads=1, runs=2)
    assert list(found.layers) == list(works(full, token_ids(1)[0]))


def test_graphs_of_two_networks():
    with pytest.raises(ModelError, match="layers"):
        measured(residual(), gated(), pictures(1), threads=1, runs=1)
