from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgekit.ladder import Heat, Ladder, LadderSettings, choose_rungs

MS, S = 1_000_000, 1_000_000_000
COSTS = (60 * MS, 30 * MS, 15 * MS)
COOL = Heat(50.0, 80.0)
WARM = Heat(72.0, 80.0)  # neither hot (77) nor cool (70)
HOT = Heat(77.0, 80.0)


class TestHeat:
    @pytest.mark.parametrize(
        ("celsius", "hot", "cool"),
        [
            (69.9, False, True),
            (70.0, False, False),
            (76.9, False, False),
            (77.0, True, False),
            (95.0, True, False),
        ],
    )
    def test_between_hot_and_cool_it_is_neither(self, celsius, hot, cool):
        heat = Heat(celsius, 80.0)
        assert (heat.hot, heat.cool) == (hot, cool)

    def test_a_throttled_processor_is_hot_at_any_temperature(self):
        heat = Heat(40.0, 80.0, "frequency capped")
        assert heat.hot
        assert not heat.cool
        assert str(heat) == "frequency capped, 40 °C of 80"

    def test_what_is_unknown_is_no_reason(self):
        assert (Heat().hot, Heat().cool, str(Heat())) == (False, True, "")


class TestChooseRungs:
    def test_most_costly_first(self):
        assert choose_rungs([10, 40, 20], [3.0, 0.0, 1.0]) == [1, 2, 0]

    def test_what_another_beats_in_both_is_left_out(self):
        assert choose_rungs([10, 40, 20], [1.0, 1.0, 2.0]) == [0]
        assert choose_rungs([10, 40, 20], [1.0, 0.5, 2.0]) == [1, 0]

    def test_an_unknown_drop_stays_where_its_time_places_it(self):
        assert choose_rungs([10, 40, 20], [1.0, None, 2.0]) == [1, 0]
        assert choose_rungs([10, 40], [None, 3.0]) == [1, 0]

    def test_a_gain_of_less_than_a_twentieth_is_none(self):
        assert choose_rungs([100, 105], [1.0, 1.0]) == [0]
        assert choose_rungs([100, 105], [1.0, 0.5]) == [1]  # as fast, and better
        assert choose_rungs([100, 106], [1.0, 0.5]) == [1, 0]
        assert choose_rungs([100, 105], [None, None]) == [0]

    def test_one_is_its_own_ladder(self):
        assert choose_rungs([5], [None]) == [0]
        assert choose_rungs([], []) == []


def ladder(limit_ms=100, costs=COSTS, **changes):
    limit_ns = None if limit_ms is None else limit_ms * MS
    return Ladder(costs, LadderSettings(limit_ns, **changes), 0)


def feed(on, frames, late=0, task_ms=None):
    """``late`` of ``frames`` results are late, the first ones."""
    for index in range(frames):
        on.frame(round((task_ms or on.costs_ns[on.rung] / MS) * MS), MS, index < late)


class TestStart:
    @pytest.mark.parametrize(("limit_ms", "rung"), [(75, 0), (74, 1), (38, 1), (37, 2), (1, 2), (None, 0)])
    def test_at_the_most_accurate_rung_that_is_predicted_to_hold_the_deadline(self, limit_ms, rung):
        assert ladder(limit_ms).rung == rung

    def test_there_must_be_one(self):
        with pytest.raises(ValueError, match="at least one rung"):
            ladder(costs=())


