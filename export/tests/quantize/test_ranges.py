import numpy as np
import pytest

from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.observe import Histogram
from edgekit_export.quantize.ranges import _divergence, choose_range


def histogram_of(values):
    made = Histogram()
    made.add(np.asarray(values))
    return made


def error(code, values):
    return float(((code.round_trip(values) - values) ** 2).mean())


def test_min_max_covers_what_was_seen():
    code = choose_range(histogram_of([-1.0, 0.2, 3.0]), "min_max")
    assert code.low == pytest.approx(-1.0, abs=0.02)
    assert code.high == pytest.approx(3.0, abs=0.02)


def test_limit_cuts_what_an_activation_cuts():
    assert choose_range(histogram_of([0.0, 9.0]), "min_max", limit=6.0).high == pytest.approx(6.0)


@pytest.mark.parametrize("outlier", [30.0, -30.0])
def test_mse_gives_up_an_outlier(outlier):
    values = np.append(np.random.default_rng(0).normal(0, 1, 200_000), outlier).astype(np.float32)
    plain, best = (choose_range(histogram_of(values), method) for method in ("min_max", "mse"))
    assert error(best, values) < 0.8 * error(plain, values)


def test_mse_keeps_a_range_that_is_full():
    values = np.random.default_rng(0).uniform(-1, 1, 100_000).astype(np.float32)
    code = choose_range(histogram_of(values), "mse")
    assert code.low < -0.98
    assert code.high > 0.98


@pytest.mark.parametrize("outlier", [30.0, -30.0])
def test_entropy_gives_up_an_outlier(outlier):
    values = np.append(np.random.default_rng(0).normal(0, 1, 200_000), outlier).astype(np.float32)
    plain, best = (choose_range(histogram_of(values), method) for method in ("min_max", "entropy"))
    assert best.high - best.low < 0.8 * (plain.high - plain.low)
    assert error(best, values[:-1]) < 0.2 * error(plain, values[:-1])


def test_entropy_keeps_a_range_that_is_full():
    values = np.random.default_rng(0).uniform(-1, 1, 100_000).astype(np.float32)
    code = choose_range(histogram_of(values), "entropy")
    assert code.low < -0.98
    assert code.high > 0.98


@pytest.mark.parametrize("values", [[0.0, 0.0], [2.5], [-1.0, -1.0, -3.0]])
def test_entropy_of_few_values_covers_them(values):
    code = choose_range(histogram_of(values), "entropy")
    assert code.low <= min(values) + code.scale
    assert code.high >= max(values) - code.scale


def test_divergence_by_hand():
    """Codes of step 1; two bins share a code, one value lies beyond."""
    values, counts = np.asarray([0.0, 1.0, 1.25, 300.0]), np.asarray([4.0, 1.0, 3.0, 2.0])
    wanted, shared = np.asarray([4, 1, 5]) / 10, np.asarray([4, 2, 2]) / 8
    assert _divergence(Affine(1.0, 0), values, counts) == pytest.approx(
        (wanted * np.log(wanted / shared)).sum()
    )


def test_entropy_does_not_count_the_zeros_of_a_rectifier():
    values = np.maximum(np.random.default_rng(0).uniform(-9, 6, 100_000), 0).astype(np.float32)
    assert choose_range(histogram_of(values), "entropy").high > 5.9
