"""The search, on bundles whose drop is known."""

from types import SimpleNamespace

import pytest

from edgekit_export.budget.search import NEAR, Trial, relaxation, search


def evaluation(drop, half, limit):
    upper = drop + half
    return SimpleNamespace(
        drop=drop,
        interval=(drop - half, upper),
        n=100,
        confidence=0.95,
        max_drop=limit,
        holds=limit is None or upper <= limit,
    )


class Known:
    """A drop of ``20 · 2^(−bytes / 100,000)`` points, give or take 0.1; nothing below 200,000 bytes."""

    def __init__(self, limit):
        self.limit = limit
        self.asked = []

    def at(self, max_bytes, *, final=False):
        self.asked.append((max_bytes, final))
        if max_bytes < 200_000:
            return None
        drop = 20 * 2 ** (-max_bytes / 100_000)
        found = None if self.limit is None else evaluation(drop, 0.1, self.limit)
        return Trial(None, SimpleNamespace(evaluation=found), max_bytes, 100)


def test_what_fits_and_holds_is_chosen_at_once():
    known = Known(2.0)
    found = search(known, 200_000, 1_600_000, 400_000, gated=True)
    assert known.asked == [(400_000, True)]
    assert found.chosen.bytes == 400_000
    assert len(found.trials) == 1


@pytest.mark.parametrize("max_size", [100_000, 250_000, None])
def test_the_smallest_that_holds_again_is_found(max_size):
    """20 · 2^(−b / 100,000) + 2.2 · 0.1 ≤ 2 from 349,000 bytes on."""
    known = Known(2.0)
    found = search(known, 200_000, 1_600_000, max_size, gated=True)
    assert 349_000 <= found.smallest.bytes <= 349_000 * 1.07
    assert found.smallest.holds_again
    assert found.chosen is (found.smallest if max_size is None else None)
    assert len(known.asked) <= 8


def test_no_size_holds():
    found = search(Known(0.01), 200_000, 1_600_000, 300_000, gated=True)
    assert (found.chosen, found.smallest) == (None, None)
    assert [trial.bytes for trial in found.trials] == [300_000, 1_600_000]


def test_without_a_gate_the_smallest_is_the_smallest_there_is():
    found = search(Known(None), 200_000, 1_600_000, 100_000, gated=False)
    assert found.chosen is None
    assert found.smallest.bytes == 200_000


def test_near_sizes_are_not_told_apart():
    known = Known(0.100307)
    search(known, 1_599_000, 1_600_000, 1_598_000, gated=True)
    assert known.asked == [(1_598_000, True), (1_600_000, False), (1_600_000, True)]
    assert NEAR == 1.02


@pytest.mark.parametrize(
    ("drop", "half", "holds", "again"),
    [(0.5, 1.4, True, False), (0.5, 0.6, True, True), (1.9, 0.2, False, False), (-0.2, 1.0, True, True)],
)
def test_room_for_other_samples(drop, half, holds, again):
    trial = Trial(None, SimpleNamespace(evaluation=evaluation(drop, half, 2.0)), 1, 100)
    assert (trial.holds, trial.holds_again) == (holds, again)


def test_a_verdict_that_was_clear_early_is_taken_for_all_samples():
    """With a quarter of the samples, or at 99.99 % confidence, the interval is twice as wide."""
    sure = evaluation(0.0, 1.8, 2.0)
    sure.confidence = 0.9999
    assert Trial(None, SimpleNamespace(evaluation=sure), 1, 100).holds_again
    assert Trial(None, SimpleNamespace(evaluation=evaluation(0.0, 1.8, 2.0)), 1, 400).holds_again
    assert not Trial(None, SimpleNamespace(evaluation=evaluation(0.0, 1.8, 2.0)), 1, 100).holds_again


class Lucky(Known):
    """Early looks see half the drop below 400,000 bytes."""

    def at(self, max_bytes, *, final=False):
        trial = super().at(max_bytes, final=final)
        if trial is not None and not final and max_bytes < 400_000:
            trial.candidate.evaluation = evaluation(trial.evaluation.drop / 2, 0.05, self.limit)
        return trial


def test_luck_is_found_out_on_all_data():
    """Seen early, 300,000 bytes seem to do; 349,000 are needed."""
    bundles = Lucky(2.0)
    found = search(bundles, 200_000, 1_600_000, 220_000, gated=True)
    assert found.smallest.bytes >= 349_000
    assert any(not final and 250_000 < size < 349_000 for size, final in bundles.asked)
    assert (found.smallest.bytes, True) in bundles.asked


def test_where_nothing_can_be_narrower_it_is_tried_once():
    found = search(Known(2.0), 500_000, 500_000, None, gated=True)
    assert [trial.bytes for trial in found.trials] == [500_000]


@pytest.mark.parametrize(("known", "named"), [(900_000, 349_000), (340_000, 340_000)])
def test_what_is_known_to_hold_bounds_the_search(known, named):
    bundles = Known(2.0)
    found = search(bundles, 200_000, 1_600_000, 250_000, gated=True, known_bytes=known)
    assert named <= found.smallest_bytes <= named * 1.07
    assert max(size for size, _ in bundles.asked) < known


@pytest.mark.parametrize(
    ("asked", "possible", "said"),
    [
        ((1_000_000, 2.0), (1_200_000, 3.0), "--max-size 1200000"),
        ((1_000_000, 2.0), (3_000_000, 3.0), "--max-drop 3.01%"),
        ((1_000_000, 2.0), (None, 3.0), "--max-drop 3.01%"),
        ((1_000_000, None), (1_100_000, None), "--max-size 1100000"),
        ((1_000_000, 0.0), (9_000_000, 0.5), "--max-size 9000000"),
        ((1_000_000, 2.0), (None, None), ""),
    ],
)
def test_the_cheapest_relaxation(asked, possible, said):
    assert relaxation(*asked, *possible) == said
