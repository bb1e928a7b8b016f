from __future__ import annotations

import numpy as np
import pytest

from edgekit.deadline import (
    DROP_CAUSES,
    LEAP_NS,
    BareCalls,
    Deadline,
    FrameCounts,
    Freshness,
    NewestWins,
    Rate,
    Schedule,
    clock_leapt,
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
        "dropped": {"newer_frame": 2, "stale": 0, "corrupt": 0, "stopped": 1},
    }
    assert DROP_CAUSES == ("newer_frame", "stale", "corrupt", "stopped")


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
    rate.add(5 * MS)
    assert rate.per_second is None
    for i in range(1, 11):
        rate.add(5 * MS + i * 100 * MS)
    assert rate.count == 11
    assert rate.per_second == 10.0  # 11 stamps, 10 intervals, 1 s


def test_rate_of_stamps_without_span():
    rate = Rate()
    rate.add(7)
    rate.add(7)
    assert rate.per_second is None


def test_an_interval_across_a_leap_of_the_clock_is_none():
    rate = Rate()
    now = 0
    for leap_ns in (0, 0, 0, 3600 * 1000 * MS, 0, -7200 * 1000 * MS, 0):
        now += 100 * MS + leap_ns
        rate.add(now)
    assert rate.count == 7
    assert rate.per_second == 10.0


def test_an_outage_of_minutes_is_part_of_the_span():
    rate = Rate()
    rate.add(0)
    rate.add(LEAP_NS)
    assert rate.per_second == 1000 * MS / LEAP_NS
    rate.add(2 * LEAP_NS + 1)
    assert rate.per_second == 1000 * MS / LEAP_NS


def stages(wait=0.0, pre=0.0, infer=0.0, post=0.0, sink=0.0, between=0.0, capture=0.0):
    parts = {"capture": capture, "wait": wait, "pre": pre, "infer": infer, "post": post, "sink": sink}
    total = wait + pre + infer + post + sink + between
    return {stage: round(ms * MS) for stage, ms in {**parts, "total": total}.items()}


class TestDeadline:
    @pytest.mark.parametrize(
        ("total_ms", "late"), [(99, False), (100, False), (100.000001, True), (250, True)]
    )
    def test_a_result_at_the_limit_is_in_time(self, total_ms, late):
        deadline = Deadline(100 * MS)
        assert (deadline.check(stages(infer=total_ms)) is not None) is late
        assert deadline.misses == int(late)

    def test_without_a_limit_nothing_is_late(self):
        deadline = Deadline(None)
        assert deadline.check(stages(infer=1e9)) is None
        assert deadline.misses == 0

    def test_the_cause_is_the_longest_stage(self):
        deadline = Deadline(100 * MS)
        causes = {"wait": "late_frame", "pre": "slow_pre", "infer": "slow_inference", "post": "slow_post"}
        for stage, cause in {**causes, "sink": "slow_sink"}.items():
            usual = {"wait": 20, "pre": 20, "infer": 20, "post": 20, "sink": 20}
            assert deadline.check(stages(**{**usual, stage: 21})) == cause
        assert deadline.causes == {
            "late_frame": 1,
            "slow_pre": 1,
            "slow_inference": 1,
            "slow_post": 1,
            "slow_sink": 1,
            "clock_leap": 0,
        }
        assert deadline.misses == 5

    @pytest.mark.parametrize(
        "leapt", [stages(wait=-1), stages(infer=-3_600_000), stages(wait=600_001), stages(between=600_001)]
    )
    def test_a_leap_of_the_clock(self, leapt):
        deadline = Deadline(100 * MS)
        assert clock_leapt(leapt)
        assert deadline.check(leapt) == "clock_leap"
        assert (deadline.misses, deadline.leaps) == (1, 1)
        unlimited = Deadline(None)
        assert unlimited.check(leapt) is None
        assert (unlimited.misses, unlimited.leaps) == (0, 1)

    def test_a_camera_that_was_away_is_no_leap(self):
        assert not clock_leapt(stages(capture=86_400_000, infer=5))
        assert not clock_leapt(stages(infer=600_000))


