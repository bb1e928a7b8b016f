"""A loop's surroundings that do as they are told: clock, task, sink, sources."""

from __future__ import annotations

import threading

import numpy as np

from edgekit.camera.protocol import EndOfSource
from edgekit.errors import EnvironmentLacks, OutputError
from edgekit.events import Observer
from edgekit.loop import Loop
from edgekit.types import Classification, Frame

MS = 1_000_000
PATIENCE_S = 30.0
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
