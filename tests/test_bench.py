import itertools

import pytest
from msgspec.structs import replace

from edgekit.bench import bench, percentiles
from edgekit.errors import BundleError


def test_percentiles_interpolate():
    assert percentiles([float(i) for i in range(101)]) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


def test_a_steady_clock_gives_steady_figures(tiny_bundle):
    ticks = itertools.count(0, 1_000_000)  # each look at the clock is a millisecond later
    advanced = []
    result = bench(tiny_bundle(), runs=5, now_ns=lambda: next(ticks), advance=lambda: advanced.append(1))
    assert len(advanced) == 5
    assert result.samples_ms["pre"] == [1.0] * 5
    assert result.samples_ms["infer"] == [1.0] * 5
    assert result.samples_ms["bare"] == [1.0] * 5
    assert result.samples_ms["total"] == [7.0] * 5  # three stages of two looks each, and its own
    assert result.as_json()["latency_ms"]["total"]["p99"] == 7.0


def test_a_variant_without_pictures(tiny_bundle):
    def only_fp16(manifest, members):
        del members["golden/0.int8.bin"]
        return replace(manifest, golden=manifest.golden[1:])

    with pytest.raises(BundleError, match="int8 carries no golden input"):
        bench(tiny_bundle(change=only_fp16))
