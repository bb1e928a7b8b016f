from __future__ import annotations

import threading

import numpy as np
import pytest

import edgekit.loop as module
from edgekit.bundle.manifest import Drop
from edgekit.camera.patience import Patience
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost
from edgekit.climber import Change
from edgekit.errors import DataError, EnvironmentLacks, ModelError, OutputError
from edgekit.events import Observer, VariantChanged
from edgekit.loop import Loop, LoopOptions
from edgekit.types import Classification, Frame

MS = 1_000_000
PATIENCE_S = 10.0
RESULT = Classification(np.array([1.0], np.float32), ("thing",))


class Clock:
    def __init__(self):
        self.ns = 0

    def __call__(self):
        return self.ns


class FakeSession:
    """An engine call that takes ``cost_ms`` of a fake clock."""

    def __init__(self, clock, cost_ms):
        self.clock, self.cost_ms, self.runs = clock, cost_ms, 0

    def run(self, feeds):
        self.runs += 1
        self.clock.ns += round(self.cost_ms * MS)
        return []


class FakeTask:
    """pre 1 ms, infer ``infer_ms``, post 0.5 ms, and 0.25 ms in between."""

    name, bundle_name, variant, engine, threads = "classify", "fake", "int8", "fake 1.0", 2

    def __init__(self, clock=None, infer_ms=5.0, hook=None):
        self.clock = clock or Clock()
        self.session = FakeSession(self.clock, infer_ms)
        self.hook = hook
        self.frames = []

    def __call__(self, frame, trace):
        self.frames.append(frame)
        with trace.stage("pre"):
            self.clock.ns += MS
        trace.infer("model", self.session, {})
        self.clock.ns += MS // 4
        with trace.stage("post"):
            self.clock.ns += MS // 2
        if self.hook:
            self.hook(len(self.frames))
        return RESULT


class FakeSink:
    def __init__(self, clock=None, cost_ms=0.0, fails_at=None):
        self.clock, self.cost_ms, self.fails_at = clock, cost_ms, fails_at
        self.outcomes, self.calls = [], []

    def write(self, outcome):
        if self.clock:
            self.clock.ns += round(self.cost_ms * MS)
        self.outcomes.append(outcome)
        if self.fails_at == "write":
            raise OutputError("out.mp4: no space")

    def commit(self):
        self.calls.append("commit")
        if self.fails_at == "commit":
            raise OutputError("out.mp4: no space")

    def abort(self):
        self.calls.append("abort")


def picture():
    return Frame(np.zeros((4, 6, 3), np.uint8), "bgr")


class ListSource:
    """Gives what it was told to, then ends."""

    description, size_wh = "list", (6, 4)

    def __init__(self, readings, live=False):
        self.readings, self.live, self.fps = list(readings), live, 1000.0
        self.notes = ["a note"]
        self.closed = threading.Event()

    def read(self):
        reading = self.readings.pop(0) if self.readings else EndOfSource()
        if isinstance(reading, Exception):
            raise reading
        return reading

    def reopen(self):
        raise EnvironmentLacks("camera 0: cannot be opened")

    def close(self):
        self.closed.set()


class Told(Observer):
    def __init__(self):
        self.states = []

    def camera_changed(self, event):
        self.states.append(event.state)


class GatedSource:
    """A live source that gives frames when it is told to, the first one by itself."""

    description, size_wh, live, fps = "gated", None, True, None

    def __init__(self):
        self.notes = []
        self.entered, self.permits = threading.Semaphore(0), threading.Semaphore(1)
        self.over = lambda: False

    def give(self, count):
        """Gives frames one by one; the last one lies in the mailbox when this returns."""
        for _ in range(count):
            assert self.entered.acquire(timeout=PATIENCE_S)
            self.permits.release()
        assert self.entered.acquire(timeout=PATIENCE_S)
        self.entered.release()

    def read(self):
        self.entered.release()
        while not self.permits.acquire(timeout=0.005):
            if self.over():
                return EndOfSource()
        return picture()

    def close(self):
        pass


def gated_loop(task, options):
    source = GatedSource()
    loop = Loop(source, task, FakeSink(), options)
    source.over = lambda: loop.mailbox.stopped
    return source, loop


