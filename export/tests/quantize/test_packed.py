"""Codes of 4 to 14 bits: packed, unpacked, and in a graph."""

import numpy as np
import pytest

from edgekit_export.convert.session import session_of
from edgekit_export.quantize import Recipe, quantize, recipe_from
from edgekit_export.quantize.integer import largest_code, sqnr_db
from edgekit_export.quantize.packed import pack
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode
from export.tests.quantize.networks import residual
from export.tests.quantize.test_quantize import pictures

BITS = tuple(range(4, 15))


def unpack(planes, size):
    """What the written graph computes: the digits of each plane, run after run."""
    total = np.zeros(size, np.int64)
    for plane in planes:
        mask = (1 << plane.bits) - 1
        runs = [(plane.packed >> shift) & mask for shift in range(0, 8, plane.bits)]
        total = (total << plane.bits) + np.concatenate(runs)[:size]
    return total - (1 << (sum(plane.bits for plane in planes) - 1))


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 64, 1001])
def test_unpacking_gives_the_codes(bits, size):
    limit = largest_code(bits)
    codes = np.random.default_rng(size).integers(-limit, limit + 1, size)
    planes = pack(codes, bits)
    assert unpack(planes, size).tolist() == codes.tolist()
    assert sum(plane.packed.nbytes for plane in planes) <= size * bits / 8 + 3


@pytest.mark.parametrize("bits", BITS)
def test_ends_of_the_range_fit_and_nothing_beyond(bits):
    ends = np.asarray([-(2 ** (bits - 1)), 2 ** (bits - 1) - 1])
    assert unpack(pack(ends, bits), 2).tolist() == ends.tolist()
    for beyond in (ends[:1] - 1, ends[1:] + 1):
        with pytest.raises(ValueError, match=f"{bits} bits"):
            pack(beyond, bits)


def test_two_codes_of_four_bits_share_a_byte():
    (plane,) = pack(np.asarray([-8, 7, 1]), 4)
    assert plane.packed.tolist() == [0 | 9 << 4, 15]


@pytest.mark.parametrize("mode", sorted(WEIGHT_BITS))
@pytest.mark.parametrize("optimization", ["all", "none"])
def test_the_graph_computes_with_the_codes_written(mode, optimization):
    full = residual()
    made = quantize(full, pictures(), Recipe(mode=mode))
    exact = quantize(full, pictures(), Recipe(mode=Mode.FLOAT)).model
    weights = {f"{name}.w": layer.codes.real for name, layer in made.written.items()}
    biases = {f"{name}.b": layer.weights.bias for name, layer in made.written.items()}
    for tensor in exact.graph.initializer:
        if tensor.name in weights or tensor.name in biases:
            value = (weights | biases)[tensor.name].astype(np.float32)
            tensor.raw_data = value.reshape(tuple(tensor.dims)).tobytes()
    wanted, found = (session_of(m, optimization=optimization) for m in (exact, made.model))
    for feed in pictures():
        np.testing.assert_allclose(found.run(feed)[0], wanted.run(feed)[0], atol=1e-4)


def test_every_two_bits_take_noise_away():
    full = residual()
    reference = session_of(full)
    feeds = pictures()
    wanted = np.concatenate([reference.run(feed)[0] for feed in feeds])
    noise = []
    for bits in (4, 6, 8, 10, 12, 14):
        made = session_of(quantize(full, feeds, Recipe(mode=Mode(f"weight{bits}"))).model)
        noise.append(sqnr_db(wanted, np.concatenate([made.run(feed)[0] for feed in feeds])))
    assert np.diff(noise).min() > 5


def test_a_recipe_names_modes_by_layer():
    recipe = recipe_from({"mode": "weight8", "modes": {"conv1": "weight12"}})
    made = quantize(residual(), pictures(), recipe)
    assert {layer.name: layer.mode for layer in made.layers}["conv1"] is Mode.WEIGHT12
