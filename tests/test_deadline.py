from __future__ import annotations

import pytest

from edgekit.deadline import (
    DROP_CAUSES,
    BareCalls,
    Deadline,
    FrameCounts,
    NewestWins,
    Rate,
    Schedule,
    deadline_verdict,
)

MS = 1_000_000


def test_frame_counts_name_every_cause_and_balance():
    counts = FrameCounts()
    counts.read, counts.processed = 5, 2
    counts.drop("newer_frame")
    counts.drop("newer_frame")
    assert counts.unaccounted == 1
    counts.drop("stopped")
    assert counts.unaccounted == 0
    assert counts.as_json() == {
        "read": 5,
        "processed": 2,
        "dropped": {"newer_frame": 2, "corrupt": 0, "stopped": 1},
    }
    assert DROP_CAUSES == ("newer_frame", "corrupt", "stopped")


def test_newest_wins_keeps_one_and_returns_the_replaced():
    slot: NewestWins[str] = NewestWins()
    assert slot.take() is None
    assert not slot.occupied
    assert slot.offer("a") is None
    assert slot.offer("b") == "a"
    assert slot.occupied
    assert slot.take() == "b"
    assert slot.take() is None


def test_a_schedule_does_not_drift():
    schedule = Schedule(1000, 30.0)
    assert schedule.due_ns(0) == 1000
    assert schedule.due_ns(1) == 1000 + 33_333_333
    assert (
        schedule.due_ns(30 * 3600 * 10) == 1000 + 36_000 * 1_000_000_000
    )  # ten hours later, to the nanosecond


@pytest.mark.parametrize("fps", [0.0, -1.0, float("inf"), float("nan")])
def test_a_schedule_needs_a_frame_rate(fps):
    with pytest.raises(ValueError, match="fps"):
        Schedule(0, fps)


def test_rate_is_intervals_over_span():
    rate = Rate()
    assert rate.per_second is None
    assert rate.interval_ns is None
    rate.add(5 * MS)
    assert rate.per_second is None
    for i in range(1, 11):
        rate.add(5 * MS + i * 100 * MS)
    assert rate.count == 11
    assert rate.per_second == 10.0  # 11 stamps, 10 intervals, 1 s
    assert rate.interval_ns == 100 * MS


def test_rate_of_stamps_without_span():
    rate = Rate()
    rate.add(7)
    rate.add(7)
    assert rate.per_second is None


@pytest.mark.parametrize(("total_ms", "late"), [(99, False), (100, False), (100.000001, True), (250, True)])
def test_a_result_at_the_limit_is_in_time(total_ms, late):
    deadline = Deadline(100 * MS)
    assert deadline.check(round(total_ms * MS)) is late
    assert deadline.misses == int(late)


def test_without_a_limit_nothing_is_late():
    deadline = Deadline(None)
    assert not deadline.check(10**15)
    assert deadline.misses == 0


@pytest.mark.parametrize(
    ("total", "verdict"),
    [(None, "INCONCLUSIVE"), ({"p50": 1.0, "p95": 100.0}, "PASS"), ({"p50": 1.0, "p95": 100.001}, "FAIL")],
)
def test_the_deadline_is_held_by_p95(total, verdict):
    assert deadline_verdict(total, 100.0) == verdict


class TestBareCalls:
    def test_half_way_through_a_long_pause(self):
        assert BareCalls(cost_ns=5 * MS).plan(10 * MS, 90 * MS, waiting=False) == 50 * MS

    def test_earlier_where_half_way_would_not_fit(self):
        assert BareCalls(cost_ns=5 * MS).plan(10 * MS, 24 * MS, waiting=False) == 14 * MS

    def test_just_fits(self):
        assert BareCalls(cost_ns=5 * MS).plan(10 * MS, 20 * MS, waiting=False) == 10 * MS
        assert BareCalls(cost_ns=5 * MS).plan(10 * MS, 20 * MS - 1, waiting=False) is None

    @pytest.mark.parametrize(
        ("cost_ns", "due_ns", "waiting"),
        [(0, 90 * MS, False), (5 * MS, None, False), (5 * MS, 90 * MS, True), (5 * MS, 0, False)],
    )
    def test_not_without_a_known_pause(self, cost_ns, due_ns, waiting):
        assert BareCalls(cost_ns=cost_ns).plan(10 * MS, due_ns, waiting) is None

    def test_at_the_latest_every_sixteenth_frame(self):
        bare = BareCalls()
        plans = []
        for frame in range(48):
            plan = bare.plan(frame, None, waiting=True)
            if plan is not None:
                plans.append(frame)
                bare.done(3 * MS)
        assert plans == [15, 31, 47]

    def test_one_disturbed_call_does_not_stop_the_measurement(self):
        bare = BareCalls(cost_ns=400 * MS)
        bare.done(5 * MS)
        assert bare.cost_ns == 5 * MS
        bare.done(50 * MS)
        assert bare.cost_ns == 5 * MS
        bare.done(40 * MS)
        assert bare.cost_ns == 40 * MS