def balanced(counts):
    return counts.read == counts.processed + sum(counts.dropped.values())


def capture_threads():
    return [t for t in threading.enumerate() if t.name in ("edgekit-capture", "edgekit-watchdog")]


@pytest.fixture(autouse=True)
def no_thread_stays():
    yield
    for thread in capture_threads():
        thread.join(PATIENCE_S)
    assert capture_threads() == []


class TestTimes:
    def test_known_durations_give_the_exact_summary(self):
        clock = Clock()
        task, sink = FakeTask(clock), FakeSink(clock, cost_ms=2)
        loop = Loop(ListSource([]), task, sink, LoopOptions(deadline_ns=100 * MS), now_ns=clock)
        for i in range(1, 101):  # waits of 1 to 100 ms, engine calls of 5 ms
            arrived_ns = clock.ns
            clock.ns += i * MS
            loop.process(Frame(picture().pixels, "bgr", i, arrived_ns, 3 * MS))
        summary = loop.summary().as_json()
        assert summary["latency_ms"] == {
            "capture": {"p50": 3.0, "p95": 3.0, "p99": 3.0},
            "wait": {"p50": 50.5, "p95": 95.05, "p99": 99.01},
            "pre": {"p50": 1.0, "p95": 1.0, "p99": 1.0},
            "infer": {"p50": 5.0, "p95": 5.0, "p99": 5.0},
            "post": {"p50": 0.5, "p95": 0.5, "p99": 0.5},
            "sink": {"p50": 2.0, "p95": 2.0, "p99": 2.0},
            "total": {"p50": 59.25, "p95": 103.8, "p99": 107.76},  # waits + 8.75
        }
        assert summary["misses"] == 9  # waits of 92 to 100 ms; 91 + 8.75 is in time
        assert summary["deadline_ms"] == 100.0
        assert summary["verdict"] == "FAIL"
        # 99 intervals over the sum of i + 8.75 for i = 2 to 100
        assert summary["fps"] == pytest.approx(99 / (5.049 + 99 * 0.00875), abs=1e-3)

    def test_the_age_of_a_result_ends_before_the_sink(self):
        clock = Clock()
        sink = FakeSink(clock, cost_ms=50)
        loop = Loop(ListSource([]), FakeTask(clock), sink, LoopOptions(), now_ns=clock)
        clock.ns = 10 * MS
        loop.process(Frame(picture().pixels, "bgr", 0, 7 * MS))
        assert sink.outcomes[0].age_ns == round((3 + 6.75) * MS)
        assert sink.outcomes[0].variant == "int8"

    def test_a_leap_of_the_clock_leaves_the_quantiles_alone(self):
        clock = Clock()
        task, told = FakeTask(clock), []
        watcher = Observer()
        watcher.frame_done = told.append
        loop = Loop(
            ListSource([]),
            task,
            FakeSink(),
            LoopOptions(deadline_ns=10 * MS),
            observers=[watcher],
            now_ns=clock,
        )
        clock.ns = 3600 * 1000 * MS
        for leap_ms in (0, 3_600_000, 0, -7_100_000, 0):
            arrived_ns = clock.ns
            task.hook = lambda n, leap_ms=leap_ms: setattr(clock, "ns", clock.ns + leap_ms * MS)
            loop.process(Frame(picture().pixels, "bgr", 0, arrived_ns))
        summary = loop.summary()
        assert summary.ledger.stage("total").count == 3
        assert summary.ledger.latency_ms()["total"] == {"p50": 6.75, "p95": 6.75, "p99": 6.75}
        assert summary.misses["clock_leap"] == 2 == sum(summary.misses.values())
        assert summary.notes[-1] == "the clock leapt during 2 frames: their times are not counted"
        assert [event.cause for event in told] == [None, "clock_leap", None, "clock_leap", None]
        assert min(event.outcome.age_ns for event in told) == 0

    def test_misses_say_what_took_the_time(self):
        clock = Clock()
        task, sink = FakeTask(clock), FakeSink(clock)
        loop = Loop(ListSource([]), task, sink, LoopOptions(deadline_ns=10 * MS), now_ns=clock)
        for wait_ms, infer_ms, sink_ms in [(0, 5, 0), (9, 5, 0), (0, 9, 1), (0, 5, 50)]:
            arrived_ns = clock.ns
            clock.ns += wait_ms * MS
            task.session.cost_ms, sink.cost_ms = infer_ms, sink_ms
            loop.process(Frame(picture().pixels, "bgr", 0, arrived_ns))
        summary = loop.summary().as_json()
        assert summary["misses"] == 3
        assert {cause for cause, n in summary["misses_by_cause"].items() if n} == {
            "late_frame",
            "slow_inference",
            "slow_sink",
        }

    def test_a_deadline_that_holds(self):
        clock = Clock()
        loop = Loop(
            ListSource([]), FakeTask(clock), FakeSink(), LoopOptions(deadline_ns=6_750_000), now_ns=clock
        )
        loop.process(Frame(picture().pixels, "bgr", 0, 0))
        assert loop.summary().verdict == "PASS"
        assert set(loop.summary().misses.values()) == {0}

    def test_nothing_processed(self):
        loop = Loop(ListSource([]), FakeTask(), FakeSink(), LoopOptions(deadline_ns=MS))
        summary = loop.summary().as_json()
        assert summary["verdict"] == "INCONCLUSIVE"
        assert summary["fps"] is None
        assert summary["bare_ms"] is None
        assert set(summary["latency_ms"].values()) == {None}

    def test_without_a_deadline_there_is_no_verdict(self):
        summary = Loop(ListSource([]), FakeTask(), FakeSink(), LoopOptions()).summary().as_json()
        assert summary["deadline_ms"] is None
        assert summary["verdict"] is None


