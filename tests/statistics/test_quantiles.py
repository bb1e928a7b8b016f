import pytest

from edgekit.statistics.quantiles import normal_quantile, t_quantile


def test_normal():
    assert normal_quantile() == pytest.approx(1.959964, abs=1e-6)
    assert normal_quantile(0.9) == pytest.approx(1.644854, abs=1e-6)


@pytest.mark.parametrize(
    ("dof", "t"),  # published tables
    [
        (1, 12.7062),
        (2, 4.30265),
        (3, 3.18245),
        (4, 2.77645),
        (9, 2.26216),
        (29, 2.04523),
        (30, 2.04227),
        (120, 1.97993),
    ],
)
def test_t(dof, t):
    assert t_quantile(dof) == pytest.approx(t, abs=1e-4)


def test_t_other_level_and_limit():
    assert t_quantile(10, 0.99) == pytest.approx(3.16927, abs=1e-4)
    assert t_quantile(10**7) == pytest.approx(normal_quantile(), abs=1e-6)


def test_series_and_expansion_meet():
    assert t_quantile(29) - t_quantile(30) == pytest.approx(0.00296, abs=5e-5)
