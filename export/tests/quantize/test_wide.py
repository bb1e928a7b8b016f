import numpy as np
import pytest

from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.weights import LayerWeights
from edgekit_export.quantize.wide import Fine, fine_code, reach_of, wide_weights
from export.tests.quantize.networks import values

SOURCES = [Affine(0.02, 0), Affine(0.5, 131), Fine(0.003, 0, 1800), Fine(0.01, -900, 900)]


@pytest.mark.parametrize("source", SOURCES, ids=str)
@pytest.mark.parametrize("shape", [(6, 1, 3, 3), (5, 300, 1, 1), (4, 3, 3, 3)])
def test_every_partial_sum_is_exact(source, shape):
    weights = LayerWeights(values(*shape), values(shape[0], seed=1), 1, False)
    wide = wide_weights(weights, source, 0.04)
    codes = np.abs(wide.codes).reshape(shape[0], -1)
    bias = np.abs(wide.bias.astype(np.float64) / wide.unit)
    assert (reach_of(source) * codes.sum(axis=1) + bias < 2**24).all()
    assert (wide.codes == np.rint(wide.codes)).all()
    assert (bias == np.rint(bias)).all()
    assert codes.max() <= 32767
    assert (np.frexp(wide.unit)[0] == 0.5).all()


def test_weights_keep_more_bits_than_int8():
    weights = LayerWeights(values(16, 96, 1, 1), np.zeros(16), 1, False)
    wide = wide_weights(weights, Affine(0.02, 0), 0.1)
    noise = ((wide.real - weights.weight) ** 2).sum() / (weights.weight**2).sum()
    assert 10 * np.log10(noise) < -55  # int8 by channel: about -43


def test_float_sums_do_not_depend_on_their_order():
    source, rng = Affine(0.02, 77), np.random.default_rng(0)
    weights = LayerWeights(values(1, 500, 1, 1), np.asarray([0.3]), 1, False)
    wide = wide_weights(weights, source, 0.04)
    kernel = (wide.codes.reshape(-1) * wide.unit[0]).astype(np.float32)
    inputs = (rng.integers(0, 256, 500) - 77).astype(np.float32)
    sums = set()
    for _ in range(20):
        order = rng.permutation(500)
        total = wide.bias[0]
        for i in order:
            total = np.float32(total + np.float32(kernel[i] * inputs[i]))
        sums.add(float(total))
    assert len(sums) == 1


def test_a_bias_alone_and_nothing_at_all():
    weights = LayerWeights(np.zeros((2, 4, 1, 1)), np.asarray([3.0, 0.0]), 1, False)
    wide = wide_weights(weights, Affine(0.02, 0), 0.5)
    assert wide.bias.tolist() == [6.0, 0.0]
    assert not wide.codes.any()


@pytest.mark.parametrize(("low", "high", "lowest"), [(0.0, 6.0, 0), (-2.0, 1.0, None), (0.0, 0.0, 0)])
def test_fine_codes_leave_room_for_weights(low, high, lowest):
    readers = [values(8, 1, 3, 3), values(4, 8, 1, 1)]
    code = fine_code(low, high, readers)
    assert 255 <= code.reach <= 4095 or high == 0
    if lowest is not None:
        assert code.lowest == lowest
    else:
        assert code.lowest == -code.reach
    assert code.highest * code.scale == pytest.approx(max(high, 0.0), abs=code.scale)


def test_fine_round_trip_clips():
    code = Fine(0.5, -4, 10)
    assert code.round_trip(np.asarray([-9.0, 0.3, 0.74, 99.0])).tolist() == [-2.0, 0.5, 0.5, 5.0]