class TestFreshness:
    def fresh(self, **limits):
        freshness = Freshness(**{name: ms * MS for name, ms in limits.items()})
        for cost_ms in (40, 400, 40):  # the median is 40
            freshness.processed(cost_ms * MS)
        return freshness

    def test_a_frame_that_can_no_longer_be_in_time_leaves_its_turn_to_the_next(self):
        assert not self.fresh(limit_ns=60).is_stale(20 * MS, 10 * MS)  # 20 + 40: just in time
        assert self.fresh(limit_ns=60).is_stale(20 * MS + 1, 10 * MS)

    @pytest.mark.parametrize(
        ("next_in_ms", "stale"),
        [(None, False), (41, False), (40, True), (0, True), (-40, True), (-41, False)],
    )
    def test_only_if_the_next_one_comes_before_it_would_be_done(self, next_in_ms, stale):
        next_in_ns = None if next_in_ms is None else next_in_ms * MS
        assert self.fresh(limit_ns=60).is_stale(30 * MS, next_in_ns) is stale

    def test_nothing_is_given_up_where_no_frame_could_be_in_time(self):
        assert not self.fresh(limit_ns=39).is_stale(30 * MS, 10 * MS)
        assert self.fresh(limit_ns=40).is_stale(30 * MS, 10 * MS)

    def test_nor_before_the_cost_is_known(self):
        freshness = Freshness(60 * MS)
        freshness.processed(40 * MS)
        freshness.processed(40 * MS)
        assert freshness.cost_ns is None
        assert not freshness.is_stale(50 * MS, 10 * MS)
        freshness.processed(40 * MS)
        assert freshness.cost_ns == 40 * MS
        assert freshness.is_stale(50 * MS, 10 * MS)
        freshness.forget()
        assert freshness.cost_ns is None

    def test_an_age_limit_holds_whatever_comes_next(self):
        assert not Freshness(max_age_ns=50 * MS).is_stale(50 * MS, None)
        assert Freshness(max_age_ns=50 * MS).is_stale(50 * MS + 1, None)
        assert not Freshness().is_stale(10**15, 0)

    def test_never_two_in_a_row(self):
        freshness = Freshness(max_age_ns=50 * MS)
        seen = []
        for _ in range(6):  # clocks that disagree by an hour: every frame seems old
            stale = freshness.is_stale(3600 * 1000 * MS, 33 * MS)
            seen.append(stale)
            if not stale:
                freshness.processed(40 * MS)
        assert seen == [True, False] * 3

    def test_a_leap_of_the_clock_teaches_nothing_about_costs(self):
        freshness = self.fresh(limit_ns=60)
        for _ in range(15):
            freshness.processed(-5 * MS)
            freshness.processed(LEAP_NS + 1)
        assert freshness.cost_ns == 40 * MS
        assert not freshness.is_stale(-3600 * 1000 * MS, 10 * MS)


def simulate(cost_ms, interval_ms, limit_ms, seconds):
    """A loop over a camera, on a fake clock: ages of results, frames processed and stale."""
    freshness = Freshness(limit_ms * MS)
    now, frame, ages, stale = 0, -1, [], 0
    interval, cost = round(interval_ms * MS), round(cost_ms * MS)
    while now < seconds * 1000 * MS:
        newest = now // interval
        if newest == frame:  # idle: wait for the next
            now = (frame + 1) * interval
            continue
        frame = newest
        arrived = frame * interval
        if freshness.is_stale(now - arrived, (frame + 1) * interval - now):
            stale += 1
            continue
        now += cost
        freshness.processed(cost)
        ages.append((now - arrived) / MS)
    return ages, stale


def test_a_consumer_twice_slower_than_the_camera_lags_by_at_most_one_interval_for_an_hour():
    ages, stale = simulate(cost_ms=70.7, interval_ms=33.3, limit_ms=1000, seconds=3600)
    assert stale == 0
    assert len(ages) == pytest.approx(3600 / 0.0707, rel=0.01)
    assert np.percentile(ages, 99) <= 33.3 + 70.7
    assert max(ages[-1000:]) == pytest.approx(max(ages[:1000]), abs=0.5)


def test_stale_frames_are_given_up_so_that_every_result_is_in_time():
    ages, stale = simulate(cost_ms=70.7, interval_ms=33.3, limit_ms=80, seconds=600)
    assert max(ages[3:]) <= 80
    assert stale > 0
    assert len(ages) > 600 / (0.0707 + 0.0333)  # at worst each result waits for a fresh frame


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
