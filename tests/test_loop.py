from __future__ import annotations

import threading

import pytest

import edgekit.loop as module
from edgekit.camera.patience import Patience
from edgekit.camera.protocol import Corrupt, Lost
from edgekit.errors import DataError, ModelError, OutputError
from edgekit.events import Observer
from edgekit.loop import Loop, LoopOptions
from edgekit.types import Frame
from tests.loop_fakes import (
    MS,
    PATIENCE_S,
    Clock,
    FakeSink,
    FakeTask,
    GatedSource,
    ListSource,
    Told,
    balanced,
    gated_loop,
    picture,
)


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
        assert summary.notes[0] == "a note"
        assert summary.notes[1].endswith("(given up after 0.2 s)")
        assert len(summary.notes) == 2
        assert (summary.frames.read, summary.frames.processed) == (1, 1)
        assert told.states == ["lost"]
        camera = summary.as_json()["camera"]
        assert (camera["reconnects"], camera["outages_total"]) == (0, 1)
        assert camera["outages"][0]["cause"] == "lost"
        assert camera["outages"][0]["over"] is False

    def test_a_camera_that_was_lost_in_a_read_says_so_last(self, monkeypatch):
        monkeypatch.setattr(module, "JOIN_TIMEOUT_S", 0.01)
        source = GatedSource()
        source.reopen = ListSource([]).reopen
        patience = Patience(hang_s=0.01, give_up_s=0.01)
        loop = Loop(source, FakeTask(), FakeSink(), LoopOptions(), patience=patience)
        summary = loop.run()
        assert summary.ending == "camera_lost"
        assert summary.notes[0].startswith("the source did not return from a read")
        assert summary.notes[1].endswith("(given up after 0.01 s)")
        source.permits.release()

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
