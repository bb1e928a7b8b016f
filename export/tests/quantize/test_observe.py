import numpy as np
import pytest

from edgekit.errors import DataError
from edgekit_export.quantize.observe import BINS, Histogram, observe
from export.tests.quantize.networks import pictures, residual


def test_histogram_grows_and_keeps_every_value():
    histogram = Histogram()
    for values in ([1e-5, -2e-5], [0.5], [-37.0, 36.0]):
        histogram.add(np.asarray(values))
    assert histogram.counts.sum() == 5
    assert (histogram.low, histogram.high) == (-37.0, 36.0)
    assert histogram.span >= 37
    used = histogram.centers[histogram.counts > 0]
    assert np.abs(used[[0, -1]] - [-37.0, 36.0]).max() <= histogram.span / BINS


def test_order_of_data_does_not_matter():
    rng = np.random.default_rng(0)
    parts = [rng.normal(0, s, 1000).astype(np.float32) for s in (0.1, 3, 50)]
    one, other = Histogram(), Histogram()
    for part in parts:
        one.add(part)
    for part in parts[::-1]:
        other.add(part)
    assert (one.low, one.high, one.span) == (other.low, other.high, other.span)
    coarse = [h.counts.reshape(64, -1).sum(axis=1) for h in (one, other)]
    assert np.abs(coarse[0] - coarse[1]).max() <= 3  # a value on the edge of a bin may fall to either side


def test_an_empty_tensor_says_nothing():
    histogram = Histogram()
    histogram.add(np.zeros((0, 3)))
    assert histogram.counts.sum() == 0


def test_refuses_what_is_not_finite():
    with pytest.raises(DataError, match="not finite"):
        Histogram().add(np.asarray([1.0, np.inf]))


def test_refuses_no_data():
    with pytest.raises(DataError, match="at least one sample"):
        observe(residual(), ["clip0"], [])


def test_true_range_of_the_graph():
    found = observe(residual(), ["clip0", "conv2"], pictures(4))
    assert found["clip0"].low == 0
    assert 0 < found["clip0"].high <= 6
    assert found["conv2"].low < 0 < found["conv2"].high