class TestBareCalls:
    def test_every_sixteenth_frame_of_a_loop_without_pauses(self):
        clock = Clock()
        task = FakeTask(clock, infer_ms=4)
        source = ListSource([picture() for _ in range(40)])
        summary = Loop(source, task, FakeSink(), LoopOptions(paced=False), now_ns=clock).run()
        assert summary.ledger.bare_ms() == {"p50": 4.0, "p95": 4.0, "p99": 4.0, "n": 2}
        assert task.session.runs == 42
        assert summary.frames.processed == 40

    def test_at_least_one_however_short_the_run(self):
        task = FakeTask(infer_ms=4)
        source = ListSource([picture() for _ in range(9)])
        options = LoopOptions(frames=3, paced=False)
        summary = Loop(source, task, FakeSink(), options, now_ns=task.clock).run()
        assert summary.ledger.bare_ms() == {"p50": 4.0, "p95": 4.0, "p99": 4.0, "n": 1}
        assert summary.frames.processed == 3

    def test_half_way_through_the_pause_after_a_warm_up(self, monkeypatch):
        clock = Clock()
        task = FakeTask(clock, infer_ms=4)
        loop = Loop(ListSource([]), task, FakeSink(), LoopOptions(), now_ns=clock)
        loop.warm_up()
        assert task.frames[0].size_wh == (6, 4)
        trace = loop.process(picture())
        loop._capture.next_due_ns = clock.ns + 80 * MS
        waits = []

        def take(timeout_s=None):
            waits.append(timeout_s)
            clock.ns += round((timeout_s or 0) * 1e9)

        monkeypatch.setattr(loop.mailbox, "take", take)
        assert loop._next_frame(trace) is None
        assert waits == [0.04, None]
        assert loop.summary().ledger.bare_ms() == {"p50": 4.0, "p95": 4.0, "p99": 4.0, "n": 1}

    def test_a_call_that_is_due_does_not_wait_for_a_pause(self):
        clock = Clock()
        task = FakeTask(clock, infer_ms=4)
        loop = Loop(ListSource([]), task, FakeSink(), LoopOptions(bare_every=1), now_ns=clock)
        waiting = picture()
        trace = loop.process(picture())
        loop.mailbox.put(waiting)
        assert loop._next_frame(trace) is waiting
        assert loop.summary().ledger.bare.count == 1

    def test_none_where_a_frame_arrives_early(self, monkeypatch):
        clock = Clock()
        task = FakeTask(clock, infer_ms=4)
        loop = Loop(ListSource([]), task, FakeSink(), LoopOptions(), now_ns=clock)
        loop.warm_up()
        trace = loop.process(picture())
        loop._capture.next_due_ns = clock.ns + 3_600_000 * MS
        runs = task.session.runs
        early = picture()
        monkeypatch.setattr(loop.mailbox, "take", lambda timeout_s=None: early)
        assert loop._next_frame(trace) is early
        assert task.session.runs == runs


