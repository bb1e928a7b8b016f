"""Rolling figures of a running loop, for those who look at it from outside: preview, metrics, systemd.

The loop's own ledger is for its own thread, and for the end. What is told here costs a frame a few microseconds;
whatever takes longer happens in :meth:`Figures.snapshot`, in the thread of whoever asks.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edgekit.bundle.manifest import Drop
from edgekit.deadline import NS_PER_S, FrameCounts
from edgekit.events import AnswerTold, CameraChanged, FrameDone, Observer, VariantChanged
from edgekit.ladder import Heat
from edgekit.ledger import QUANTILES, STAGES
from edgekit.timeline import Timeline, steps_json

RECENT = 512
"""Results that quantiles are taken of."""

RATE_SPAN_NS = 5 * NS_PER_S
STEP_NS = NS_PER_S // 2
STEPS = 120  # of half a second: the last minute

ANSWERS = 8
ANSWER_CHARS = 4000
"""Answers that are kept, and how much of one is shown."""


@dataclass(frozen=True, slots=True)
class Speciality:
    """What a model is, what it is made for, and what it cannot do, as its card says."""

    title: str
    domain: str
    cannot: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {"title": self.title, "domain": self.domain, "cannot": list(self.cannot)}


@dataclass(frozen=True, slots=True)
class About:
    """What runs.

    Attributes:
        bundle: its name.
        speciality: of its model.
        task: name of the task.
        variant: the one that runs first.
        drops: variant → its measured accuracy drop, where the bundle says so.
        engine: with version.
        threads: inside one operator.
        source: where frames come from.
        source_fps: its nominal frame rate, if it has one.
        deadline_ms: limit from arrival to end of sink, if there is one.
        answerer: of the model that answers beside the loop, if one does.
    """

    bundle: str
    speciality: Speciality
    task: str
    variant: str
    drops: Mapping[str, Drop]
    engine: str
    threads: int
    source: str
    source_fps: float | None = None
    deadline_ms: float | None = None
    answerer: Speciality | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything but the drops, which come with the variant that runs."""
        return {
            "bundle": self.bundle,
            **self.speciality.as_json(),
            "answerer": None if self.answerer is None else self.answerer.as_json(),
            "task": self.task,
            "engine": self.engine,
            "threads": self.threads,
            "source": self.source,
            "source_fps": self.source_fps,
            "deadline_ms": self.deadline_ms,
        }


@dataclass(slots=True)
class _State:
    """What the newest events said."""

    variant: str = ""
    drop: Drop | None = None
    variant_why: str = ""
    camera: CameraChanged | None = None
    camera_changes: Counter[str] = field(default_factory=Counter)
    variant_changes: int = 0
    results: int = 0
    misses: Counter[str] = field(default_factory=Counter)
    arrived_ns: int | None = None


