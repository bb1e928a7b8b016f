"""Codes with a factor a block: what is multiplied is 8 bits, and little is lost to floats for factors."""

import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit_export.quantize.block_grid import Format, round_nearest
from edgekit_export.quantize.gptq import gptq_tiered
from edgekit_export.quantize.tiered import Tiered, TieredFormat, round_tiered

RNG = np.random.default_rng(11)
WEIGHT = RNG.normal(size=(48, 128)).astype(np.float32)


def db(wanted: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10(np.square(wanted).sum() / np.square(wanted - found).sum()))


@pytest.mark.parametrize(("bits", "loss_db"), [(3, 0.2), (4, 0.2), (5, 0.3), (6, 0.8), (7, 2.3)])
def test_nearly_as_good_as_float_scales(bits, loss_db):
    found = round_tiered(WEIGHT, TieredFormat(bits))
    floats = round_nearest(WEIGHT, Format(bits, 32, symmetric=True))
    assert db(WEIGHT, found.dequantized()) >= db(WEIGHT, floats.dequantized()) - loss_db
    assert found.stored_bytes == 48 * 128 * bits // 8 + 48 * 4 + 48 * 4
    assert found.integers().dtype == np.int8


def test_eight_bits_have_no_factors():
    found = round_tiered(WEIGHT, TieredFormat(8))
    assert found.factors is None
    assert found.stored_bytes == 48 * 128 + 48 * 4
    assert db(WEIGHT, found.dequantized()) > 40


def test_strange_rows():
    weight = np.zeros((5, 64), np.float32)
    weight[1, 3] = 1e6  # one outlier
    weight[2] = 1e-30
    weight[3] = -2.5
    weight[4, :32], weight[4, 32:] = 1.0, 0.01  # blocks of different sizes
    for bits in (3, 4, 6, 8):
        found = round_tiered(weight, TieredFormat(bits)).dequantized()
        assert np.isfinite(found).all()
        assert (found[0] == 0).all()
        assert np.abs(found[1] - weight[1]).max() <= 1e6 * 2**-bits
        assert np.abs(found[3] - weight[3]).max() <= 2.5 * 2**-bits
        assert np.abs(found[4] - weight[4]).max() <= 0.02
    with pytest.raises(DataError, match="inputs a multiple of the block of 32"):
        round_tiered(np.zeros((2, 33), np.float32), TieredFormat(4))
    with pytest.raises(DataError, match="finite"):
        round_tiered(np.full((2, 32), np.nan, np.float32), TieredFormat(4))


def test_with_the_inputs_in_view_outputs_are_nearer():
    mix = RNG.normal(size=(40, 128))
    x = (RNG.normal(size=(1000, 40)) @ mix + 0.3 * RNG.normal(size=(1000, 128))).astype(np.float32)
    groups = x.reshape(1000, 2, 64).transpose(1, 0, 2)
    for second, gain_db in ((x.T @ x / 1000, 4), (groups.transpose(0, 2, 1) @ groups / 1000, 2)):
        second = second.reshape(-1, *second.shape[-2:])
        for bits in (4, 5):
            form = TieredFormat(bits)
            nearest, fitted = round_tiered(WEIGHT, form), gptq_tiered(WEIGHT, second, form)
            before = db(x @ WEIGHT.T, x @ nearest.dequantized().T)
            assert db(x @ WEIGHT.T, x @ fitted.dequantized().T) >= before + gain_db
            assert fitted.stored_bytes == nearest.stored_bytes


def test_what_no_engine_could_multiply_is_refused():
    good = {"codes": np.zeros((2, 32), np.int8), "bits": 4, "block": 32,
            "factors": np.ones((2, 1), np.int8), "scales": np.ones(2, np.float32)}  # fmt: skip
    Tiered(**good)
    for change, message in (
        ({"bits": 2}, "3 to 8 bits"),
        ({"block": 24}, "blocks that divide"),
        ({"scales": np.ones(3, np.float32)}, "2 scales"),
        ({"factors": None}, "below 8 bits only"),
        ({"factors": np.ones((2, 2), np.int8)}, r"shape \(2, 1\)"),
        ({"factors": np.full((2, 1), -128, np.int8)}, "−127 to 127"),
        ({"codes": np.full((2, 32), 8, np.int8)}, "codes of 4 bits: got 8 to 8"),
    ):
        with pytest.raises(ValueError, match=message):
            Tiered(**{**good, **change})
