from __future__ import annotations

import pytest

from edgekit.bundle.manifest import Drop
from edgekit.climber import Change
from edgekit.errors import OutputError
from edgekit.events import Observer, VariantChanged
from edgekit.loop import Loop, LoopOptions
from edgekit.types import Frame
from tests.loop_fakes import MS, Clock, FakeSink, FakeTask, ListSource, picture


class FakeClimber:
    """Asks for another task after so many frames."""

    def __init__(self, task, after):
        self.task, self.after = task, after
        self.calls, self.causes = [], []

    def start(self, size_wh, now_ns):
        self.calls.append(("start", size_wh))

    def close(self):
        self.calls.append("close")

    def frame_done(self, stages_ns, cause):
        self.causes.append(cause)
        if len(self.causes) != self.after:
            return None
        return Change(
            self.task, 2 * MS, VariantChanged("int8", self.task.variant, DROP, 7, "hot: 79 °C of 80")
        )

    def as_json(self):
        return {"steps_made": 1}


DROP = Drop("top1", 2.0, (1.5, 2.5), 0.95, 1000, "source")


class TestLadder:
    def test_the_next_frame_is_the_next_variants(self):
        clock, told = Clock(), []
        first, second, sink = FakeTask(clock), FakeTask(clock), FakeSink()
        second.variant = "int4"
        watcher = Observer()
        watcher.variant_changed = told.append
        climber = FakeClimber(second, after=3)
        source = ListSource([picture() for _ in range(8)])
        options = LoopOptions(paced=False, deadline_ns=5 * MS)
        summary = Loop(source, first, sink, options, climber=climber, observers=[watcher], now_ns=clock).run(
            warm_up=True
        )
        assert [outcome.variant for outcome in sink.outcomes] == ["int8"] * 3 + ["int4"] * 5
        assert [outcome.drop for outcome in sink.outcomes] == [None] * 3 + [DROP] * 5
        assert len(second.frames) == 5
        assert first.session.runs == 1 + 1 + 3  # warm-up with its bare call, frames; none after the change
        assert [event.after for event in told] == ["int4"]
        assert climber.calls == [("start", (6, 4)), "close"]
        assert set(climber.causes) == {"slow_inference"}
        assert summary.variant == "int4"
        assert summary.as_json()["ladder"] == {"steps_made": 1}
        assert summary.as_json()["drop"]["value"] == 2.0

    def test_costs_are_learned_anew(self):
        clock = Clock()
        climber = FakeClimber(FakeTask(clock), after=4)
        loop = Loop(ListSource([]), FakeTask(clock), FakeSink(), LoopOptions(), climber=climber, now_ns=clock)
        traces = [loop.process(Frame(picture().pixels, "bgr", 0, clock.ns)) for _ in range(4)]
        assert traces[2] is not None
        assert traces[3] is None
        assert loop._freshness.cost_ns is None
        assert loop._bare.cost_ns == 2 * MS

    def test_its_threads_end_where_the_run_breaks(self):
        climber = FakeClimber(None, after=99)
        source = ListSource([picture()])
        with pytest.raises(OutputError):
            Loop(source, FakeTask(), FakeSink(fails_at="write"), LoopOptions(), climber=climber).run()
        assert climber.calls[-1] == "close"


class TestStaleFrames:
    def test_one_that_waited_too_long_is_dropped_and_never_two_in_a_row(self):
        clock = Clock()
        clock.ns = 1000 * MS
        task = FakeTask(clock)
        loop = Loop(ListSource([]), task, FakeSink(), LoopOptions(max_age_ns=50 * MS), now_ns=clock)
        ages_ms = iter([50, 51, 300, 300, 0])

        def take(timeout_s=None):
            age_ms = next(ages_ms, None)
            if age_ms is None:
                return None
            loop.mailbox.counts.read += 1
            return Frame(picture().pixels, "bgr", 0, clock.ns - age_ms * MS)

        loop.mailbox.take = take
        loop._process_all()
        counts = loop.mailbox.counts
        assert (counts.read, counts.processed, counts.dropped["stale"]) == (5, 3, 2)
        assert counts.unaccounted == 0

    def test_one_that_is_bound_to_be_late_leaves_its_turn_to_the_next(self):
        clock = Clock()
        task = FakeTask(clock)  # 6.75 ms
        loop = Loop(
            ListSource([], live=True), task, FakeSink(), LoopOptions(deadline_ns=10 * MS), now_ns=clock
        )
        for _ in range(3):
            loop.process(Frame(picture().pixels, "bgr", 0, clock.ns))
        loop._capture.next_due_ns = clock.ns + 5 * MS
        assert not loop._is_stale(Frame(picture().pixels, "bgr", 0, clock.ns - 3 * MS))
        assert loop._is_stale(Frame(picture().pixels, "bgr", 0, clock.ns - 4 * MS))
        loop._freshness.processed(6 * MS)
        loop.mailbox.finish("end_of_source")  # nothing will follow
        assert not loop._is_stale(Frame(picture().pixels, "bgr", 0, clock.ns - 4 * MS))

    def test_an_unpaced_file_loses_none(self):
        source = ListSource([picture() for _ in range(30)])
        options = LoopOptions(paced=False, deadline_ns=1)
        assert Loop(source, FakeTask(), FakeSink(), options).run().frames.processed == 30
