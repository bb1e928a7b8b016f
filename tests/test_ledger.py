from __future__ import annotations

import numpy as np
import pytest

from edgekit.ledger import STAGES, Durations, Ledger, _bucket_of, _bucket_of_one

MS = 1_000_000


def test_known_durations_give_exact_quantiles():
    durations = Durations()
    for value in [100, 1, 50, *range(2, 50), *range(51, 100)]:  # 1 to 100 ms, out of order
        durations.add(value * MS)
    assert durations.count == 100
    assert durations.exact
    assert durations.as_ms() == {"p50": 50.5, "p95": 95.05, "p99": 99.01}
    assert durations.quantile_ns(0) == MS
    assert durations.quantile_ns(1) == 100 * MS


def test_one_duration_is_every_quantile():
    durations = Durations()
    durations.add(1_234_567)
    assert durations.as_ms() == {"p50": 1.235, "p95": 1.235, "p99": 1.235}


def test_exact_up_to_the_limit_and_not_beyond():
    durations = Durations(exact_limit=10)
    for _ in range(10):
        durations.add(7 * MS)
    assert durations.exact
    assert durations.quantile_ns(0.5) == 7 * MS
    durations.add(7 * MS)
    assert not durations.exact
    assert durations.quantile_ns(0.5) == pytest.approx(7 * MS, rel=0.003)


@pytest.mark.parametrize("spread", [0.1, 1.0, 3.0])
def test_histogram_agrees_with_numpy_within_its_resolution(spread):
    values = np.random.default_rng(7).lognormal(np.log(5e6), spread, 20_000).astype(np.int64)
    durations = Durations(exact_limit=100)
    for value in values:
        durations.add(int(value))
    for q in (0.01, 0.5, 0.95, 0.99):
        assert durations.quantile_ns(q) == pytest.approx(np.quantile(values, q), rel=0.006)


def test_memory_stays_what_it_is():
    durations = Durations(exact_limit=4)
    for i in range(1000):
        durations.add(i)
    assert durations._exact is None
    assert durations._buckets.nbytes == 5376 * 8
    assert durations._buckets.sum() == 1000


@pytest.mark.parametrize(("value", "expected"), [(-5, 0.0), (0, 0.0), (1, 0.0), (2**60, 2**42)])
def test_values_beyond_the_range_count_at_its_ends(value, expected):
    durations = Durations(exact_limit=1)
    for _ in range(3):
        durations.add(value)
    assert durations.quantile_ns(0.5) == pytest.approx(expected, rel=0.003)


def test_a_clock_that_goes_back_counts_as_nothing():
    durations = Durations()
    durations.add(-5)
    assert durations.quantile_ns(0.5) == 0


@pytest.mark.parametrize("q", [-0.1, 1.1])
def test_quantile_out_of_range(q):
    durations = Durations()
    durations.add(1)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        durations.quantile_ns(q)


def test_quantile_of_nothing():
    with pytest.raises(ValueError, match="0 durations"):
        Durations().quantile_ns(0.5)


def test_a_limit_of_nothing():
    with pytest.raises(ValueError, match="exact_limit"):
        Durations(exact_limit=0)


def test_ledger_reports_every_stage_and_null_where_nothing_was_measured():
    ledger = Ledger()
    ledger.add({"wait": 2 * MS, "total": 9 * MS})
    ledger.add({"wait": 4 * MS, "total": 11 * MS})
    latency = ledger.latency_ms()
    assert tuple(latency) == STAGES == ("capture", "wait", "pre", "infer", "post", "sink", "total")
    assert latency["wait"] == {"p50": 3.0, "p95": 3.9, "p99": 3.98}
    assert latency["infer"] is None
    assert ledger.stage("total").count == 2
    assert ledger.bare_ms() is None
    ledger.bare.add(5 * MS)
    assert ledger.bare_ms() == {"p50": 5.0, "p95": 5.0, "p99": 5.0, "n": 1}


def test_one_duration_falls_where_many_do():
    durations = [-5, 0, 1, 2, 3, 1000, 12_345_678, 10**9, 2**41 + 1, 2**60]
    assert [_bucket_of_one(ns) for ns in durations] == _bucket_of(durations).tolist()
