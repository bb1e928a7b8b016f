from __future__ import annotations

import pytest

from edgekit.ledger import STAGES
from edgekit.timeline import Timeline

MS = 1_000_000


def times(total_ms):
    return dict.fromkeys(STAGES, MS) | {"total": total_ms * MS}


def test_means_worst_and_misses_of_each_step():
    timeline = Timeline(100 * MS, 10, "forget")
    for at_ms, total_ms in ((0, 10), (99, 30), (250, 7)):
        timeline.add(at_ms * MS, times(total_ms), missed=total_ms > 20)
    got = timeline.as_json()
    assert got["step_ms"] == 100
    assert got["at_ms"] == [0, 200]
    assert got["n"] == [2, 1]
    assert got["misses"] == [1, 0]
    assert got["worst_ms"] == [30, 7]
    assert got["mean_ms"]["total"] == [20, 7]
    assert got["mean_ms"]["pre"] == [1, 1]
    assert got["until_ms"] == 300


def test_nothing_yet():
    assert Timeline(1, 2, "widen").as_json()["n"] == []
    assert Timeline(1, 2, "widen").as_json(5 * MS)["until_ms"] == 5


def test_a_window_forgets_its_oldest_steps():
    timeline = Timeline(10, 3, "forget")
    for at in range(0, 100, 10):
        timeline.add(at, times(1), False)
    assert [step.slot for step in timeline.steps] == [7, 8, 9]
    timeline.add(10_000, times(1), False)
    assert [step.slot for step in timeline.steps] == [1000]


def test_a_whole_run_widens_its_steps_and_loses_no_result():
    timeline = Timeline(10, 4, "widen")
    for at in range(0, 1000, 10):
        timeline.add(at, times(at), missed=at >= 990)
    assert timeline.width_ns == 320
    assert sum(step.n for step in timeline.steps) == 100
    assert sum(step.misses for step in timeline.steps) == 1
    assert [step.slot for step in timeline.steps] == [0, 1, 2, 3]
    assert timeline.steps[-1].worst_ns == 990 * MS


@pytest.mark.parametrize("when_full", ["forget", "widen"])
def test_steps_that_were_given_stay_as_they_were(when_full):
    timeline = Timeline(10, 2, when_full)
    timeline.add(5, times(1), False)
    before = timeline.steps
    for at in (7, 15, 99):
        timeline.add(at, times(9), True)
    assert [(step.slot, step.n, step.misses, step.worst_ns) for step in before] == [(0, 1, 0, MS)]
    assert before[0].sums_ns == [MS] * len(STAGES)


def test_a_result_from_before_the_newest_step_counts_for_that():
    timeline = Timeline(10, 4, "forget")
    timeline.add(25, times(1), False)
    timeline.add(3, times(1), False)
    assert [(step.slot, step.n) for step in timeline.steps] == [(2, 2)]


@pytest.mark.parametrize(("width_ns", "limit"), [(0, 5), (5, 1)])
def test_impossible_sizes(width_ns, limit):
    with pytest.raises(ValueError, match="expected a width above 0 and a limit above 1"):
        Timeline(width_ns, limit, "forget")
