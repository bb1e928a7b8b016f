"""The allocation against every possible one."""

import itertools
import subprocess
import sys

import numpy as np
import pytest

from edgekit_export.budget.knapsack import Option, allocate


def brute_force(layers, max_bytes, max_latency_ms):
    """Least noise of all combinations that fit; ``None`` if none does."""
    best = None
    for picked in itertools.product(*layers):
        fits = sum(o.bytes for o in picked) <= max_bytes
        if max_latency_ms is not None:
            fits &= sum(o.latency_ms for o in picked) <= max_latency_ms
        noise = sum(o.noise for o in picked)
        if fits and (best is None or noise < best):
            best = noise
    return best


def instance(seed):
    """Two to six layers of one to six options: bytes of real layers, noise over eight powers of ten."""
    rng = np.random.default_rng(seed)
    layers = [
        [
            Option(
                int(rng.integers(1, 2_000_000)), float(10 ** rng.uniform(-9, -1)), float(rng.integers(1, 50))
            )
            for _ in range(rng.integers(1, 7))
        ]
        for _ in range(rng.integers(2, 7))
    ]
    low = sum(min(o.bytes for o in options) for options in layers)
    high = sum(max(o.bytes for o in options) for options in layers)
    latency = None if seed % 2 else float(rng.integers(10, 200))
    return layers, int(low + rng.uniform(-0.1, 1.1) * (high - low)), latency


@pytest.mark.parametrize("seed", range(200))
def test_equals_brute_force(seed):
    layers, max_bytes, max_latency_ms = instance(seed)
    best = brute_force(layers, max_bytes, max_latency_ms)
    found = allocate(layers, max_bytes, max_latency_ms)
    assert (found is None) == (best is None)
    if found is None:
        return
    picked = [options[j] for options, j in zip(layers, found, strict=True)]
    assert sum(o.bytes for o in picked) <= max_bytes
    assert max_latency_ms is None or sum(o.latency_ms for o in picked) <= max_latency_ms
    assert sum(o.noise for o in picked) == pytest.approx(best, rel=1e-5)


def test_to_the_byte():
    layers = [[Option(4_000_001, 0.0), Option(3, 1.0)], [Option(1_000_000, 0.0), Option(1, 1e-9)]]
    assert allocate(layers, 5_000_001) == (0, 0)
    assert allocate(layers, 5_000_000) == (0, 1)
    assert allocate(layers, 4) == (1, 1)
    assert allocate(layers, 3) is None


def test_a_sum_of_times_that_is_over_by_its_last_bit():
    """0.1 + 0.2 > 0.3"""
    layers = [[Option(1, 1.0, 0.1), Option(1, 2.0, 0.05)], [Option(1, 1.0, 0.2), Option(1, 3.0, 0.1)]]
    assert allocate(layers, 2, 0.3) == (1, 0)
    assert allocate(layers, 2, 0.30000000000000004) == (0, 0)


def test_no_layers_and_no_noise():
    assert allocate([], 0) == ()
    assert allocate([[Option(1, 0.0), Option(2, 0.0)]], 2) == (0,)


def test_a_network_of_true_size_is_solved_within_its_limit():
    rng = np.random.default_rng(0)
    sizes = (10 ** rng.uniform(2.5, 6, 60)).astype(int)
    layers = [
        [Option(int(size * bits / 8) + 800, float(rng.uniform(0.5, 2)) * 4.0**-bits) for bits in range(4, 15)]
        for size in sizes
    ]
    limit = int(sizes.sum())
    found = allocate(layers, limit)
    picked = [options[j] for options, j in zip(layers, found, strict=True)]
    assert 0.9999 * limit < sum(o.bytes for o in picked) <= limit
    even = sum(options[4].noise for options in layers)
    assert sum(o.noise for o in picked) < even / 2


LOUD = """
import numpy as np
from edgekit_export.budget.knapsack import Option, allocate
print("before")
for seed in (8, 9):
    rng = np.random.default_rng(seed)
    sizes = (10 ** rng.uniform(2.5, 6, 60)).astype(int)
    layers = [
        [Option(int(s * b / 8) + 800, float(10 ** rng.uniform(-3, 0)) * 4.0**-b) for b in (*range(4, 15), 16)]
        + [Option(int(s) * 4, 0.0)]
        for s in sizes
    ]
    assert allocate(layers, int(sizes.sum() * rng.uniform(0.6, 1.6)))
print("after")
"""
"""Instances on which HiGHS prints by itself."""


def test_nothing_else_is_printed():
    """In a process of its own: what C prints stands in a buffer until it ends."""
    done = subprocess.run([sys.executable, "-c", LOUD], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["before", "after"]
