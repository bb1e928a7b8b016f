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
