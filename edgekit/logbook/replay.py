"""What a recorded run came to: quantiles, rate, misses against any deadline, latency over time. Constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from edgekit.deadline import NS_PER_S, Deadline, Rate, Verdict, deadline_verdict
from edgekit.ledger import STAGES, Durations, Ledger, LoopStage
from edgekit.logbook.lines import (
    AnswerLine,
    CameraLine,
    CountsLine,
    EndLine,
    FrameLine,
    GapLine,
    Head,
    Line,
    VariantLine,
)
from edgekit.timeline import Timeline

STEPS = 240
STEP_NS = NS_PER_S // 100
"""Of the timeline, to begin with: it widens as the run grows."""

VARIANTS = 32
EVENTS = 200
"""Variants and events that are told apart; more are counted."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, for a plot: ``camera lost``, ``variant int8-small``."""

    at_ns: int
    what: str


@dataclass(slots=True)
class Replay:
    """What a recorded run came to.

    Attributes:
        head: what ran.
        deadline: counts misses against the limit of the replay.
        counts: the newest of them in the file.
        missing: lines that the recorder could not write.
        ended: whether the file holds its last line.
    """

    head: Head
    deadline: Deadline
    ledger: Ledger = field(default_factory=Ledger)
    rate: Rate = field(default_factory=Rate)
    timeline: Timeline = field(default_factory=lambda: Timeline(STEP_NS, STEPS, "widen"))
    by_variant: dict[str, Durations] = field(default_factory=dict)
    counts: CountsLine | None = None
    events: list[Event] = field(default_factory=list)
    answers: Durations = field(default_factory=Durations)
    missing: int = 0
    more_events: int = 0
    ended: bool = False
    first_ns: int = 0
    last_ns: int = 0

    def add(self, line: Line) -> None:
        """Takes one line in."""
        match line:
            case FrameLine():
                self._frame(line)
            case CountsLine():
                self.counts = line
            case CameraLine():
                self._event(line.at_ns, f"camera {line.state}")
            case VariantLine():
                self._event(line.at_ns, f"variant {line.after}")
            case AnswerLine():
                self.answers.add(line.at_ns - line.frame_ns)
            case GapLine():
                self.missing += line.lines
            case EndLine():
                self.ended = True

    @property
    def verdict(self) -> Verdict | None:
        """Whether p95 of ``total`` held the deadline; ``None`` where there is none."""
        if self.deadline.limit_ns is None:
            return None
        return deadline_verdict(self.ledger.latency_ms()["total"], self.deadline.limit_ns / 1e6)

    def as_json(self) -> dict[str, Any]:
        """The object that ``edgekit bench --ledger --json`` prints."""
        limit_ns = self.deadline.limit_ns
        counts = self.counts
        return {
            "bundle": self.head.bundle,
            "task": self.head.task,
            "source": self.head.source,
            "engine": self.head.engine,
            "threads": self.head.threads,
            "machine": self.head.machine,
            "n": self.rate.count,
            "span_s": round((self.last_ns - self.first_ns) / NS_PER_S, 3),
            "fps": None if self.rate.per_second is None else round(self.rate.per_second, 3),
            "frames": None
            if counts is None
            else {"read": counts.read, "processed": counts.processed, "dropped": counts.dropped},
            "latency_ms": self.ledger.latency_ms(),
            "variants": {
                name: {**total.as_ms(), "n": total.count} for name, total in self.by_variant.items()
            },
            "deadline_ms": None if limit_ns is None else limit_ns / 1e6,
            "misses": self.deadline.misses,
            "misses_by_cause": dict(self.deadline.causes),
            "verdict": self.verdict,
            "answers": {**self.answers.as_ms(), "n": self.answers.count} if self.answers.count else None,
            "events": [
                {"at_s": round((event.at_ns - self.first_ns) / NS_PER_S, 3), "what": event.what}
                for event in self.events
            ],
            "more_events": self.more_events,
            "missing_lines": self.missing,
            "ended": self.ended,
        }

    def _frame(self, line: FrameLine) -> None:
        stages_ns: dict[LoopStage, int] = dict(
            zip(
                STAGES,
                (
                    line.capture_ns,
                    line.wait_ns,
                    line.pre_ns,
                    line.infer_ns,
                    line.post_ns,
                    line.sink_ns,
                    line.total_ns,
                ),
                strict=True,
            )
        )
        done_ns = line.arrived_ns + line.total_ns
        if self.rate.count == 0:
            self.first_ns = self.last_ns = done_ns
        self.last_ns = max(self.last_ns, done_ns)
        self.ledger.add(stages_ns)
        self.rate.add(done_ns)
        self.timeline.add(done_ns, stages_ns, self.deadline.check(stages_ns) is not None)
        name = (
            line.variant if line.variant in self.by_variant or len(self.by_variant) < VARIANTS else "others"
        )
        self.by_variant.setdefault(name, Durations()).add(line.total_ns)

    def _event(self, at_ns: int, what: str) -> None:
        if len(self.events) < EVENTS:
            self.events.append(Event(at_ns, what))
        else:
            self.more_events += 1


def replay(lines: Iterator[Line], deadline_ns: int | None = None) -> Replay:
    """Goes through a recorded ledger.

    Args:
        lines: of it, the head first.
        deadline_ns: what misses are counted against; the recorded run's own deadline by default.
    """
    head = next(lines)
    assert isinstance(head, Head)
    if deadline_ns is None and head.deadline_ms is not None:
        deadline_ns = round(head.deadline_ms * 1e6)
    found = Replay(head, Deadline(deadline_ns))
    for line in lines:
        found.add(line)
    return found