class TestAccounting:
    def test_every_frame_of_an_unpaced_file_is_processed(self):
        source = ListSource([picture(), Corrupt("x"), *(picture() for _ in range(9))])
        task, sink = FakeTask(), FakeSink()
        summary = Loop(source, task, sink, LoopOptions(paced=False)).run()
        assert summary.frames.as_json() == {
            "read": 11,
            "processed": 10,
            "dropped": {"newer_frame": 0, "stale": 0, "corrupt": 1, "stopped": 0},
        }
        assert [frame.index for frame in task.frames] == [0, *range(2, 11)]
        assert summary.ending == "end_of_source"
        assert summary.notes == ["a note"]
        assert sink.calls == ["commit"]
        assert source.closed.is_set()

    def test_a_paced_file_ends_balanced(self):
        source = ListSource([picture() for _ in range(20)])
        summary = Loop(source, FakeTask(), FakeSink(), LoopOptions()).run()
        assert summary.frames.read == 20
        assert balanced(summary.frames)
        assert summary.ending == "end_of_source"

    def test_the_limit_of_an_unpaced_file_is_exact(self):
        source = ListSource([picture() for _ in range(20)])
        summary = Loop(source, FakeTask(), FakeSink(), LoopOptions(frames=7, paced=False)).run()
        assert (summary.frames.read, summary.frames.processed) == (7, 7)
        assert summary.ending == "frame_limit"

    def test_a_slow_task_gets_the_newest_frame(self):
        task = FakeTask()
        source, loop = gated_loop(task, LoopOptions(frames=2))

        def hook(n):
            if n == 1:
                assert source.entered.acquire(timeout=PATIENCE_S)  # of the frame being processed
            source.give(3)  # three arrive meanwhile

        task.hook = hook
        summary = loop.run()
        assert [frame.index for frame in task.frames] == [0, 3]
        assert summary.frames.as_json() == {
            "read": 7,
            "processed": 2,
            "dropped": {"newer_frame": 4, "stale": 0, "corrupt": 0, "stopped": 1},
        }
        assert summary.ending == "frame_limit"

    def test_interrupted_in_the_middle(self):
        task = FakeTask()
        source, loop = gated_loop(task, LoopOptions())

        def interrupt(_n):
            assert source.entered.acquire(timeout=PATIENCE_S)
            source.give(1)
            loop.stop()

        task.hook = interrupt
        summary = loop.run()
        assert summary.ending == "interrupted"
        assert summary.frames.as_json() == {
            "read": 2,
            "processed": 1,
            "dropped": {"newer_frame": 0, "stale": 0, "corrupt": 0, "stopped": 1},
        }

    def test_a_lost_camera_ends_the_loop_and_says_why(self):
        source = ListSource([picture(), *[Lost("camera 0: no frame after 1")] * 2], live=True)
        told = Told()
        patience = Patience(give_up_s=0.2)
        summary = Loop(
            source, FakeTask(), FakeSink(), LoopOptions(), patience=patience, observers=[told]
        ).run()
        assert summary.ending == "camera_lost"
        assert summary.notes == ["a note", "camera 0: cannot be opened (given up after 0.2 s)"]
        assert (summary.frames.read, summary.frames.processed) == (1, 1)
        assert told.states == ["lost"]
        camera = summary.as_json()["camera"]
        assert (camera["reconnects"], camera["outages_total"]) == (0, 1)
        assert camera["outages"][0]["cause"] == "lost"
        assert camera["outages"][0]["over"] is False

    def test_a_read_that_hangs_is_left_behind(self, monkeypatch):
        monkeypatch.setattr(module, "JOIN_TIMEOUT_S", 0.01)
        task, source = FakeTask(), GatedSource()
        loop = Loop(source, task, FakeSink(), LoopOptions())
        task.hook = lambda n: loop.stop()
        summary = loop.run()
        assert summary.notes == ["the source did not return from a read within 0.01 s: left behind"]
        assert (summary.frames.read, summary.frames.processed) == (1, 1)
        source.permits.release()  # the read returns after all
        for thread in capture_threads():
            thread.join(PATIENCE_S)
        assert summary.frames.as_json() == {
            "read": 2,
            "processed": 1,
            "dropped": {"newer_frame": 0, "stale": 0, "corrupt": 0, "stopped": 1},
        }


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


