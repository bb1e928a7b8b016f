import numpy as np
import pytest
from onnx import TensorProto

from edgekit.errors import DataError, ModelError
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.convert.session import session_of
from edgekit_export.quantize import HALF_WEIGHTS, Recipe, quantize
from edgekit_export.quantize.calibrate import calibrate
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode, layers
from edgekit_export.quantize.quantize import build
from edgekit_export.quantize.sensitivity import sensitivity
from edgekit_export.quantize.thinned import Thinned
from export.tests.convert.graphs import constants_of, ops
from export.tests.quantize.networks import gated, pictures, pooled, residual

WIDE = ("conv0", "conv1", "conv2", "conv3")
GATED_SIZE = (8, 32)


def outputs(model, feeds, optimization="all"):
    session = session_of(model, threads=1, optimization=optimization)
    return np.concatenate([session.run(feed)[0].reshape(-1) for feed in feeds])


def noise_db(full, reduced, feeds):
    return sqnr_db(outputs(full, feeds), outputs(reduced, feeds))


@pytest.mark.parametrize("mean", [127.0, 127.5, 103.53])
def test_int8_is_near_full_precision(mean):
    full = residual(mean)
    made = quantize(full, pictures(), Recipe())
    assert noise_db(full, made.model, pictures(seed=9)) > 24
    assert made.exact
    assert {entry.mode for entry in made.layers} == {Mode.INT8}


def test_rounding_to_the_output_and_bias_beat_nearest():
    full, feeds = residual(), pictures(seed=9)
    wanted = outputs(full, feeds).reshape(len(feeds), -1)
    mean = wanted.mean(axis=0)  # what tells pictures apart is what counts
    noise = []
    for options in ({}, {"rounding": "nearest", "correct_bias": False}):
        made = quantize(full, pictures(), Recipe(mode=Mode.WEIGHT8, **options)).model
        noise.append(sqnr_db(wanted - mean, outputs(made, feeds).reshape(len(feeds), -1) - mean))
    assert noise[0] > noise[1] + 1


def test_the_graph_fuses_without_a_float_kernel():
    kinds = ops(quantize(residual(), pictures(2), Recipe()).model)
    assert "Clip" not in kinds
    assert "Cast" not in kinds  # pixels are codes as they come
    assert kinds["Conv"] == 4


def test_optimiser_changes_next_to_nothing():
    """Where a kept layer read a DequantizeLinear, onnxruntime's optimiser would round its weights again."""
    full, feeds = residual(), pictures(8, seed=9)
    for recipe in (
        Recipe(),
        Recipe(wide=("conv1",)),
        Recipe(weight8=("conv1",)),
        Recipe(wide=("conv0", "conv3")),
    ):
        made = quantize(full, pictures(), recipe).model
        on, off = outputs(made, feeds), outputs(made, feeds, "none")
        assert sqnr_db(off, on) > 30


def test_wide_layers_are_equal_with_and_without_optimiser():
    made = quantize(residual(), pictures(), Recipe(wide=WIDE))
    session_on, session_off = (session_of(made.model, optimization=o) for o in ("all", "none"))
    for feed in pictures(8, seed=9):
        assert np.abs(session_on.run(feed)[0] - session_off.run(feed)[0]).max() < 1e-5


def test_wide_layers_lose_less():
    full, feeds = residual(), pictures(seed=9)
    narrow = quantize(full, pictures(), Recipe()).model
    wide = quantize(full, pictures(), Recipe(wide=WIDE[:2])).model
    assert noise_db(full, wide, feeds) > noise_db(full, narrow, feeds)
    assert constants_of(wide)["conv1.wq"].dtype == np.int16


def test_half_weights_need_no_data():
    full = residual()
    made = quantize(full, (), HALF_WEIGHTS)
    assert noise_db(full, made.model, pictures(4)) > 55
    assert not made.exact
    assert constants_of(made.model)["conv0.wh"].dtype == np.float16


def test_weights_alone():
    full = gated()
    feeds = pictures(6, GATED_SIZE)
    made = quantize(full, feeds, Recipe(weight8=("conv0", "conv1", "logits")))
    assert noise_db(full, made.model, feeds) > 38
    assert "QuantizeLinear" not in ops(made.model)


