from __future__ import annotations

import pytest

from edgekit.climber import KEPT_STEPS, Climber
from edgekit.errors import ModelError
from edgekit.ladder import Heat, LadderSettings
from edgekit.rungs import Rung
from tests.test_rungs import drop

MS, S = 1_000_000, 1_000_000_000
STAGES = {"capture": 0, "wait": 0, "pre": MS, "infer": 30 * MS, "post": MS, "sink": 2 * MS, "total": 34 * MS}


class Task:
    def __init__(self, name):
        self.variant = name

    def __call__(self, frame, trace):
        pass


class Watch:
    """Heat as a test sets it."""

    def __init__(self):
        self.latest = Heat(50.0, 80.0)
        self.calls = []

    def start(self):
        self.calls.append("start")

    def close(self):
        self.calls.append("close")


class Run:
    """A climber with a clock and a heat of its own; each frame takes 50 ms of that clock."""

    def __init__(self, load=Task, limit_ms=100):
        self.ns, self.watch, self.told = 0, Watch(), []
        rungs = [
            Rung("fp16", drop(0.1), 60 * MS),
            Rung("int8", drop(2.0), 30 * MS),
            Rung("small", None, 15 * MS),
        ]
        self.climber = Climber(
            rungs,
            load,
            LadderSettings(limit_ms * MS),
            self.watch,
            tell=self.told.append,
        )
        self.climber.start((64, 48), lambda: self.ns)

    def frames(self, count, cause=None):
        """Feeds frames; the changes that came of them. A load is over before the next frame."""
        changes = []
        for _ in range(count):
            self.ns += 50 * MS
            change = self.climber.frame_done(STAGES, cause)
            if change is not None:
                changes.append(change)
            if self.climber._loader._thread is not None:
                self.climber._loader._thread.join(30)
        return changes


def test_it_starts_where_the_deadline_is_predicted_to_hold():
    run = Run(limit_ms=50)
    assert run.climber.rung.variant == "int8"
    assert run.climber.first().variant == "int8"


def test_late_frames_change_the_variant_between_two_frames():
    run = Run()
    [change] = run.frames(42, "slow_inference")
    assert change.task.variant == "int8"
    event = change.event
    assert (event.before, event.after, event.drop.value) == ("fp16", "int8", 2.0)
    assert event.why == "late: 20 of 20 frames"
    assert event.at_ns == 41 * 50 * MS  # asked for after two seconds, there with the next frame
    report = run.climber.as_json()
    assert report["steps"] == [{"at_s": 2.05, "from": "fp16", "to": "int8", "why": "late: 20 of 20 frames"}]
    assert report["steps_made"] == 1
    assert [(rung["variant"], rung["frames"], rung["seconds"]) for rung in report["rungs"]] == [
        ("fp16", 41, 2.05),
        ("int8", 1, 0.0),
        ("small", 0, 0.0),
    ]
    assert report["rungs"][1]["drop"] == {
        "metric": "top1",
        "value": 2.0,
        "interval": (1.5, 2.5),
        "confidence": 0.95,
        "n": 1000,
        "unit": "source",
    }
    assert report["rungs"][2]["drop"] is None
    assert report["rungs"][2]["cost_ms"] == 15.0


def test_memory_is_given_back_once_the_loop_has_let_go_of_the_old_variant(monkeypatch):
    run, tidied = Run(), []
    [_] = run.frames(42, "slow_inference")
    monkeypatch.setattr("edgekit.rungs.give_memory_back", lambda: tidied.append(run.climber.rung.variant))
    run.climber._changed = True  # as it was before the last frame
    run.frames(2)
    assert tidied == ["int8"]


@pytest.mark.parametrize("cause", [None, "slow_sink", "clock_leap"])
def test_what_a_variant_cannot_mend_changes_none(cause):
    assert Run().frames(150, cause) == []


def test_heat_down_and_up_again():
    run = Run()
    run.watch.latest = Heat(79.0, 80.0)
    [down] = run.frames(310)
    assert (down.task.variant, down.event.why) == ("int8", "hot: 79 °C of 80")
    run.watch.latest = Heat(72.0, 80.0)
    assert run.frames(400) == []
    run.watch.latest = Heat(65.0, 80.0)
    [up] = run.frames(210)
    assert (up.task.variant, up.event.why) == ("fp16", "calm for 10 s, 66.0 ms predicted, 65 °C of 80")
    assert run.climber.heat == Heat(65.0, 80.0)


def test_a_variant_that_does_not_load_is_left_out_and_the_camera_goes_on():
    def load(name):
        if name == "int8":
            raise ModelError("int8: no such model file")
        return Task(name)

    run = Run(load)
    [change] = run.frames(60, "slow_inference")
    assert change.task.variant == "small"
    assert run.told == ["ladder: int8 cannot be loaded and is left out: int8: no such model file"]


def test_the_list_of_steps_has_an_end():
    run = Run()
    for index in range(KEPT_STEPS + 20):
        late = index % 2 == 0
        run.climber._ladder._since_ns = run.climber._ladder._calm_since_ns = -(10**15)
        run.frames(22, "slow_inference" if late else None)
        run.frames(22)
    report = run.climber.as_json()
    assert report["steps_made"] > KEPT_STEPS
    assert len(report["steps"]) == KEPT_STEPS
    assert report["steps"][-1]["at_s"] > report["steps"][0]["at_s"]


def test_closing_ends_the_threads_and_counts_the_last_stay():
    run = Run()
    run.frames(10)
    run.ns += S
    run.climber.close()
    assert run.watch.calls == ["start", "close"]
    assert run.climber.as_json()["rungs"][0]["seconds"] == 1.5


def test_without_a_thermometer():
    climber = Climber([Rung("a", None, 2), Rung("b", None, 1)], Task, LadderSettings(100 * MS))
    assert climber.heat == Heat()
    climber.start(None, lambda: 0)
    assert climber.frame_done(STAGES, None) is None
    climber.close()
