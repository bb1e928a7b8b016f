import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.processing.codes import Codes, dequantize, quantize

BYTES = Codes("int8", 1.0, -128)
UNIT = Codes("int8", 0.003921568859368563, -128)  # of MLPerf Tiny's person detector: 1 / 255 as float32
WIDE = Codes("int32", 1.0, 0)


def test_pictures_of_bytes_lose_nothing():
    pixels = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(quantize(pixels, BYTES), pixels.astype(int) - 128)
    np.testing.assert_array_equal(
        quantize(pixels / np.float32(255), UNIT), quantize(pixels.astype(np.float32), BYTES)
    )


@pytest.mark.parametrize(
    ("values", "codes", "expected"),
    [
        ([0.5, 1.5, 2.5, -0.5], Codes("int16", 1.0, 0), [0, 2, 2, 0]),  # ties to even
        ([-1.0, 256.0, 1e30, -1e30], BYTES, [-128, 127, 127, -128]),
        ([np.nan, np.inf, -np.inf], BYTES, [-128, 127, -128]),
        ([np.nan, np.inf, -np.inf, 3e9, -2.0], WIDE, [-(2**31), 2**31 - 1, -(2**31), 2**31 - 1, -2]),
        ([127.6, -3.0], Codes("uint8", 0.5, 10), [255, 4]),
        ([], BYTES, []),
    ],
)
def test_values_at_the_edges(values, codes, expected):
    got = quantize(np.asarray(values, np.float32), codes)
    assert (got.tolist(), str(got.dtype)) == (expected, codes.dtype)


def test_what_is_given_stays_as_it_is():
    values = np.asarray([3.0, 4.0], np.float32)
    quantize(values, BYTES)
    np.testing.assert_array_equal(values, [3, 4])


@pytest.mark.parametrize(
    ("codes", "stored", "expected"),
    [
        (UNIT, [-128, 127], [0.0, np.float32(255) * np.float32(UNIT.scale)]),
        (Codes("int32", 2.0, -(2**31)), [2**31 - 1], [float(2**33)]),  # the difference does not wrap
        (Codes("uint8", 0.25, 128), [0, 128, 255], [-32.0, 0.0, 31.75]),
    ],
)
def test_codes_become_values(codes, stored, expected):
    got = dequantize(np.asarray(stored, codes.dtype), codes)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, np.asarray(expected, np.float32))


@given(st.floats(2.0**-20, 2.0**20, width=32), st.integers(-128, 127), st.integers(-128, 127))
def test_a_code_survives_its_value(scale, zero_point, code):
    codes = Codes("int8", scale, zero_point)
    assert quantize(dequantize(np.asarray([code], np.int8), codes), codes).tolist() == [code]
