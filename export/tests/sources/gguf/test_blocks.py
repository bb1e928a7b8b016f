"""Blocks of codes against gguf-py's own values, bit by bit."""

import numpy as np
import pytest

from edgekit_export.sources.gguf.blocks import EXACT, read_blocks
from edgekit_export.sources.gguf.kinds import KINDS

gguf = pytest.importorskip("gguf", reason="the oracle of GGUF's blocks")
BY_NAME = {kind.name: kind for kind in KINDS.values()}
STORED = {  # bits, block, type of the scales, whether there are minima
    "Q8_0": (8, 32, np.float16, False),
    "Q4_0": (4, 32, np.float16, False),
    "Q4_1": (4, 32, np.float16, True),
    "Q5_0": (5, 32, np.float16, False),
    "Q5_1": (5, 32, np.float16, True),
    "Q2_K": (2, 16, np.float32, True),
    "Q3_K": (3, 16, np.float32, False),
    "Q4_K": (4, 32, np.float32, True),
    "Q5_K": (5, 32, np.float32, True),
    "Q6_K": (6, 16, np.float32, False),
    "IQ4_NL": (8, 32, np.float16, False),
    "IQ4_XS": (8, 32, np.float32, False),
}


@pytest.mark.parametrize("name", EXACT)
def test_random_bytes_give_the_values_of_ggml_to_the_bit(name):
    kind, rows, blocks = BY_NAME[name], 300, 6
    drawn = np.random.default_rng(6).integers(0, 256, (rows, blocks * kind.block_bytes), dtype=np.uint8)
    with np.errstate(
        invalid="ignore", over="ignore"
    ):  # scales of random bytes are infinite or no number here and there
        expected = gguf.dequantize(drawn, gguf.GGMLQuantizationType[name])
        made = read_blocks(name, drawn.reshape(-1), (rows, blocks * kind.block))
        got = made.dequantized()
    assert got.dtype == np.float32
    assert got.shape == expected.shape
    missing = np.isnan(expected)
    assert np.array_equal(np.isnan(got), missing)
    assert np.array_equal(got.view(np.uint32)[~missing], expected.view(np.uint32)[~missing])
    assert missing.mean() < 0.2


@pytest.mark.parametrize("name", EXACT)
def test_codes_are_as_wide_as_the_type_says(name):
    kind = BY_NAME[name]
    drawn = np.random.default_rng(7).integers(0, 256, (64, kind.block_bytes), dtype=np.uint8)
    made = read_blocks(name, drawn.reshape(-1), (64, kind.block))
    bits, block, dtype, minima = STORED[name]
    assert (made.bits, made.block, made.scales.dtype, made.minima is not None) == (bits, block, dtype, minima)
    uneven = name.startswith("IQ4")
    assert (made.codes.min(), made.codes.max()) == ((1, 241) if uneven else (0, 2**bits - 1))


def test_sizes_of_blocks_are_those_of_gguf_py():
    known = {gguf.GGMLQuantizationType(number): kind for number, kind in KINDS.items()}
    assert {number.name: gguf.GGML_QUANT_SIZES[number] for number in known} == {
        kind.name: (kind.block, kind.block_bytes) for kind in known.values()
    }
