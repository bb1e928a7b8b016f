import numpy as np
import pytest

from edgekit_export.convert.session import session_of
from edgekit_export.quantize import Recipe, quantize
from edgekit_export.quantize.integer import sqnr_db
from edgekit_export.quantize.placement import Mode
from edgekit_export.quantize.recipe import DYNAMIC_INT8, recipe_from
from export.tests.convert.graphs import constants_of, model_of, node, ops
from export.tests.quantize.networks import attending, token_ids
from export.tests.quantize.test_quantize import noise_db, outputs

INPUTS, OUTPUTS = 96, 128


def linear(seed=0, *, gemm=False, bias=True):
    rng = np.random.default_rng(seed)
    weight = rng.normal(0, 1, (INPUTS, OUTPUTS)) * np.exp(rng.normal(0, 1, OUTPUTS))
    constants = {"w": weight.T if gemm else weight, "b": rng.normal(0, 1, OUTPUTS)}
    rank = 2 if gemm else 3
    if gemm:
        given = ["x", "w", "b"] if bias else ["x", "w"]
        nodes = [node("Gemm", given, ["y"], transB=1)]
    else:
        nodes = [node("MatMul", ["x", "w"], ["y"])]
        del constants["b"]
    if not bias:
        constants.pop("b", None)
    shape = [None, INPUTS] if gemm else [1, None, INPUTS]
    return model_of(nodes, {"x": shape}, {"y": [None] * rank}, constants), weight, constants.get("b", 0.0)


def by_hand(x, weight):
    """The documented arithmetic in float64."""
    scale = np.abs(weight).max(axis=0) / 127
    whole = np.rint(weight / scale) * scale
    low, high = x.min(axis=-1, keepdims=True), x.max(axis=-1, keepdims=True)
    width = np.maximum(high - low, 1e-30)
    return width * (np.rint(255 * ((x - low) / width)) / 255) @ whole + low * whole.sum(axis=0)


@pytest.mark.parametrize("optimization", ["all", "none"])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_matmul_is_its_formula(rows, optimization):
    model, weight, _ = linear()
    made = quantize(model, (), DYNAMIC_INT8).model
    x = np.random.default_rng(3).normal(0, 1, (1, rows, INPUTS)).astype(np.float32)
    x[0, 0] *= 1000  # the other rows keep their own scale
    (got,) = session_of(made, optimization=optimization).run({"x": x})
    wanted = by_hand(x.astype(np.float64), weight.astype(np.float32).astype(np.float64))
    per_row = np.abs(wanted).max(axis=-1, keepdims=True)
    assert np.max(np.abs(got - wanted) / per_row) < 2e-3  # a tie of a code may fall either way
    assert sqnr_db(x.astype(np.float64) @ weight, got) > 38


@pytest.mark.parametrize("bias", [False, True])
def test_a_gemm_keeps_its_bias(bias):
    model, weight, offset = linear(gemm=True, bias=bias)
    made = quantize(model, (), DYNAMIC_INT8).model
    x = np.random.default_rng(3).normal(0, 1, (5, INPUTS)).astype(np.float32)
    (got,) = session_of(made).run({"x": x})
    assert sqnr_db(x.astype(np.float64) @ weight + offset, got) > 38
    assert "Gemm" not in ops(made)


@pytest.mark.parametrize("value", [0.0, 3.5, -1e-20, 1e20])
def test_a_row_of_one_value(value):
    model, weight, _ = linear()
    made = quantize(model, (), DYNAMIC_INT8).model
    x = np.full((1, 2, INPUTS), value, np.float32)
    (got,) = session_of(made).run({"x": x})
    wanted = x.astype(np.float64) @ weight
    scale = max(np.abs(x.astype(np.float64)[0, 0]) @ np.abs(weight).max(axis=1), 1e-30)
    assert np.isfinite(got).all()
    assert np.abs(got - wanted).max() / scale < 2e-2


def test_layers_that_read_one_tensor_code_it_once():
    made = quantize(attending(), (), DYNAMIC_INT8)
    assert (
        ops(made.model)["QuantizeLinear"] == 2
    )  # the tokens are read once by f, r once by o; q, k, v are too small
    modes = {entry.name: entry.mode for entry in made.layers}
    assert list(modes.values()).count(Mode.DYNAMIC) == 2
    assert not made.exact


def test_rows_beat_one_scale_a_tensor():
    full, feeds = attending(), token_ids()
    rest = [{"ids": feed["ids"]} for feed in feeds]
    made = quantize(full, (), DYNAMIC_INT8).model
    wanted = [session_of(full).run(feed)[0][1:] for feed in rest]  # tokens between
    got = [session_of(made).run(feed)[0][1:] for feed in rest]
    assert sqnr_db(np.concatenate(wanted), np.concatenate(got)) > 30
    assert noise_db(full, made, feeds) > 30
    assert sqnr_db(outputs(made, feeds, "none"), outputs(made, feeds)) > 30


def test_int8_weights_and_table_are_a_quarter():
    full = attending(size=64)
    made = quantize(full, (), DYNAMIC_INT8).model
    assert made.ByteSize() < 0.29 * full.ByteSize()
    assert {str(v.dtype) for k, v in constants_of(made).items() if v.size > 5000} == {"int8"}


def test_half_weights_halve_the_table_as_well():
    full = attending(size=64)
    made = quantize(full, (), Recipe(name="h", mode=Mode.HALF)).model
    assert made.ByteSize() < 0.52 * full.ByteSize()
    assert noise_db(full, made, token_ids()) > 55


def test_a_table_of_a_recipe():
    made = recipe_from({"mode": "dynamic", "weight8": ["matmul7"]})
    assert made.weight8 == ("matmul7",)
    assert (made.rounding, made.correct_bias, made.tflite) == ("nearest", False, "dynamic_wi8_afp32")
    assert not made.needs_data
    assert recipe_from({"mode": "weight8"}).needs_data
    assert not recipe_from({"mode": "weight8", "rounding": "nearest", "correct_bias": False}).needs_data
    assert recipe_from({"mode": "dynamic", "wide": ["conv0"]}).needs_data
