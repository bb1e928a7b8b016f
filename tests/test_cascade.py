from __future__ import annotations

import os
import platform
import threading

import numpy as np
import pytest

import edgekit.cascade as module
from edgekit.answerer import Answer, Request
from edgekit.cascade import MAX_FAILURES, NICENESS, Cascade, lower_priority
from edgekit.errors import BundleError, DataError
from edgekit.events import FrameDone, Observer
from edgekit.sinks.protocol import Outcome
from edgekit.triggers import Match, Rule, Triggers, parse_rule
from edgekit.types import Classification, Frame, Generation, Pace, TextRegions

MS = 1_000_000
PATIENCE_S = 60.0
PACE = Pace(10, 0, 3.0, 6.0, 2, 1.0, 1, tiles=1, encoded_tiles=1, encode_ms=2.0)


class Clock:
    ns = 0

    def __call__(self):
        return self.ns


class Model:
    """Answers in two pieces, the second one when it is let; each takes 10 ms of the clock."""

    bundle_name, name, variant, engine, threads = "tiny", "vision_language", "int8", "fake 1.0", 1

    def __init__(self, clock):
        self.clock, self.model, self.reads, self.reuse_below = clock, self, False, 0.02
        self.asked, self.forgotten = [], 0
        self.begun, self.permits = threading.Semaphore(0), threading.Semaphore(0)
        self.fails = None
        self.niceness = None

    def begin(self, request, cancelled):
        self.niceness = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
        self.asked.append(request)
        self.begun.release()
        finish = []

        def pieces():
            self.clock.ns += 10 * MS
            yield "a "
            while not self.permits.acquire(timeout=0.002):
                if cancelled():
                    finish.append("cancelled")
                    return
            if self.fails:
                raise self.fails
            self.clock.ns += 10 * MS
            yield f"person {request.number}"

        made = pieces()

        def whole():
            text = "a " if finish else f"a person {request.number}"
            return Generation(text, (1, 2), "cancelled" if finish else "end", PACE)

        return Answer("who?", (0, 0, 4, 4), None, None, made, whole)

    def values(self, generation):
        return {"n": len(generation.tokens)}

    def forget(self):
        self.forgotten += 1


class Watcher(Observer):
    def __init__(self):
        self.told = []
        self.finished = threading.Semaphore(0)

    def answer_told(self, event):
        self.told.append(event)
        if event.finished:
            self.finished.release()


class Beside:
    """A cascade that asks about every frame, with what is around it."""

    def __init__(self, **options):
        self.clock = Clock()
        self.model, self.watcher = Model(self.clock), Watcher()
        self.records, self.said = [], []
        triggers = options.pop("triggers", Triggers([Rule()], every_ns=1, cooldown_ns=0))
        self.cascade = Cascade(
            lambda: self.model,
            triggers,
            record=self.records.append,
            say=self.said.append,
            now_ns=self.clock,
            **options,
        )
        self.cascade.observer = self.watcher
        self.frames = 0

    def give(self, count=1, result=None):
        for _ in range(count):
            self.clock.ns += MS
            frame = Frame(np.zeros((4, 4, 3), np.uint8), "bgr", self.frames, self.clock.ns)
            self.frames += 1
            if result is None:
                result = Classification(np.array([0.9], np.float32), ("person",))
            self.cascade.frame_done(FrameDone(Outcome(frame, result, 0, "int8"), {}, False))

    def begun(self):
        assert self.model.begun.acquire(timeout=PATIENCE_S)

    def answer(self):
        self.model.permits.release()
        assert self.watcher.finished.acquire(timeout=PATIENCE_S)

    @property
    def fates(self):
        return {fate: count for fate, count in self.cascade.summary.fates.items() if count}


@pytest.fixture
def beside():
    made = []

    def make(**options):
        made.append(Beside(**options))
        made[-1].cascade.start()
        return made[-1]

    yield make
    for one in made:
        one.cascade.end()
    assert not [t for t in threading.enumerate() if t.name == "edgekit-cascade"]


def balanced(summary):
    return summary.triggered == sum(summary.fates.values())


