"""Products in 8 bits: weights come out as their codes say, whatever their width, and tokens keep to themselves."""

import numpy as np
import pytest

from edgekit_export.quantize.tiered import Tiered
from edgekit_export.vision.product import write_products
from export.tests.language.graphs import ran

RNG = np.random.default_rng(7)
N, K = 24, 64


def tiered(bits: int, block: int = 32) -> Tiered:
    codes = RNG.integers(-(1 << (bits - 1)), 1 << (bits - 1), (N, K)).astype(np.int8)
    factors = RNG.integers(-127, 128, (N, K // block)).astype(np.int8) if bits < 8 else None
    return Tiered(codes, bits, block, factors, RNG.uniform(0.01, 0.1, N).astype(np.float32))


def product(folder, x, *weights):
    def write(writer):
        names = [f"part{i}" for i in range(len(weights))]
        writer.add("Concat", write_products(writer, "x", names, weights), "out", axis=-1)

    return ran(folder, write, {"x": x}, N * len(weights))


@pytest.mark.parametrize(("bits", "block"), [*[(bits, 32) for bits in range(3, 9)], (4, 16), (5, 64)])
def test_unit_inputs_give_the_weights(tmp_path, bits, block):
    weight = tiered(bits, block)
    found = product(tmp_path, np.eye(K, dtype=np.float32)[None], weight)[0]  # 0 and 1 are exact in 8 bits
    assert np.abs(found - weight.dequantized().T).max() <= 1e-6 * np.abs(weight.dequantized()).max()


def test_widths_may_differ_where_the_input_is_one(tmp_path):
    weights = [tiered(4), tiered(8), tiered(6)]
    found = product(tmp_path, np.eye(K, dtype=np.float32)[None], *weights)[0]
    wanted = np.concatenate([weight.dequantized() for weight in weights]).T
    assert np.abs(found - wanted).max() <= 1e-6 * np.abs(wanted).max()
    assert (tmp_path / "g.onnx").read_bytes().count(b"DynamicQuantizeLinear") == 1


def test_a_loud_token_does_not_drown_the_others(tmp_path):
    weight, x = tiered(8), RNG.normal(size=(1, 5, K)).astype(np.float32)
    x[0, 2] *= 1e4
    x[0, 3] = 0
    found, wanted = product(tmp_path, x, weight)[0], x[0] @ weight.dequantized().T
    steps = np.abs(x[0]).max(axis=1, keepdims=True) / 127
    assert (np.abs(found - wanted) <= 0.51 * steps * np.abs(weight.dequantized()).sum(axis=1) + 1e-6).all()
    assert (found[3] == 0).all()


def test_floats_are_multiplied_as_they_are(tmp_path):
    weight, x = RNG.normal(size=(N, K)).astype(np.float32), RNG.normal(size=(1, 3, K)).astype(np.float32)
    assert np.allclose(product(tmp_path, x, weight), x @ weight.T, atol=1e-4)
