"""Grids of blocks: widths, shrunken ranges, and what no grid can hold."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit_export.quantize.block_grid import Format, fit_grid, round_nearest, storable

FORMATS = [Format(bits, 32, symmetric) for bits in range(2, 9) for symmetric in (False, True)]


def normal(outputs: int, inputs: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(outputs, inputs)).astype(np.float32)


def relative_error(weight: np.ndarray, form: Format) -> float:
    return float(
        np.square(weight - round_nearest(weight, form).dequantized()).mean() / np.square(weight).mean()
    )


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_what_a_grid_holds_comes_back_exactly(form: Format) -> None:
    codes = np.random.default_rng(1).integers(0, form.top + 1, (5, 64)).astype(np.float32)
    codes[:, ::32], codes[:, 1::32] = 0, form.top
    zero = form.middle if form.symmetric else 1
    weight = 0.25 * (codes - zero)
    assert np.array_equal(round_nearest(weight, form).dequantized(), weight)


@pytest.mark.parametrize("form", FORMATS, ids=str)
def test_bytes_are_those_of_the_stored_matrix(form: Format) -> None:
    found = round_nearest(normal(6, 96), form)
    assert (found.bits, found.block, found.stored_bytes) == (form.bits, 32, form.stored_bytes(6, 96))


@pytest.mark.parametrize(
    ("bits", "most"),
    [(2, 0.16), (3, 0.029), (4, 0.0065), (5, 0.00155), (6, 0.00038), (7, 0.0001), (8, 0.000025)],
)
def test_error_of_normal_weights(bits: int, most: float) -> None:
    assert most / 3 < relative_error(normal(64, 256), Format(bits, 32)) < most


def test_whole_zero_points_beat_symmetric_grids_and_small_blocks_beat_large_ones() -> None:
    weight = normal(64, 256) + 0.5
    assert relative_error(weight, Format(4, 32)) < 0.8 * relative_error(weight, Format(4, 32, True))
    assert relative_error(weight, Format(4, 32)) < 0.9 * relative_error(weight, Format(4, 64))


def test_the_range_is_drawn_in_where_that_pays() -> None:
    values = normal(32, 1).repeat(3, axis=1)
    values[0] = 20
    scale, _ = fit_grid(values, np.r_[1e-6, np.ones(31)], Format(3, 32))
    assert (scale < 0.8 * (values.max() - values.min()) / 7).all()


@pytest.mark.parametrize("value", [0.0, 3.0, -0.5, 1e-9, 6e4, -6e4])
def test_constant_blocks(value: float) -> None:
    weight = np.full((2, 32), value, np.float32)
    for form in FORMATS:
        found = round_nearest(weight, form).dequantized()
        assert np.isfinite(found).all()
        assert np.abs(found - weight).max() <= max(1e-3 * abs(value), 3e-8)


def test_scales_are_storable() -> None:
    found = storable(np.array([0.0, -1e-12, 1e-12, 1e9, -1e9, 0.1], np.float32))
    assert (found != 0).all() and np.isfinite(found).all()
    assert np.array_equal(found, found.astype(np.float16).astype(np.float32))
    assert found[1] < 0 < found[2] and found[4] == -65504


@pytest.mark.parametrize("shape", [(4, 40), (4, 0), (64,), (2, 2, 32)])
def test_inputs_that_the_block_does_not_divide(shape: tuple[int, ...]) -> None:
    if shape == (4, 0):
        assert round_nearest(np.zeros(shape, np.float32), Format(4, 32)).shape == (4, 0)
        return
    with pytest.raises(DataError, match="multiple of the block of 32"):
        round_nearest(np.zeros(shape, np.float32), Format(4, 32))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_no_numbers(value: float) -> None:
    weight = normal(2, 32)
    weight[1, 7] = value
    with pytest.raises(DataError, match="finite"):
        round_nearest(weight, Format(4, 32))