def test_one_question_in_flight_and_the_newest_waits(beside):
    one = beside()
    one.give()
    one.begun()
    one.give(3)
    one.answer()
    one.begun()
    one.answer()
    summary = one.cascade.end()
    assert [request.frame.index for request in one.model.asked] == [0, 3]
    assert (summary.triggered, summary.asked) == (4, 2)
    assert one.fates == {"answered": 2, "replaced": 2}
    assert balanced(summary)


def test_an_answer_is_told_piece_by_piece_with_the_age_of_its_frame(beside):
    one = beside()
    one.give()
    one.begun()
    one.answer()
    one.cascade.end()
    told = [(event.text, event.finished, event.at_ns // MS) for event in one.watcher.told]
    assert told == [("", False, 1), ("a ", False, 11), ("a person 0", False, 21), ("a person 0", True, 21)]
    event = one.watcher.told[0]
    assert (event.number, event.frame_index, event.frame_ns, event.why, event.question) == (
        0,
        0,
        MS,
        "start",
        "who?",
    )
    assert one.records[0].as_json() == {
        "number": 0,
        "frame": 0,
        "trigger": "start",
        "question": "who?",
        "answer": "a person 0",
        "fields": {"n": 2},
        "finish": "end",
        "first_token_age_ms": 10.0,
        "age_ms": 20.0,
        "crop": [0, 0, 4, 4],
        "reused": None,
        "difference": None,
        "encode_ms": 2.0,
        "prefill_ms": 3.0,
        "decode_ms": 1.0,
    }


def test_the_summary(beside):
    one = beside()
    for _ in range(7):
        one.give()
        one.begun()
        one.answer()
    told = one.cascade.end().as_json()
    assert {key: told[key] for key in ("bundle", "task", "variant", "engine", "threads")} == {
        "bundle": "tiny",
        "task": "vision_language",
        "variant": "int8",
        "engine": "fake 1.0",
        "threads": 1,
    }
    assert (told["triggered"], told["asked"], told["answered"]) == (7, 7, 7)
    assert (told["replaced"], told["given_up"], told["cancelled"], told["failed"]) == (0, 0, 0, 0)
    assert told["age_ms"] == {"p50": 20.0, "p95": 20.0}
    assert told["first_token_age_ms"] == {"p50": 10.0, "p95": 10.0}
    assert told["reused"] == {"picture": 0, "answer": 0, "below": 0.02, "largest_difference": 0.0}
    assert [answer["number"] for answer in told["answers"]] == [2, 3, 4, 5, 6]
    assert told["errors"] == []


def test_nothing_asked(beside):
    told = beside(triggers=Triggers([parse_rule("dog>0.5")])).cascade.end().as_json()
    assert (told["triggered"], told["age_ms"], told["answers"]) == (0, None, [])


def test_the_end_cancels_what_is_in_flight_and_what_waits(beside):
    one = beside()
    one.give()
    one.begun()
    one.give(2)
    summary = one.cascade.end()
    assert one.fates == {"replaced": 1, "cancelled": 2}
    assert balanced(summary)
    assert one.records == []
    last = one.watcher.told[-1]
    assert (last.text, last.finished, last.broken_off, last.whole) == ("a ", True, True, False)
    one.give()  # comes too late
    assert one.cascade.end().triggered == 3


def test_the_end_of_a_file_lets_it_finish(beside):
    one = beside()
    one.give()
    one.begun()
    one.give()
    one.model.permits.release(2)
    one.cascade.end(PATIENCE_S)
    assert one.fates == {"answered": 2}
    assert len(one.records) == 2


def test_who_waits_for_the_end_may_be_interrupted(beside, monkeypatch):
    one = beside()
    one.give()
    one.begun()
    join = threading.Thread.join

    def interrupted(thread, timeout=None):
        monkeypatch.setattr(threading.Thread, "join", join)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.cascade.end(PATIENCE_S)
    assert one.fates == {"cancelled": 1}


def test_an_answer_to_an_old_frame_is_given_up_for_a_newer_question(beside):
    one = beside(max_age_ns=100 * MS)
    one.give()
    one.begun()
    one.clock.ns += 200 * MS  # old, but nothing waits
    assert not one.watcher.finished.acquire(timeout=0.05)
    one.give()
    one.begun()
    one.answer()
    one.cascade.end()
    assert one.fates == {"given_up": 1, "answered": 1}
    assert [record.request.number for record in one.records] == [1]
    assert [(e.number, e.whole) for e in one.watcher.told if e.finished] == [(0, False), (1, True)]


def test_a_newer_question_waits_where_the_answer_is_not_too_old(beside):
    one = beside(max_age_ns=10**12)
    one.give()
    one.begun()
    one.give()
    assert not one.watcher.finished.acquire(timeout=0.05)
    one.answer()
    one.begun()
    one.answer()
    one.cascade.end()
    assert one.fates == {"answered": 2}


def test_a_question_that_fails_is_told_once_and_the_next_one_is_asked(beside):
    one = beside()
    one.model.fails = DataError("prompt: 900 tokens, the context has room for 128")
    for _ in range(2):
        one.give()
        one.begun()
        one.answer()
    one.model.fails = None
    one.give()
    one.begun()
    one.answer()
    summary = one.cascade.end()
    assert one.fates == {"failed": 2, "answered": 1}
    assert one.said == ["edgekit: no answer: prompt: 900 tokens, the context has room for 128"]
    assert summary.as_json()["errors"] == ["prompt: 900 tokens, the context has room for 128"]
    assert one.model.forgotten == 2
    assert [event.finished for event in one.watcher.told].count(True) == 3
    assert [event.whole for event in one.watcher.told].count(True) == 1


def test_an_error_of_any_kind_ends_neither_loop_nor_thread(beside):
    one = beside()
    one.model.fails = RuntimeError("oh")
    one.give()
    one.begun()
    one.answer()
    one.give()
    one.begun()
    one.model.fails = None
    one.answer()
    one.cascade.end()
    assert one.said == ["edgekit: no answer: RuntimeError: oh"]
    assert one.fates == {"failed": 1, "answered": 1}


def test_a_model_that_always_fails_is_not_asked_for_ever(beside):
    one = beside()
    one.model.fails = DataError("no")
    for _ in range(MAX_FAILURES):
        one.give()
        one.begun()
        one.answer()
    one.cascade._thread.join(PATIENCE_S)
    one.give(5)
    summary = one.cascade.end()
    assert one.fates == {"failed": MAX_FAILURES}
    assert summary.triggered == MAX_FAILURES
    assert one.said[-1] == "edgekit: 3 questions in a row failed: no more are asked"


def test_who_waits_when_too_many_have_failed_is_not_asked(beside):
    one = beside()
    one.model.fails = DataError("no")
    for number in range(MAX_FAILURES):
        one.give()
        one.begun()
        if number == MAX_FAILURES - 1:
            one.give()
        one.answer()
    one.cascade._thread.join(PATIENCE_S)
    summary = one.cascade.end()
    assert one.fates == {"failed": MAX_FAILURES, "cancelled": 1}
    assert summary.asked == MAX_FAILURES
    assert balanced(summary)


def test_a_record_that_cannot_be_written_is_a_failure(beside):
    one = beside()
    one.cascade._record = lambda answered: (_ for _ in ()).throw(DataError("full"))
    one.give()
    one.begun()
    one.answer()
    one.cascade.end()
    assert one.fates == {"failed": 1}


def test_a_model_that_cannot_be_loaded():
    def load():
        raise BundleError("damaged")

    cascade = Cascade(load, Triggers([Rule()]))
    with pytest.raises(BundleError, match="damaged"):
        cascade.start()
    cascade.end()
    assert not cascade._thread.is_alive()


def test_an_end_without_a_start():
    assert Cascade(lambda: None, Triggers([])).end().triggered == 0


def test_a_call_that_does_not_end_is_left_behind(beside, monkeypatch):
    monkeypatch.setattr(module, "JOIN_TIMEOUT_S", 0.01)
    one = beside()
    hangs = threading.Event()
    one.model.values = lambda generation: hangs.wait(PATIENCE_S) and None
    one.give()
    one.begun()
    one.model.permits.release()
    assert one.watcher.finished.acquire(timeout=PATIENCE_S)
    assert one.cascade.end().hangs
    hangs.set()
    monkeypatch.setattr(module, "JOIN_TIMEOUT_S", PATIENCE_S)
    assert not one.cascade.end().hangs


def test_frames_in_which_nothing_is_read_are_not_asked_about(beside):
    one = beside()
    one.cascade._reads = True
    quads = np.zeros((1, 4, 2), np.float32)
    one.give(2, TextRegions(quads[:0], (), np.zeros(0, np.float32)))
    one.give(1, TextRegions(quads, (" ",), np.ones(1, np.float32)))
    one.give(1, TextRegions(quads, ("Shop",), np.ones(1, np.float32)))
    one.begun()
    one.answer()
    assert [(request.frame.index, request.text) for request in one.model.asked] == [(3, "Shop")]


class Counts:
    """A model's calls: each asks first, as a decoder does before each token."""

    def __init__(self, cascade, request):
        self.cascade, self.request, self.made = cascade, request, 0
        self.called = threading.Semaphore(0)
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stop.is_set() and not self.cascade._gives_up(self.request):
            self.made += 1
            self.called.release()
            self.stop.wait(0.001)

    def end(self):
        self.stop.set()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive()


@pytest.fixture
def calls(beside):
    one = beside()
    frame = Frame(np.zeros((4, 4, 3), np.uint8), "bgr")
    made = Counts(one.cascade, Request(0, frame, Match("")))
    assert made.called.acquire(timeout=PATIENCE_S)
    yield one, made, frame
    made.end()


def test_no_call_begins_while_a_frame_is_in_the_loop(calls, monkeypatch):
    monkeypatch.setattr(module, "GIVE_WAY_S", PATIENCE_S)
    one, made, frame = calls
    one.cascade.frame_taken(frame)
    while not one.cascade._idle._waiters:  # a call may be under way
        made.stop.wait(0.001)
    before = made.made
    made.stop.wait(0.05)
    assert made.made == before
    while made.called.acquire(blocking=False):
        pass
    one.give()  # done
    assert made.called.acquire(timeout=PATIENCE_S)


def test_a_call_that_would_not_end_before_the_next_frame_waits_for_it(calls, monkeypatch):
    monkeypatch.setattr(module, "GIVE_WAY_S", PATIENCE_S)
    one, made, _ = calls
    fits = threading.Event()
    monkeypatch.setattr(one.cascade._gaps, "admit", lambda call_ns, now_ns: fits.is_set(), raising=False)
    while not one.cascade._idle._waiters:
        made.stop.wait(0.001)
    before = made.made
    made.stop.wait(0.05)
    assert made.made == before
    fits.set()
    one.give()  # the next frame is done
    while made.made == before:
        assert made.called.acquire(timeout=PATIENCE_S)


def test_a_loop_that_never_rests_does_not_stop_the_model(calls, monkeypatch):
    monkeypatch.setattr(module, "GIVE_WAY_S", 0.001)
    one, made, frame = calls
    one.cascade.frame_taken(frame)
    for _ in range(5):
        assert made.called.acquire(timeout=PATIENCE_S)


def test_the_end_does_not_wait_for_a_frame(calls, monkeypatch):
    monkeypatch.setattr(module, "GIVE_WAY_S", PATIENCE_S)
    one, made, frame = calls
    one.cascade.frame_taken(frame)
    one.cascade.end()
    made.thread.join(PATIENCE_S)
    assert not made.thread.is_alive()


@pytest.mark.skipif(platform.system() != "Linux", reason="priorities of threads")
def test_it_answers_at_a_lower_priority_than_the_loops(beside):
    before = os.getpriority(os.PRIO_PROCESS, 0)
    one = beside()
    one.give()
    one.begun()
    one.answer()
    expected = min(before + NICENESS, 19)
    assert one.model.niceness == one.cascade.end().niceness == expected
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_a_system_that_refuses_priorities(monkeypatch):
    def refuses(*_):
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refuses)
    assert lower_priority(5) is None
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert lower_priority(5) is None