class TestDown:
    def test_on_the_eighth_late_frame_of_twenty_and_not_before(self):
        on = ladder()
        feed(on, 20, late=7)
        assert on.decide(60 * S, COOL) is None
        feed(on, 12)
        assert on.decide(60 * S, COOL) is None
        feed(on, 8, late=8)
        step = on.decide(60 * S, COOL)
        assert (step.to, step.why) == (1, "late: 8 of 20 frames")

    def test_not_sooner_than_two_seconds_after_the_last_step(self):
        on = ladder()
        feed(on, 8, late=8)
        assert on.decide(2 * S - 1, COOL) is None
        assert on.decide(2 * S, COOL).to == 1

    def test_a_step_starts_counting_anew(self):
        on = ladder()
        feed(on, 20, late=20)
        on.stepped(1, 5 * S, COOL)
        assert on.decide(60 * S, COOL) is None
        feed(on, 7, late=7)
        assert on.decide(60 * S, COOL) is None

    def test_heat_leads_down_after_fifteen_seconds(self):
        on = ladder()
        assert on.decide(15 * S - 1, HOT) is None
        step = on.decide(15 * S, HOT)
        assert (step.to, step.why) == (1, "hot: 77 °C of 80")

    def test_and_on_only_if_the_step_did_not_help(self):
        on = ladder()
        on.stepped(1, 0, Heat(79.0, 80.0))
        assert on.decide(15 * S, Heat(78.0, 80.0)) is None  # a degree colder
        assert on.decide(15 * S, Heat(78.1, 80.0)).to == 2
        throttled = Heat(78.0, 80.0, "clock limited to 1000 of 2400 MHz")
        step = on.decide(15 * S, throttled)
        assert (step.to, step.why) == (2, "hot: clock limited to 1000 of 2400 MHz, 78 °C of 80")

    def test_below_the_last_rung_there_is_nothing(self):
        on = ladder()
        on.stepped(2, 0, HOT)
        feed(on, 20, late=20)
        assert on.decide(3600 * S, HOT) is None


