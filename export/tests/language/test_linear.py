"""Products with weights in codes: columns come out as the weights say, whatever their form."""

import numpy as np
import pytest

from edgekit_export.language.head import write_head
from edgekit_export.language.linear import write_linear
from edgekit_export.quantize.blockwise import Blockwise
from export.tests.language.graphs import ran

RNG = np.random.default_rng(5)
N, K = 24, 128


def blockwise(bits: int, block: int = 32, zeros="middle", minima: bool = False, n: int = N) -> Blockwise:
    blocks = (n, K // block)
    codes = RNG.integers(0, 1 << bits, (n, K)).astype(np.uint8)
    scales = RNG.uniform(0.01, 0.1, blocks).astype(np.float16)
    middle = 1 << (bits - 1)
    found = {"middle": middle, "low": 0, "each": RNG.integers(0, 1 << bits, blocks).astype(np.uint8)}[zeros]
    lowest = RNG.normal(size=blocks).astype(np.float16) if minima else None
    return Blockwise(codes, bits, block, scales, found, lowest)


FORMS = [
    *[(bits, 32, "middle", False) for bits in range(2, 9)],
    *[(bits, 32, "each", False) for bits in range(2, 9)],
    *[(bits, 64, "middle", False) for bits in (3, 4, 6, 8)],
    (6, 16, "middle", False),
    (4, 32, "low", True),
    (8, 32, "low", True),
    (4, 64, "each", True),
    (5, 32, "middle", True),
    (4, 32, "low", False),
    (8, 128, "low", False),
]


@pytest.mark.parametrize(("bits", "block", "zeros", "minima"), FORMS)
def test_unit_inputs_give_the_weights(tmp_path, bits, block, zeros, minima):
    # Inputs are multiplied in 8 bits with a scale a block: a lone 1 is exact, so each output is a weight.
    weight = blockwise(bits, block, zeros, minima)
    found = ran(
        tmp_path, lambda w: write_linear(w, "out", "x", [weight]), {"x": np.eye(K, dtype=np.float32)}, N
    )
    assert np.abs(found - weight.dequantized().T).max() <= 2e-6 * np.abs(weight.dequantized()).max() * 4


def test_products_of_one_form_are_one_node_and_others_are_joined(tmp_path):
    same, other = [blockwise(4), blockwise(4, n=8)], [blockwise(4), blockwise(8, n=8)]
    unit = {"x": np.eye(K, dtype=np.float32)}
    for folder, weights in (("same", same), ("other", other)):
        (tmp_path / folder).mkdir()
        found = ran(tmp_path / folder, lambda w, p=weights: write_linear(w, "out", "x", p), unit, N + 8)
        expected = np.concatenate([weight.dequantized() for weight in weights]).T
        assert np.abs(found - expected).max() <= 1e-5
    nodes = [(tmp_path / name / "g.onnx").read_bytes().count(b"MatMulNBits") for name in ("same", "other")]
    assert nodes == [1, 2]


def test_inputs_are_rounded_to_8_bits_within_their_block_only(tmp_path):
    weight = blockwise(8)
    x = RNG.normal(size=(5, K)).astype(np.float32)
    x[:, 32:64] *= 1000  # a block of its own scale
    found = ran(tmp_path, lambda w: write_linear(w, "out", "x", [weight]), {"x": x}, N)
    steps = np.abs(x.reshape(5, -1, 32)).max(2).repeat(32, 1) / 127
    bound = (0.51 * steps) @ np.abs(weight.dequantized()).T
    assert (np.abs(found - x @ weight.dequantized().T) <= bound).all()


def test_a_head_in_parts_gives_what_it_gives_in_one(tmp_path, monkeypatch):
    weight = blockwise(8, n=40)
    x = {"x": np.eye(K, dtype=np.float32)}
    monkeypatch.setattr("edgekit_export.language.head.PART_BYTES", 17 * K)
    found = ran(tmp_path, lambda w: write_head(w, "out", "x", weight, "table"), x, 40)
    assert (tmp_path / "g.onnx").read_bytes().count(b"MatMulNBits") == 3
    assert np.abs(found - weight.dequantized().T).max() <= 1e-5


def test_floats_are_multiplied_as_they_are(tmp_path):
    weight = RNG.normal(size=(N, K)).astype(np.float32)
    x = RNG.normal(size=(7, K)).astype(np.float32)
    found = ran(tmp_path, lambda w: write_linear(w, "out", "x", [weight[:9], weight[9:]]), {"x": x}, N)
    assert np.abs(found - x @ weight.T).max() <= 1e-4


@pytest.mark.parametrize(("bits", "block", "zeros", "minima"), FORMS)
def test_the_file_takes_the_bytes_that_a_size_is_planned_with(tmp_path, bits, block, zeros, minima):
    weight = blockwise(bits, block, zeros, minima, n=96)
    ran(tmp_path, lambda w: write_linear(w, "out", "x", [weight]), {"x": np.eye(K, dtype=np.float32)}, 96)
    stored = (tmp_path / "weights.bin").stat().st_size
    inline = 1024  # small tables lie in the graph, and each part of the file begins at a multiple of 64 bytes
    assert weight.stored_bytes - 3 * inline <= stored <= weight.stored_bytes + 64 * 8