def test_layers_kept_in_half_precision():
    full = gated()
    feeds = pictures(6, GATED_SIZE)
    made = quantize(full, feeds, Recipe(mode=Mode.WEIGHT8, half=("conv0", "logits")))
    assert [layer.mode for layer in made.layers] == [Mode.HALF, Mode.WEIGHT8, Mode.HALF]
    assert noise_db(full, made.model, feeds) > noise_db(
        full, quantize(full, feeds, Recipe(mode=Mode.WEIGHT8)).model, feeds
    )
    with pytest.raises(ModelError, match="no layer 'nope'"):
        quantize(full, feeds, Recipe(half=("nope",)))


@pytest.mark.parametrize("keep", [(), ("conv0",), ("conv0", "conv1", "logits")])
def test_gates_and_dynamic_width(keep):
    full, feeds = gated(), pictures(6, GATED_SIZE)
    made = quantize(full, feeds, Recipe(wide=keep))
    assert noise_db(full, made.model, feeds) > 25
    wider = pictures(2, (8, 64))
    assert noise_db(full, made.model, wider) > 20


def test_scan_keeps_what_hurts():
    full = residual()
    ready = calibrate(full, Thinned(pictures(), 160), Recipe())
    alone = sensitivity(ready, pictures(), build)
    assert list(alone) == [n.output[0] for n in layers(full)]
    limit = sorted(alone.values())[1] + 1e-6
    seen = []
    made = quantize(full, pictures(), Recipe(keep_below_db=limit), lambda *step: seen.append(step))
    kept = [entry.name for entry in made.layers if entry.mode is Mode.WIDE]
    assert sorted(kept) == sorted(sorted(alone, key=alone.get)[:2])
    assert {step for step, _, _ in seen} == {
        "calibrate ranges",
        "measure layers",
        "layers one by one",
        "round weights",
    }
    assert all(done <= total for _, done, total in seen)


def test_the_same_inputs_give_the_same_bytes():
    recipe = Recipe(wide=("conv0",), keep_below_db=35)
    first, again = (to_bytes(quantize(residual(), pictures(), recipe).model) for _ in range(2))
    assert first == again


def test_input_model_is_not_changed():
    full = residual(127.5)
    before = full.SerializeToString()
    quantize(full, pictures(3), Recipe())
    assert full.SerializeToString() == before


def test_report_counts_the_bytes():
    made = quantize(residual(), pictures(3), Recipe(wide=("conv0",)))
    sizes = {entry.name: entry for entry in made.layers}
    assert sizes["conv0"].shape == (8, 3, 3, 3)
    assert sizes["conv0"].operator == "Conv"
    assert sum(entry.bytes for entry in made.layers) < made.model.ByteSize()


def test_zero_points_are_never_shared():
    """onnxruntime rewrites them in place on CPUs without VNNI, and fails on a shared one."""
    model = quantize(residual(), pictures(3), Recipe()).model
    used = [
        n.input[2]
        for n in model.graph.node
        if n.op_type == "DequantizeLinear" and n.output[0].endswith(".wd")
    ]
    assert len(used) == len(set(used)) == 5


def test_input_stays_uint8_and_nothing_else_is_left():
    model = quantize(residual(), pictures(3), Recipe()).model
    assert [v.type.tensor_type.elem_type for v in model.graph.input] == [TensorProto.UINT8]
    assert not model.graph.value_info
    assert all(not n.name for n in model.graph.node)


def test_refuses_an_unknown_layer_and_no_data():
    with pytest.raises(ModelError, match="no layer 'conv99'"):
        quantize(residual(), pictures(2), Recipe(wide=("conv99",)))
    with pytest.raises(DataError, match="at least one sample"):
        quantize(residual(), [], Recipe())


def test_float_activations_need_no_ranges_but_data():
    recipe = Recipe(mode=Mode.WEIGHT8)
    ready = calibrate(residual(), Thinned(pictures(), 160), recipe)
    assert not ready.histograms
    assert sorted(ready.moments) == ["conv0", "conv1", "conv2", "conv3", "scores"]
    with pytest.raises(DataError, match="at least one sample"):
        quantize(residual(), [], recipe)


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(mode=Mode.WEIGHT8), HALF_WEIGHTS])
def test_a_graph_without_layers(recipe):
    """One of a bundle's graphs may have none: a decoder of boxes, say."""
    made = quantize(pooled(), pictures(3), recipe)
    assert (made.layers, made.written) == ((), {})
    assert noise_db(pooled(), made.model, pictures(2)) == np.inf
