"""The written file decides: no trial is over its size, whatever the tables thought."""

from dataclasses import dataclass

import numpy as np
import pytest

from edgekit_export.budget.allocation import Tables
from edgekit_export.budget.knapsack import Option
from edgekit_export.budget.table import CHOICES, LayerTable
from edgekit_export.budget.trials import BundleTrials
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode


def tables(seed=0, layers=12):
    rng = np.random.default_rng(seed)
    options = {}
    for i, size in enumerate((10 ** rng.uniform(3, 5, layers)).astype(int)):
        bits = {**WEIGHT_BITS, Mode.HALF: 16, Mode.FLOAT: 32}
        noise = {mode: 0.0 if mode is Mode.FLOAT else 4.0 ** -bits[mode] for mode in CHOICES}
        options[f"conv{i}"] = {mode: Option(int(size * bits[mode] // 8), noise[mode]) for mode in CHOICES}
    return Tables({"model": LayerTable(1000, 1, options)})


@dataclass(frozen=True)
class Written:
    modes: dict
    evaluation: object = None


class Shop:
    """Bundles that take ``share`` more than the tables say, ``overhead`` bytes besides, and 900 once measured."""

    samples = 100

    def __init__(self, tables, share, overhead):
        self.tables, self.share, self.overhead = tables, share, overhead
        self.made = []
        self.judged = []

    def make(self, modes):
        self.made.append(modes)
        return Written(modes)

    def size(self, candidate):
        known = self.tables.graphs["model"].bytes_of(candidate.modes["model"])
        return int(known * (1 + self.share)) + self.overhead + 900 * (candidate.evaluation is not None)

    def judge(self, candidate, *, final):
        self.judged.append((candidate.modes, final))
        return "measured"


@pytest.mark.parametrize("share", [-0.02, 0.0, 0.004, 0.05])
@pytest.mark.parametrize("overhead", [0, 60_000])
def test_the_cap_is_never_exceeded_and_well_used(share, overhead):
    known = tables()
    shop = Shop(known, share, overhead)
    trials = BundleTrials(known, shop)
    for size in np.linspace(trials.smallest_bytes * 1.05, trials.largest_bytes, 7).astype(int):
        trial = trials.at(int(size), final=True)
        assert 0.985 * size < trial.bytes <= size
        assert trial.bytes == shop.size(trial.candidate)
        assert shop.judged[-1] == (trial.allocation.modes, True)
    assert len(shop.made) <= 1 + 7 * 6


def test_too_small_for_any():
    known = tables()
    trials = BundleTrials(known, Shop(known, 0.0, 5000))
    assert trials.at(trials.smallest_bytes - 1) is None
    assert trials.at(trials.smallest_bytes) is None  # 900 bytes more, once it is measured
    assert trials.at(trials.smallest_bytes).bytes == trials.smallest_bytes


def test_what_another_replaced_is_written_again():
    known = tables()
    shop = Shop(known, 0.0, 0)
    trials = BundleTrials(known, shop)
    first = trials.at(trials.largest_bytes)
    before = len(shop.made)
    assert trials.again(first).modes == first.allocation.modes
    assert len(shop.made) == before
    trials.at(trials.smallest_bytes)
    before = len(shop.made)
    assert trials.again(first).modes == first.allocation.modes
    assert len(shop.made) == before + 1


def timed_tables():
    """Ten layers that take 4 ms in float and 1 in codes, and more noise the later they are."""
    options = {}
    for i in range(10):
        floats = {mode: Option(1000 * bits, 4.0**-bits, 4.0) for mode, bits in WEIGHT_BITS.items()}
        options[f"conv{i}"] = {**floats, Mode.INT8: Option(8000, 1e-3 * (i + 1), 1.0)}
    return Tables({"model": LayerTable(1000, 1, options, fixed_ms=2.0)})


class Timed(Shop):
    """Takes 0.5 ms more wherever codes begin, which the tables do not know."""

    def time(self, candidate):
        modes = [mode is Mode.INT8 for mode in candidate.modes["model"].values()]
        starts = sum(now and not before for before, now in zip([False, *modes], modes, strict=False))
        return candidate, self.tables.graphs["model"].ms_of(candidate.modes["model"]) + 0.5 * starts


@pytest.mark.parametrize("max_ms", [12.4, 12.5, 20.0, 30.0, 42.0])
def test_no_trial_is_over_its_time(max_ms):
    known = timed_tables()
    shop = Timed(known, 0.0, 500)
    trials = BundleTrials(known, shop, max_ms)
    trial = trials.at(trials.largest_bytes)
    assert trials.least_ms == (42.0 if max_ms == 42.0 else pytest.approx(trials.least_ms))
    assert len(shop.made) <= 1 + 6
    if max_ms < 12.5:
        assert trial is None
        assert trials.least_ms == 12.5
        assert not shop.judged
        return
    codes = [name for name, mode in trial.allocation.modes["model"].items() if mode is Mode.INT8]
    ms = shop.time(trial.candidate)[1]
    assert max_ms - 3.5 < ms <= max_ms
    assert codes == [f"conv{i}" for i in range(len(codes))]


def test_time_and_size_hold_together():
    known = timed_tables()
    shop = Timed(known, 0.01, 500)
    trials = BundleTrials(known, shop, 25.0)
    trial = trials.at(90_000)
    assert trial.bytes <= 90_000
    assert shop.time(trial.candidate)[1] <= 25.0
    assert trials.at(trials.smallest_bytes) is None  # codes are larger than the fewest bits
