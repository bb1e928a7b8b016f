"""GPTQ in blocks: the output's error on inputs that say the same thing several times."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit_export.quantize.block_grid import Format, round_nearest
from edgekit_export.quantize.gptq import gptq

RNG = np.random.default_rng(0)


def moment(inputs: int, rank: int, samples: int = 2000) -> np.ndarray:
    """Of inputs that are mixtures of ``rank`` sources, with some noise of their own."""
    sources = RNG.normal(size=(samples, rank)) @ RNG.normal(size=(rank, inputs))
    x = sources + 0.3 * RNG.normal(size=(samples, inputs))
    return (x.T @ x / samples).astype(np.float32)


def normal(outputs: int, inputs: int) -> np.ndarray:
    return RNG.normal(size=(outputs, inputs)).astype(np.float32)


def output_error(weight: np.ndarray, rounded: np.ndarray, second: np.ndarray) -> float:
    """Mean squared error of an output, ``Σ e C eᵀ / outputs``, as a share of its mean square."""
    error = weight - rounded
    return float(((error @ second) * error).sum() / max(float(((weight @ second) * weight).sum()), 1e-300))


@pytest.mark.parametrize(
    "form", [Format(3, 32), Format(4, 32), Format(4, 64), Format(5, 32, True), Format(8, 32)], ids=str
)
def test_far_below_rounding_to_nearest_on_correlated_inputs(form: Format) -> None:
    weight, second = normal(96, 128), moment(128, 24)
    nearest = output_error(weight, round_nearest(weight, form).dequantized(), second)
    found = gptq(weight, second, form)
    assert output_error(weight, found.dequantized(), second) < nearest / 8
    assert (found.bits, found.block, isinstance(found.zeros, int)) == (form.bits, form.block, form.symmetric)


def test_no_worse_than_nearest_on_independent_inputs() -> None:
    weight, form = normal(64, 96), Format(4, 32)
    nearest = output_error(weight, round_nearest(weight, form).dequantized(), np.eye(96))
    found = output_error(weight, gptq(weight, np.eye(96, dtype=np.float32), form).dequantized(), np.eye(96))
    assert found <= nearest * 1.001


@pytest.mark.parametrize("symmetric", [False, True])
def test_what_the_grid_holds_comes_back_exactly(symmetric: bool) -> None:
    form = Format(4, 32, symmetric)
    codes = RNG.integers(0, 16, (8, 96)).astype(np.float32)
    codes[:, ::32], codes[:, 1::32] = 0, 15
    weight = 0.125 * (codes - (8 if symmetric else 3))
    assert np.array_equal(gptq(weight, moment(96, 8), form).dequantized(), weight)


def test_moments_without_full_rank_and_inputs_that_are_always_zero() -> None:
    x = RNG.normal(size=(10, 64))
    x[:, 5] = 0
    second = (x.T @ x / 10).astype(np.float32)
    weight, form = normal(16, 64), Format(4, 32)
    found = gptq(weight, second, form).dequantized()
    nearest = round_nearest(weight, form).dequantized()
    assert np.isfinite(found).all()
    assert output_error(weight, found, second) < 0.2 * output_error(weight, nearest, second)


def test_a_moment_of_nothing() -> None:
    weight = normal(4, 32)
    found = gptq(weight, np.zeros((32, 32), np.float32), Format(8, 32)).dequantized()
    assert np.abs(found - weight).max() < 0.03


def test_outputs_in_chunks_and_blocks_out_of_order_land_where_they_belong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weight, second = normal(50, 96), moment(96, 8)
    second[64:, 64:] *= 9
    whole = gptq(weight, second, Format(8, 32))
    monkeypatch.setattr("edgekit_export.quantize.gptq._CHUNK", 16)
    chunks = gptq(weight, second, Format(8, 32))
    assert np.abs(whole.dequantized() - weight).max() < 0.1
    assert np.mean(chunks.codes != whole.codes) < 0.01
    assert np.allclose(chunks.scales, whole.scales, rtol=2e-3)


def test_a_block_that_does_not_divide_the_inputs() -> None:
    with pytest.raises(DataError, match="block of 64"):
        gptq(normal(4, 96), np.eye(96, dtype=np.float32), Format(4, 64))
