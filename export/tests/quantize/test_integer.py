import numpy as np
import pytest

from edgekit_export.quantize.integer import Affine, affine_from_range, sqnr_db


@pytest.mark.parametrize(
    ("low", "high", "zero_point", "scale"),
    [(0.0, 6.0, 0, 6 / 255), (-1.0, 1.0, 127, 2 / 255), (-3.0, 0.0, 255, 3 / 255), (2.0, 4.0, 0, 4 / 255)],
)
def test_range_covers_zero(low, high, zero_point, scale):
    code = affine_from_range(low, high)
    assert code.zero_point == zero_point
    assert code.scale == pytest.approx(scale, rel=1e-6)
    assert code.quantize(np.zeros(1))[0] == code.zero_point


def test_a_tensor_that_is_always_zero():
    assert affine_from_range(0.0, 0.0) == Affine(1.0, 0)


def test_rounds_half_to_even_and_saturates():
    code = Affine(1.0, 10)
    assert code.quantize(np.asarray([0.5, 1.5, -20.0, 300.0])).tolist() == [10, 12, 0, 255]
    assert code.round_trip(np.asarray([1.4, 300.0])).tolist() == [1.0, 245.0]
    assert (code.low, code.high) == (-10.0, 245.0)


@pytest.mark.parametrize(("scale", "zero_point"), [(0.0, 1), (float("nan"), 1), (1.0, 256), (1.0, -1)])
def test_refuses_impossible_codes(scale, zero_point):
    with pytest.raises(ValueError, match="expected"):
        Affine(scale, zero_point)


def test_sqnr():
    assert sqnr_db(np.ones(4), np.ones(4)) == float("inf")
    assert sqnr_db(np.full(4, 10.0), np.full(4, 9.0)) == pytest.approx(20.0)
    assert sqnr_db(np.zeros(4), np.ones(4)) == -float("inf")
