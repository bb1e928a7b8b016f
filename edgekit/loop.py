"""The frame loop: source, one waiting place, task, sink, and a ledger of where the time went.

A capture thread reads and stamps; the caller's thread does all the rest, one frame at a time. So at most one
frame is in flight and one waits, and a result is never older than one processing time plus one frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import to_builtins

from edgekit.bundle.manifest import Drop
from edgekit.camera.capture import capture_of
from edgekit.camera.mailbox import Ending, Mailbox
from edgekit.camera.patience import Patience
from edgekit.camera.protocol import CameraState, Source
from edgekit.climber import Change, Climber
from edgekit.deadline import (
    NS_PER_S,
    BareCalls,
    Deadline,
    FrameCounts,
    Freshness,
    MissCause,
    Rate,
    Verdict,
    clock_leapt,
    deadline_verdict,
)
from edgekit.events import CameraChanged, FrameDone, Observer, Observers
from edgekit.ledger import Ledger, LoopStage
from edgekit.rungs import warm_up
from edgekit.sinks.protocol import Outcome, Sink
from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.types import Frame

JOIN_TIMEOUT_S = 2.0
"""How long a capture thread that hangs in a read is waited for; then it is left behind, as a daemon."""


@dataclass(frozen=True, slots=True)
class LoopOptions:
    """What the loop shall do.

    Attributes:
        frames: stop after so many processed frames.
        deadline_ns: limit of the stage ``total``; a longer one is a miss.
        max_age_ns: a frame that waited longer is dropped as stale.
        paced: play files at their frame rate, newest frame wins; otherwise as fast as they are processed, and
            no frame is dropped. Live sources come at their own pace either way.
        bare_every: the most frames between two bare engine calls.
    """

    frames: int | None = None
    deadline_ns: int | None = None
    max_age_ns: int | None = None
    paced: bool = True
    bare_every: int = 16

    def __post_init__(self) -> None:
        for name in ("frames", "deadline_ns", "max_age_ns", "bare_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name}: expected at least 1, got {value}")


@dataclass(frozen=True, slots=True)
class LoopSummary:
    """What a run of the loop came to.

    Attributes:
        source: how the source describes itself.
        source_fps: its nominal frame rate, if it has one.
        fps: results a second, intervals over span; ``None`` below two results.
        variant: the one that ran, with a ladder the last one; ``drop`` is what it costs in accuracy.
        misses: results that came too late, by what took most of their time.
        ladder: the rungs, how long the loop stood on each, and the steps between them.
        ending: why the loop ended.
        notes: what a person should know, e.g. of an assumed frame rate; the last one says why a camera was lost.
        camera: reconnects and outages of a live source, as :meth:`edgekit.camera.journal.Journal.as_json` has them.
    """

    source: str
    source_fps: float | None
    variant: str
    engine: str
    threads: int
    frames: FrameCounts
    ledger: Ledger
    fps: float | None
    deadline_ns: int | None
    misses: dict[MissCause, int]
    ending: Ending
    notes: list[str] = field(default_factory=list)
    drop: Drop | None = None
    ladder: dict[str, Any] | None = None
    camera: dict[str, Any] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict | None:
        """Whether p95 of ``total`` held the deadline; ``None`` where there was none."""
        if self.deadline_ns is None:
            return None
        return deadline_verdict(self.ledger.latency_ms()["total"], self.deadline_ns / 1e6)

    def as_json(self) -> dict[str, Any]:
        """The object that ``edgekit camera --json`` prints."""
        return {
            "source": self.source,
            "source_fps": self.source_fps,
            "variant": self.variant,
            "drop": to_builtins(self.drop),
            "engine": self.engine,
            "threads": self.threads,
            "frames": self.frames.as_json(),
            "fps": None if self.fps is None else round(self.fps, 3),
            "latency_ms": self.ledger.latency_ms(),
            "bare_ms": self.ledger.bare_ms(),
            "deadline_ms": None if self.deadline_ns is None else self.deadline_ns / 1e6,
            "misses": sum(self.misses.values()),
            "misses_by_cause": dict(self.misses),
            "verdict": self.verdict,
            "ladder": self.ladder,
            "camera": self.camera,
            "ended": self.ending,
            "notes": self.notes,
        }


class Loop:
    """One run over one source. :meth:`stop` may be called from a signal handler or another thread.

    Args:
        source: read by the capture thread, which also closes it.
        task: computes a result a frame, in the thread that calls :meth:`run`.
        sink: receives each outcome; committed at the end, aborted where the run breaks.
        options: what to do.
        drop: what the task's variant costs in accuracy, where it is known.
        climber: changes the variant when the machine is hot or late; ``task`` and ``drop`` are its first ones.
        patience: how long a live source is waited for.
        observers: told after each frame's times were taken, and of changes of the camera.
        now_ns: monotonic clock.
    """

    def __init__(
        self,
        source: Source,
        task: Task,
        sink: Sink,
        options: LoopOptions,
        *,
        drop: Drop | None = None,
        climber: Climber | None = None,
        patience: Patience | None = None,
        observers: Sequence[Observer] = (),
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.mailbox = Mailbox()
        self._source = source
        self._task = task
        self._sink = sink
        self._options = options
        self._drop = drop
        self._climber = climber
        self._observer = Observers(observers)
        self._now_ns = now_ns
        self._ledger = Ledger()
        self._deadline = Deadline(options.deadline_ns)
        lossless = not (source.live or options.paced)
        self._freshness = Freshness(None if lossless else options.deadline_ns, options.max_age_ns)
        self._bare = BareCalls(options.bare_every)
        self._rate = Rate()
        self._capture = capture_of(
            source,
            self.mailbox,
            paced=options.paced,
            limit=options.frames,
            patience=patience or Patience(),
            tell=self._tell_camera,
            now_ns=now_ns,
        )

    def stop(self) -> None:
        """Ends the loop after the frame in flight."""
        self.mailbox.stop("interrupted")

    def _tell_camera(self, state: CameraState, at_ns: int, detail: str) -> None:
        self._observer.camera_changed(CameraChanged(state, at_ns, detail))

    def warm_up(self) -> None:
        """Runs the task on a grey picture, so that the first frame does not pay for first allocations."""
        self._bare.cost_ns = warm_up(self._task, self._source.size_wh, self._now_ns).bare_ns()

    def run(self, *, warm_up: bool = False) -> LoopSummary:
        """Processes frames until the source ends, ``frames`` are done, or :meth:`stop` is called.

        Args:
            warm_up: call :meth:`warm_up` first, before anything is read.

        Raises:
            EdgekitError: the source, the task or the sink failed; what the sink had written is removed.
        """
        try:
            if warm_up:
                self.warm_up()
            if self._climber is not None:
                self._climber.start(self._source.size_wh, self._now_ns)
            self._capture.start()
            self._process_all()
            if self.mailbox.error is not None:
                raise self.mailbox.error
            self._sink.commit()
        except BaseException:
            self._sink.abort()
            raise
        finally:
            self.mailbox.stop("interrupted")
            hangs = not self._capture.join(JOIN_TIMEOUT_S)
            if self._climber is not None:
                self._climber.close()
        return self.summary(hangs)

    def _process_all(self) -> None:
        last: Trace | None = None
        is_stale = False
        while (frame := self._next_frame(None if is_stale else last)) is not None:
            is_stale = self._is_stale(frame)
            if is_stale:
                self.mailbox.counts.drop("stale")
                continue
            last = self.process(frame)
            if self.mailbox.counts.processed == self._options.frames:
                self.mailbox.stop("frame_limit")
                break
        if last is not None and self._ledger.bare.count == 0:  # a run too short for a planned one
            self._measure_bare(last)

    def _is_stale(self, frame: Frame) -> bool:
        now_ns = self._now_ns()
        due_ns = None if self.mailbox.closed else self._capture.next_due_ns
        return self._freshness.is_stale(
            now_ns - frame.arrived_ns, None if due_ns is None else due_ns - now_ns
        )

    def _next_frame(self, last: Trace | None) -> Frame | None:
        """Waits for a frame, and uses the pause for the last frame's bare call if one is due."""
        if last is not None:
            now_ns = self._now_ns()
            plan_ns = self._bare.plan(now_ns, self._capture.next_due_ns, self.mailbox.occupied)
            if plan_ns is not None and plan_ns > now_ns:
                frame = self.mailbox.take((plan_ns - now_ns) / NS_PER_S)
                if frame is not None or self.mailbox.stopped:
                    return frame
            if plan_ns is not None:
                self._measure_bare(last)
        return self.mailbox.take()

    def _measure_bare(self, trace: Trace) -> None:
        bare_ns = trace.bare_ns()
        self._bare.done(bare_ns)
        self._ledger.bare.add(bare_ns)

    def process(self, frame: Frame) -> Trace | None:
        """Takes one frame through task and sink, and its times into the ledger.

        Returns:
            Its engine calls, or ``None`` where another variant runs from now on: those are no measure of it.
        """
        self._observer.frame_taken(frame)
        start_ns = self._now_ns()
        trace = Trace(self._now_ns)
        result = self._task(frame, trace)
        made_ns = self._now_ns()
        outcome = Outcome(frame, result, max(made_ns - frame.arrived_ns, 0), self._task.variant, self._drop)
        self._sink.write(outcome)
        done_ns = self._now_ns()
        total_ns = done_ns - frame.arrived_ns
        stages_ns: dict[LoopStage, int] = {
            "capture": frame.capture_ns,
            "wait": start_ns - frame.arrived_ns,
            "pre": trace.ns["pre"],
            "infer": trace.ns["infer"],
            "post": trace.ns["post"],
            "sink": done_ns - made_ns,
            "total": total_ns,
        }
        if not clock_leapt(stages_ns):
            self._ledger.add(stages_ns)
        cause = self._deadline.check(stages_ns)
        self._freshness.processed(done_ns - start_ns)
        self._rate.add(done_ns)
        self.mailbox.counts.processed += 1
        self._observer.frame_done(FrameDone(outcome, stages_ns, cause is not None, cause))
        change = None if self._climber is None else self._climber.frame_done(stages_ns, cause)
        if change is None:
            return trace
        self._adopt(change)
        return None

    def _adopt(self, change: Change) -> None:
        self._task, self._drop = change.task, change.event.drop
        self._bare.cost_ns = change.bare_ns
        self._freshness.forget()
        self._observer.variant_changed(change.event)

    def summary(self, hangs: bool = False) -> LoopSummary:
        """What the run came to so far; ``hangs`` tells that the capture thread did not end."""
        notes = list(self._source.notes)
        if self._deadline.leaps:
            notes.append(f"the clock leapt during {self._deadline.leaps} frames: their times are not counted")
        if hangs:
            notes.append(f"the source did not return from a read within {JOIN_TIMEOUT_S:g} s: left behind")
        if self.mailbox.lost_reason:
            notes.append(self.mailbox.lost_reason)
        return LoopSummary(
            source=self._source.description,
            source_fps=self._source.fps,
            variant=self._task.variant,
            engine=self._task.engine,
            threads=self._task.threads,
            frames=self.mailbox.counts,
            ledger=self._ledger,
            fps=self._rate.per_second,
            deadline_ns=self._options.deadline_ns,
            misses=dict(self._deadline.causes),
            ending=self.mailbox.ending or "interrupted",
            camera=self._capture.journal.as_json(self._now_ns()),
            notes=notes,
            drop=self._drop,
            ladder=None if self._climber is None else self._climber.as_json(),
        )