class TestUp:
    def down(self, limit_ms=100, **changes):
        on = ladder(limit_ms, **changes)
        on.stepped(1, 0, COOL)
        feed(on, 20)
        return on

    def test_after_ten_calm_and_cool_seconds(self):
        on = self.down()
        assert on.decide(10 * S - 1, COOL) is None
        step = on.decide(10 * S, COOL)
        assert (step.to, step.why) == (0, "calm for 10 s, 61.0 ms predicted, 50 °C of 80")

    @pytest.mark.parametrize("heat", [WARM, HOT, Heat(50.0, 80.0, "throttled")])
    def test_it_must_be_cool_all_the_while(self, heat):
        on = self.down()
        on.decide(9 * S, heat)
        assert on.decide(19 * S - 1, COOL) is None
        assert on.decide(19 * S, COOL).to == 0

    def test_and_calm(self):
        on = self.down()
        feed(on, 3, late=3)
        assert on.decide(10 * S, COOL) is None
        feed(on, 18)
        assert on.decide(11 * S, COOL) is None  # two late ones in the window: calm from here on
        assert on.decide(20 * S, COOL).to == 0

    def test_not_where_the_rung_above_is_predicted_to_be_too_slow(self):
        on = self.down(limit_ms=76)
        assert on.decide(10 * S, COOL) is None  # 61 of 76 is more than four fifths
        assert self.down(limit_ms=77).decide(10 * S, COOL).to == 0

    def test_nor_before_its_own_time_is_known(self):
        on = ladder()
        on.stepped(1, 0, COOL)
        feed(on, 19)
        assert on.decide(3600 * S, COOL) is None

    def test_without_a_deadline_coolness_is_enough(self):
        on = ladder(None)
        on.stepped(1, 0, HOT)
        step = on.decide(10 * S, COOL)
        assert (step.to, step.why) == (0, "cool for 10 s, 50 °C of 80")

    def test_each_failed_climb_doubles_the_wait(self):
        on = self.down()
        waits, now = [], 0
        for _ in range(8):
            waits.append(on.climb_wait_ns(0) // S)
            on.stepped(0, now, COOL)
            on.stepped(1, now + 60 * S, COOL)
            now += 120 * S
        assert waits == [10, 20, 40, 80, 160, 320, 600, 600]

    def test_a_climb_that_held_is_forgiven(self):
        on = self.down()
        for held_s, wait_s in [(1, 20), (599, 40), (600, 10)]:
            on.stepped(0, 0, COOL)
            on.stepped(1, held_s * S, COOL)
            assert on.climb_wait_ns(0) == wait_s * S

    def test_the_ratio_of_two_rungs_is_learned_from_a_climb(self):
        on = self.down()  # 30 ms here, twice that above, as measured before the start
        on.stepped(0, 10 * S, COOL)
        feed(on, 20, task_ms=72)  # 2.4 times in truth
        on.stepped(1, 700 * S, COOL)
        feed(on, 20, task_ms=30)
        assert on.decide(710 * S, COOL).why.startswith("calm for 10 s, 67.0 ms predicted")  # 30 * 2.2 + 1

    def test_what_is_learned_has_bounds(self):
        on = self.down()
        on.stepped(0, 10 * S, COOL)
        feed(on, 20, task_ms=30_000)
        on.stepped(1, 700 * S, COOL)
        feed(on, 20, task_ms=30)
        assert on.decide(710 * S, COOL).why.startswith(
            "calm for 10 s, 76.0 ms"
        )  # (2 + 3) / 2, and 1 ms for sinks

    def test_a_rung_that_does_not_load_is_passed_over(self):
        on = ladder()
        on.stepped(2, 0, COOL)
        on.lose(1)
        feed(on, 20)
        assert on.decide(10 * S, COOL).to == 0
        on.lose(0)
        assert on.decide(10 * S, COOL) is None
        on.stepped(0, 0, COOL)
        feed(on, 20, late=20)
        assert on.decide(60 * S, COOL).to == 2


def test_a_clock_that_leaps_back_does_not_hold_the_ladder_for_ever():
    on = Ladder(COSTS, LadderSettings(100 * MS), 3600 * S)
    feed(on, 20, late=20)
    assert on.decide(0, COOL) is None
    assert on.decide(2 * S, COOL).to == 1


# ------------------------------------------------------------------------------------------ a simulated machine

QUICK = {"climb_most_ns": 120 * S, "trial_ns": 120 * S}
"""The same policy with less patience, so that a simulation shows an hour's worth of steps in minutes."""


@dataclass
class Plant:
    """A board that heats by its work, slows down at its limit, and runs other things as well.

    Temperature goes towards ambient plus ``heating_c`` at full work, with the time constant ``tau_s``.
    """

    ladder: Ladder
    fps: float = 6.0
    heating_c: float = 60.0
    tau_s: float = 40.0
    limit_c: float = 80.0
    ambient: object = staticmethod(lambda s: 25.0)
    load: object = staticmethod(lambda s: 1.0)
    load_delay_s: float = 0.3
    celsius: float = 25.0
    now_s: float = 0.0
    steps: list = field(default_factory=list)
    lates: list = field(default_factory=list)
    pending: tuple | None = None

    def run(self, until_s):
        limit_ns = self.ladder.settings.limit_ns
        while self.now_s < until_s:
            throttle = 1.8 if self.celsius >= self.limit_c else 1.0
            task_ns = self.ladder.costs_ns[self.ladder.rung] * self.load(self.now_s) * throttle
            busy_s = task_ns / S
            took_s = max(busy_s, 1 / self.fps)
            work = min(busy_s / took_s / throttle, 1.0)
            wait_ns = (1 / self.fps) * S / 2 if busy_s > 1 / self.fps else 0
            late = limit_ns is not None and task_ns + wait_ns > limit_ns
            self.lates.append((self.now_s, late))
            self.ladder.frame(round(task_ns), 0, late)
            self.now_s += took_s
            goal = self.ambient(self.now_s) + self.heating_c * work
            self.celsius += (goal - self.celsius) * (1 - math.exp(-took_s / self.tau_s))
            self._decide(Heat(round(self.celsius, 1), self.limit_c))
        return self

    def _decide(self, heat):
        if self.pending is None:
            step = self.ladder.decide(round(self.now_s * S), heat)
            self.pending = None if step is None else (self.now_s + self.load_delay_s, step)
        elif self.now_s >= self.pending[0]:
            step, self.pending = self.pending[1], None
            self.steps.append((self.now_s, self.ladder.rung, step.to, step.why))
            self.ladder.stepped(step.to, round(self.now_s * S), heat)


def costs_of(draw_costs):
    """Costs in milliseconds, largest first, each at most 0.9 of the one above."""
    costs = [draw_costs[0]]
    for share in draw_costs[1:]:
        costs.append(costs[-1] * share)
    return tuple(round(cost * MS) for cost in costs)


LADDERS = st.tuples(st.floats(20, 160), st.floats(0.2, 0.9), st.floats(0.2, 0.9)).map(costs_of)


@settings(max_examples=40, deadline=None)
@given(
    costs=LADDERS,
    limit_ms=st.none() | st.integers(15, 250),
    ambient_c=st.floats(0, 75),
    heating_c=st.floats(5, 90),
    tau_s=st.floats(5, 120),
)
def test_steady_conditions_give_few_steps(costs, limit_ms, ambient_c, heating_c, tau_s):
    plant = Plant(
        ladder(limit_ms, costs, **QUICK), heating_c=heating_c, tau_s=tau_s, ambient=lambda s: ambient_c
    )
    minutes = 30
    plant.run(minutes * 60)
    # down at most twice; then each of two rungs is tried with doubling waits, from 10 to 120 s, at most every two
    # minutes at last, and each failed climb is two steps
    assert len(plant.steps) <= 2 + 2 * 2 * (4 + minutes / 2)
    climbs = [at_s for at_s, before, after, _ in plant.steps if after < before]
    later = [at_s for at_s in climbs if at_s > 600]
    assert len(later) <= 2 * (minutes - 10) / 2 + 2
    check_dwell(plant)


def check_dwell(plant):
    times = [0.0, *(at_s for at_s, *_ in plant.steps)]
    for (at_s, before, after, why), last_s in zip(plant.steps, times, strict=False):
        least_s = 10 if after < before else 15 if why.startswith("hot") else 2
        assert at_s - last_s >= least_s, (at_s, why)
        assert abs(after - before) == 1


@settings(max_examples=30, deadline=None)
@given(
    costs=LADDERS,
    heating_c=st.floats(20, 60),
    tau_s=st.floats(5, 60),
    hot_c=st.floats(60, 100),
)
def test_after_cooling_it_is_back_at_the_top(costs, heating_c, tau_s, hot_c):
    plant = Plant(
        ladder(round(costs[0] / MS / 0.7), costs, **QUICK),
        heating_c=heating_c,
        tau_s=tau_s,
        ambient=lambda s: hot_c if 60 < s < 900 else 5.0,
    )
    plant.run(900)
    plant.run(900 + 5 * 60 + 2 * 120 + 10 * tau_s)
    assert plant.ladder.rung == 0
    check_dwell(plant)


def test_heat_takes_it_down_and_cold_up_again_and_that_is_all():
    plant = Plant(ladder(100), heating_c=40, ambient=lambda s: 66.0 if 120 < s < 600 else 25.0)
    plant.run(3000)
    assert [(before, after) for _, before, after, _ in plant.steps] == [(0, 1), (1, 0)]
    assert plant.steps[0][3].startswith("hot: 77 °C")
    assert plant.steps[1][0] > 600
    assert plant.ladder.rung == 0


@settings(max_examples=60, deadline=None)
@given(gaps=st.lists(st.integers(3, 40), min_size=1, max_size=200))
def test_single_late_frames_never_make_it_step(gaps):
    on = ladder()
    now = 0
    for gap in gaps:
        for index in range(gap):
            now += S
            on.frame(60 * MS, MS, index == 0)
            assert on.decide(now, COOL) is None


@settings(max_examples=30, deadline=None)
@given(
    costs=LADDERS,
    spikes=st.lists(st.tuples(st.floats(0, 600), st.floats(0.1, 1.0)), max_size=20),
)
def test_spikes_of_less_than_eight_frames_never_make_it_step(costs, spikes):
    def load(s):
        return 20.0 if any(start <= s < start + length for start, length in spikes_apart) else 1.0

    spikes_apart, last_s = [], -10.0
    for start, length in sorted(spikes):
        if start - last_s > 8:
            spikes_apart.append((start, length))
            last_s = start + length
    plant = Plant(ladder(round(costs[0] / MS * 2), costs), heating_c=20, load=load, fps=5)
    plant.run(600)
    assert plant.steps == []


def test_load_that_comes_and_goes_does_not_make_it_swing():
    """Every minute another program takes half the processor for five seconds."""
    plant = Plant(ladder(100), heating_c=10, load=lambda s: 2.0 if s % 60 < 5 else 1.0)
    plant.run(3600)
    climbs = [at_s for at_s, before, after, _ in plant.steps if after < before]
    assert len(climbs) <= 7 + 3600 / 600
    assert all(later - earlier >= 600 for earlier, later in pairwise(climbs[6:]))
