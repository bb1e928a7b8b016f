from math import exp, log
from types import SimpleNamespace

import pytest

from edgekit.catalog.devices import DEVICES, device_of
from edgekit.catalog.estimate import WITHIN, energy_wh, estimate, latency_ms, roofline
from edgekit.errors import UsageError
from tests.catalog.published import PUBLISHED


def model(parameters, operations, active=None):
    return SimpleNamespace(parameters=parameters, operations=operations, active_parameters=active)


def ratio(published):
    found = latency_ms(
        model(published.parameters, published.operations), device_of(published.device), published.precision
    )
    return found / published.ms_here


@pytest.mark.parametrize(
    "published", PUBLISHED, ids=lambda p: f"{p.device}-{p.precision}-{p.network}-{p.source}"
)
def test_an_estimate_lies_within_a_factor_of_the_published_time(published):
    assert ratio(published) == pytest.approx(published.stated_ratio, abs=0.006)
    assert 1 / WITHIN <= ratio(published) <= WITHIN


def test_most_estimates_are_nearer_than_that():
    near = [1 / 1.7 <= ratio(published) <= 1.7 for published in PUBLISHED]
    assert (len(near), sum(near)) == (43, 40)


@pytest.mark.parametrize(
    ("device", "precision"),
    sorted({(p.device, p.precision) for p in PUBLISHED}),
)
def test_a_sustained_rate_is_the_mean_of_its_published_times(device, precision):
    rates = [
        1000 * p.operations / p.ms_here for p in PUBLISHED if (p.device, p.precision) == (device, precision)
    ]
    mean = exp(sum(map(log, rates)) / len(rates))
    assert device_of(device).macs_per_s(precision) == pytest.approx(mean, rel=0.03)
    assert f"{len(rates)} " in device_of(device).sources[f"{precision}_macs_per_s"]


def test_gemma_3_1b_on_a_phone():
    phone = device_of("phone")
    decode = roofline(1.0e9, 529e6, phone, "int4")
    assert decode.bound == "memory"
    assert 1000 / decode.ms == pytest.approx(43.6, rel=0.02)
    assert 1000 / roofline(1.0e9, 0, phone, "int4").ms == pytest.approx(243)


def test_the_longer_of_operations_and_weights_counts():
    pi5 = device_of("pi5")
    found = roofline(122e9, 9e9, pi5, "int8")
    assert (found.compute_ms, found.memory_ms, found.bound) == (1000, 1000, "compute")
    assert roofline(122e9, 18e9, pi5, "int8").ms == 2000
    assert roofline(122e9, 18e9, pi5, "int8").range_ms == (1000, 4000)
    assert roofline(0, 0, pi5, "int8").ms == 0


def test_a_mixture_of_experts_reads_its_active_parameters():
    pi5 = device_of("pi5")
    dense, sparse = model(8 * 10**9, 10**9), model(8 * 10**9, 10**9, 10**9)
    assert estimate(dense, pi5, "int4").memory_ms == pytest.approx(500)
    assert estimate(sparse, pi5, "int4").memory_ms == pytest.approx(62.5)


def test_without_operations_there_is_no_estimate():
    assert estimate(model(10**6, None), device_of("pi5"), "int8") is None
    assert latency_ms(model(10**6, None), device_of("pi5"), "int8") is None


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="fp64"):
        latency_ms(model(10**6, 10**6), DEVICES["pi4"], "fp64")


def test_energy_is_watts_by_time():
    assert energy_wh(3_600_000, device_of("pi5")) == pytest.approx(8.0)
    assert energy_wh(0, device_of("pi5")) == 0