class TestFailures:
    @pytest.mark.parametrize("fails_at", ["write", "commit"])
    def test_a_sink_that_fails(self, fails_at):
        sink = FakeSink(fails_at=fails_at)
        source = ListSource([picture() for _ in range(3)])
        with pytest.raises(OutputError, match="no space"):
            Loop(source, FakeTask(), sink, LoopOptions(paced=False)).run()
        assert sink.calls[-1] == "abort"
        assert source.closed.wait(PATIENCE_S)

    def test_a_task_that_fails(self):
        def fail(n):
            if n == 2:
                raise ModelError("engine failed")

        sink = FakeSink()
        source = ListSource([picture() for _ in range(5)])
        with pytest.raises(ModelError):
            Loop(source, FakeTask(hook=fail), sink, LoopOptions(paced=False)).run()
        assert sink.calls == ["abort"]
        assert len(sink.outcomes) == 1
        assert source.closed.wait(PATIENCE_S)

    def test_a_warm_up_that_fails_reads_nothing_and_closes_the_source(self):
        def fail(_n):
            raise ModelError("engine failed")

        sink, source = FakeSink(), ListSource([picture()])
        loop = Loop(source, FakeTask(hook=fail), sink, LoopOptions())
        with pytest.raises(ModelError):
            loop.run(warm_up=True)
        assert sink.calls == ["abort"]
        assert source.closed.is_set()
        assert loop.summary().frames.read == 0

    def test_a_source_that_fails(self):
        sink = FakeSink()
        source = ListSource([DataError("clip.mp4: no frame of this video can be decoded")])
        with pytest.raises(DataError, match=r"clip\.mp4"):
            Loop(source, FakeTask(), sink, LoopOptions()).run()
        assert sink.calls == ["abort"]


def test_observers_are_told_after_its_times_were_taken():
    clock = Clock()
    shown = []

    class Slow(Observer):
        def frame_done(self, event):
            clock.ns += 999 * MS
            shown.append(event)

    loop = Loop(ListSource([]), FakeTask(clock), FakeSink(), LoopOptions(), observers=[Slow()], now_ns=clock)
    loop.process(picture())
    assert [event.stages_ns["total"] for event in shown] == [6_750_000]
    assert shown[0].missed is False
    assert loop.summary().as_json()["latency_ms"]["total"]["p50"] == 6.75


@pytest.mark.parametrize("options", [{"frames": 0}, {"deadline_ns": 0}, {"bare_every": 0}])
def test_options_check_themselves(options):
    with pytest.raises(ValueError, match="expected at least 1, got 0"):
        LoopOptions(**options)


def test_a_warm_up_without_a_known_size():
    task = FakeTask()
    loop = Loop(GatedSource(), task, FakeSink(), LoopOptions())
    loop.warm_up()
    assert task.frames[0].size_wh == (640, 480)
    assert loop.summary().frames.processed == 0


def test_observers_are_told_of_a_frame_before_it_is_processed():
    told = []

    class Told(Observer):
        def frame_taken(self, frame):
            told.append(("taken", frame.index))

        def frame_done(self, event):
            told.append(("done", event.outcome.frame.index))

    source = ListSource([picture() for _ in range(2)])
    Loop(source, FakeTask(), FakeSink(), LoopOptions(paced=False), observers=[Told()]).run()
    assert told == [("taken", 0), ("done", 0), ("taken", 1), ("done", 1)]
