import numpy as np
import pytest

from edgekit.statistics.sqnr import Sqnr


def test_adds_up_over_samples():
    sqnr = Sqnr()
    sqnr.add(np.array([3.0, 4.0], np.float32), np.array([3.0, 3.0], np.float32))
    sqnr.add(np.array([[10.0]]), np.array([[8.0]]))
    assert sqnr.samples == 2
    assert sqnr.db == pytest.approx(10 * np.log10(125 / 5))


def test_integers_do_not_wrap():
    sqnr = Sqnr()
    sqnr.add(np.array([0, 255], np.uint8), np.array([1, 255], np.uint8))
    assert sqnr.db == pytest.approx(10 * np.log10(255**2))


def test_nothing_to_say():
    sqnr = Sqnr()
    assert sqnr.db is None
    assert not sqnr.identical
    sqnr.add(np.ones(3), np.ones(3))
    assert sqnr.db is None
    assert sqnr.identical
    silent = Sqnr()
    silent.add(np.zeros(3), np.ones(3))
    assert silent.db is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(value):
    sqnr = Sqnr()
    sqnr.add(np.ones(3), np.full(3, value))
    assert sqnr.db is None
    assert not sqnr.identical


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        Sqnr().add(np.ones(2), np.ones(3))
