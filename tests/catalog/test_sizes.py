import pytest

from edgekit.catalog.sizes import bits_a_parameter, size_bytes
from edgekit.errors import UsageError


@pytest.mark.parametrize(
    ("precision", "expected"),
    [("fp32", 1_025_939_712), ("fp16", 512_969_856), ("int8", 256_484_928), ("int4", 144_272_772)],
)
def test_bytes_of_smolvlm_256m_with_its_own_head(precision, expected):
    assert size_bytes(256_484_928, precision) == expected


def test_none_is_nothing_and_one_is_rounded():
    assert size_bytes(0, "int4") == 0
    assert size_bytes(1, "int4") == 1  # 4.5 bits


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="int2"):
        size_bytes(1, "int2")


def test_bits_that_a_limit_leaves():
    assert bits_a_parameter(256_484_928, 50_000_000) == pytest.approx(1.5596, abs=1e-4)
    assert bits_a_parameter(8, 1) == 1.0
    with pytest.raises(UsageError, match="got 0"):
        bits_a_parameter(0, 1)
