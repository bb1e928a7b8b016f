import pytest

from edgekit.catalog.fits import cannot_fit


def test_smolvlm_256m_fits_neither_20_nor_50_mb():
    assert cannot_fit(256_484_928, 20_000_000) == (
        "256,484,928 parameters in 20 MB leave 0.62 bits a weight; the narrowest weights here take 4.5 "
        "(4, and a 16-bit scale for 32 of them): 144.3 MB"
    )
    assert "50 MB leave 1.56 bits a weight" in cannot_fit(256_484_928, 50_000_000)


@pytest.mark.parametrize(("limit_bytes", "fits"), [(561, False), (562, True), (563, True)])
def test_the_last_byte_counts(limit_bytes, fits):
    assert (cannot_fit(1000, limit_bytes) is None) is fits  # 562.5 bytes, rounded to the even one


def test_no_parameters_fit_anywhere():
    assert cannot_fit(0, 0) is None