class Figures(Observer):
    """Collects figures as the loop runs; :meth:`snapshot` may be called from any thread.

    Args:
        heat: reads how hot the machine is; called by whoever asks for a snapshot.
        now_ns: monotonic clock, the loop's unless that one is made to leap.
    """

    def __init__(
        self,
        heat: Callable[[], Heat] = Heat,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.now_ns = now_ns
        self._heat = heat
        self.counts = FrameCounts()
        self._lock = threading.Lock()
        self._state = _State()
        self._recent: deque[tuple[int, ...]] = deque(maxlen=RECENT)  # done, then the stages
        self._timeline = Timeline(STEP_NS, STEPS, "forget")
        self._answers: dict[int, AnswerTold] = {}

    def begin(self, about: About, counts: FrameCounts) -> None:
        """Tells what runs, and where the loop counts its frames."""
        self.counts = counts
        with self._lock:
            self._state.variant = about.variant
            self._state.drop = about.drops.get(about.variant)

    def frame_done(self, event: FrameDone) -> None:
        """Counts a result."""
        now_ns = self.now_ns()
        row = (now_ns, *(event.stages_ns[stage] for stage in STAGES))
        with self._lock:
            self._recent.append(row)
            self._timeline.add(now_ns, event.stages_ns, event.missed)
            self._state.results += 1
            if event.missed:
                self._state.misses[event.cause or "late"] += 1
            self._state.arrived_ns = event.outcome.frame.arrived_ns

    def camera_changed(self, event: CameraChanged) -> None:
        """Keeps the camera's state; a change of its size leaves it live."""
        with self._lock:
            self._state.camera_changes[event.state] += 1
            self._state.camera = event

    def variant_changed(self, event: VariantChanged) -> None:
        """Keeps which variant runs."""
        with self._lock:
            self._state.variant_changes += 1
            self._state.variant, self._state.drop = event.after, event.drop
            self._state.variant_why = event.why

    def answer_told(self, event: AnswerTold) -> None:
        """Keeps the last answers."""
        with self._lock:
            self._answers[event.number] = event
            while len(self._answers) > ANSWERS:
                del self._answers[min(self._answers)]

    def answers(self) -> tuple[AnswerTold, ...]:
        """The last answers, the newest question first."""
        with self._lock:
            return tuple(self._answers[number] for number in sorted(self._answers, reverse=True))

    def snapshot(self) -> dict[str, Any]:
        """How it goes, as plain JSON values; quantiles are of the last 512 results, steps of the last minute."""
        now_ns, heat = self.now_ns(), self._heat()
        with self._lock:
            rows, steps = list(self._recent), self._timeline.steps  # references: the loop may be waiting
            camera = _camera(self._state, now_ns)
            variant = _variant(self._state)
            results, misses = self._state.results, dict(self._state.misses)
            arrived_ns = self._state.arrived_ns
        recent = np.array(rows, np.int64).reshape(-1, 1 + len(STAGES))
        return {
            "at_ms": now_ns / 1e6,
            "frames": self.counts.as_json(),
            "results": results,
            "misses": sum(misses.values()),
            "misses_by_cause": misses,
            "fps": _rate(recent[:, 0], now_ns),
            "age_ms": None if arrived_ns is None else round(max(now_ns - arrived_ns, 0) / 1e6, 3),
            "latency_ms": _quantiles(recent[:, 1:]),
            "timeline": steps_json(steps, STEP_NS, now_ns),
            "camera": camera,
            "variant": variant,
            "temperature_c": heat.celsius,
            "throttled": heat.throttled,
        }


def answer_json(answer: AnswerTold) -> dict[str, Any]:
    """One answer as plain JSON values; ``delay_ms`` is from its frame's arrival to its newest words."""
    return {
        "number": answer.number,
        "frame": answer.frame_index,
        "frame_ms": answer.frame_ns / 1e6,
        "delay_ms": round((answer.at_ns - answer.frame_ns) / 1e6, 1),
        "why": answer.why[:ANSWER_CHARS],
        "question": answer.question[:ANSWER_CHARS],
        "text": answer.text[:ANSWER_CHARS],
        "finished": answer.finished,
        "broken_off": answer.broken_off,
    }


def _rate(done_ns: np.ndarray[Any, np.dtype[np.int64]], now_ns: int) -> float | None:
    """Results a second of the last seconds: intervals over span; ``None`` below two results."""
    late = done_ns[done_ns >= now_ns - RATE_SPAN_NS]
    if len(late) < 2 or late[-1] == late[0]:
        return None
    return round(float((len(late) - 1) * NS_PER_S / (late[-1] - late[0])), 2)


def _quantiles(stages_ns: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, dict[str, float] | None]:
    if not len(stages_ns):
        return dict.fromkeys(STAGES)
    values = np.quantile(stages_ns, [q for _, q in QUANTILES], axis=0) / 1e6
    return {
        stage: {name: round(float(values[row, column]), 3) for row, (name, _) in enumerate(QUANTILES)}
        for column, stage in enumerate(STAGES)
    }


def _camera(state: _State, now_ns: int) -> dict[str, Any]:
    event = state.camera
    return {
        "state": "live" if event is None or event.state == "changed" else event.state,
        "detail": "" if event is None else event.detail,
        "since_ms": None if event is None else round((now_ns - event.at_ns) / 1e6),
        "changes": dict(state.camera_changes),
    }


def _variant(state: _State) -> dict[str, Any]:
    drop = state.drop
    return {
        "name": state.variant,
        "why": state.variant_why,
        "changes": state.variant_changes,
        "drop": None
        if drop is None
        else {
            "metric": drop.metric,
            "value": drop.value,
            "interval": list(drop.interval),
            "confidence": drop.confidence,
        },
    }
