"""When a frame is due, which one to keep, what is late, and how fast it goes: pure policy, clock passed in.

All times are nanoseconds of one monotonic clock. Nothing here sleeps, locks or reads a clock: the shell
(``camera/mailbox.py``, ``camera/capture.py``, ``loop.py``) does, and a test feeds what times it likes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args

DropCause: TypeAlias = Literal["newer_frame", "corrupt", "stopped"]
"""Why a frame that was read was not processed: replaced by a newer one while it waited, not decodable, or
still waiting when the loop ended."""

DROP_CAUSES: tuple[DropCause, ...] = get_args(DropCause)

NS_PER_S = 1_000_000_000

T = TypeVar("T")


@dataclass(slots=True)
class FrameCounts:
    """Every frame that was read, and what became of it."""

    read: int = 0
    processed: int = 0
    dropped: dict[DropCause, int] = field(default_factory=lambda: dict.fromkeys(DROP_CAUSES, 0))

    def drop(self, cause: DropCause) -> None:
        """Counts one frame that will not be processed."""
        self.dropped[cause] += 1

    @property
    def unaccounted(self) -> int:
        """Frames read that are neither processed nor dropped: those waiting or in flight."""
        return self.read - self.processed - sum(self.dropped.values())

    def as_json(self) -> dict[str, Any]:
        """``{"read", "processed", "dropped": {cause: n}}``, every cause named even where it is 0."""
        return {"read": self.read, "processed": self.processed, "dropped": dict(self.dropped)}


class NewestWins(Generic[T]):
    """One waiting place. A newer frame takes it from an older one, so that results never lag behind."""

    def __init__(self) -> None:
        self._waiting: T | None = None

    @property
    def occupied(self) -> bool:
        """Whether a frame waits."""
        return self._waiting is not None

    def offer(self, item: T) -> T | None:
        """Puts ``item`` in the waiting place and returns the one that it replaced, if any."""
        replaced, self._waiting = self._waiting, item
        return replaced

    def take(self) -> T | None:
        """Removes and returns what waits."""
        item, self._waiting = self._waiting, None
        return item


@dataclass(frozen=True, slots=True)
class Schedule:
    """Absolute times at which frames are due, so that errors of single waits never add up.

    Attributes:
        start_ns: when frame 0 is due.
        fps: frames a second, above 0.
    """

    start_ns: int
    fps: float

    def __post_init__(self) -> None:
        if not 0 < self.fps < float("inf"):
            raise ValueError(f"fps: expected a finite number above 0, got {self.fps}")

    def due_ns(self, index: int) -> int:
        """When frame ``index`` is due."""
        return self.start_ns + round(index * NS_PER_S / self.fps)


@dataclass(slots=True)
class Rate:
    """Events a second: intervals over span. N stamps hold N-1 intervals, hence ``count - 1``."""

    count: int = 0
    first_ns: int = 0
    last_ns: int = 0

    def add(self, now_ns: int) -> None:
        """Counts one event."""
        if self.count == 0:
            self.first_ns = now_ns
        self.count += 1
        self.last_ns = now_ns

    @property
    def per_second(self) -> float | None:
        """The rate, or ``None`` before the second event."""
        span_ns = self.last_ns - self.first_ns
        return (self.count - 1) * NS_PER_S / span_ns if span_ns > 0 else None

    @property
    def interval_ns(self) -> int | None:
        """Mean time between two events, or ``None`` before the second one."""
        return (self.last_ns - self.first_ns) // (self.count - 1) if self.count > 1 else None


@dataclass(slots=True)
class Deadline:
    """Counts results that came too late: arrival to end of sink longer than ``limit_ns`` (``None``: any)."""

    limit_ns: int | None
    misses: int = 0

    def check(self, total_ns: int) -> bool:
        """Counts a miss, if it is one; a result exactly at the limit is in time."""
        late = self.limit_ns is not None and total_ns > self.limit_ns
        self.misses += late
        return late


Verdict: TypeAlias = Literal["PASS", "FAIL", "INCONCLUSIVE"]


def deadline_verdict(total_ms: Mapping[str, float] | None, deadline_ms: float) -> Verdict:
    """Whether a run held its deadline: 95 of 100 results, so ``p95`` of the stage ``total``, in time.

    Args:
        total_ms: quantiles of the stage ``total``, or ``None`` where nothing was processed.
        deadline_ms: the limit.
    """
    if total_ms is None:
        return "INCONCLUSIVE"
    return "PASS" if total_ms["p95"] <= deadline_ms else "FAIL"


@dataclass(slots=True)
class BareCalls:
    """When to run the engine call once more, alone, for ``bare_ms``, without costing a frame.

    It starts half-way through the pause before the next frame is due, or earlier if it would not fit with
    room to spare, so that it meets the processor as the frame's own call did: after a pause. Right behind
    another call it finds the core awake and the weights in the cache, which can make it 1.3 times faster. Where
    there is no such pause it runs every ``every``-th frame all the same, at once: that loop is warm anyway.

    Attributes:
        every: the most frames between two bare calls.
        cost_ns: estimate of the next bare call, 0 where there is none yet: the shorter of the last two, since
            one disturbed call says little.
        since: frames since the last one.
    """

    every: int = 16
    cost_ns: int = 0
    since: int = 0
    _last_ns: int = field(default=0, init=False)

    def plan(self, now_ns: int, next_due_ns: int | None, waiting: bool) -> int | None:
        """When to make the bare call of the frame just processed; ``None``: not for this one.

        Args:
            now_ns: the frame's sink has just ended.
            next_due_ns: when the next frame arrives, ``None`` where nobody knows.
            waiting: whether a frame waits already.
        """
        self.since += 1
        if self.since >= self.every:
            return now_ns
        if waiting or next_due_ns is None or self.cost_ns == 0:
            return None
        start_ns = min((now_ns + next_due_ns) // 2, next_due_ns - 2 * self.cost_ns)
        return start_ns if start_ns >= now_ns else None

    def done(self, bare_ns: int) -> None:
        """Tells how long the bare call took."""
        self.cost_ns = min(bare_ns, self._last_ns or bare_ns)
        self._last_ns = bare_ns
        self.since = 0
