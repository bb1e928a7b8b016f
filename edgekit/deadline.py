"""When a frame is due, which one to keep, what is late, and how fast it goes: pure policy, clock passed in.

All times are nanoseconds of one monotonic clock. Nothing here sleeps, locks or reads a clock: the shell
(``camera/mailbox.py``, ``camera/capture.py``, ``loop.py``) does, and a test feeds what times it likes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Generic, Literal, TypeAlias, TypeVar, get_args

from edgekit.ledger import LoopStage

DropCause: TypeAlias = Literal["newer_frame", "stale", "corrupt", "stopped"]
"""Why a frame that was read was not processed: replaced by a newer one while it waited, too old when its turn came,
not decodable, or still waiting when the loop ended."""

DROP_CAUSES: tuple[DropCause, ...] = get_args(DropCause)

MissCause: TypeAlias = Literal[
    "late_frame", "slow_pre", "slow_inference", "slow_post", "slow_sink", "clock_leap"
]
"""What took most of the time of a result that came too late: waiting for its turn, a step of the task, or the sinks.
``clock_leap``: the clock jumped, so that nobody knows."""

MISS_CAUSES: tuple[MissCause, ...] = get_args(MissCause)

NS_PER_S = 1_000_000_000

LEAP_NS = 600 * NS_PER_S
"""Ten minutes: nothing in a loop takes as long, so the clock leapt, or the machine slept."""

_CAUSE_OF_STAGE: dict[LoopStage, MissCause] = {
    "wait": "late_frame",
    "pre": "slow_pre",
    "infer": "slow_inference",
    "post": "slow_post",
    "sink": "slow_sink",
}

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
    """Events a second: intervals over span. N stamps hold N-1 intervals.

    An interval below 0 or above :data:`LEAP_NS` is none, and the span goes on without it: the clock leapt.

    Attributes:
        count: events.
    """

    count: int = 0
    _intervals: int = field(default=0, init=False)
    _span_ns: int = field(default=0, init=False)
    _last_ns: int = field(default=0, init=False)

    def add(self, now_ns: int) -> None:
        """Counts one event."""
        interval_ns = now_ns - self._last_ns
        if self.count and 0 <= interval_ns <= LEAP_NS:
            self._intervals += 1
            self._span_ns += interval_ns
        self.count += 1
        self._last_ns = now_ns

    @property
    def per_second(self) -> float | None:
        """The rate, or ``None`` before the second event."""
        return self._intervals * NS_PER_S / self._span_ns if self._span_ns else None


def clock_leapt(stages_ns: Mapping[LoopStage, int]) -> bool:
    """Whether a stage is shorter than nothing or longer than :data:`LEAP_NS`.

    Args:
        stages_ns: time by stage. ``capture`` may be as long as it likes: a camera can be gone for hours.
    """
    return any(not 0 <= ns <= LEAP_NS for stage, ns in stages_ns.items() if stage != "capture")


@dataclass(slots=True)
class Deadline:
    """Counts results that came too late: arrival to end of sink longer than ``limit_ns`` (``None``: any).

    Attributes:
        limit_ns: the limit.
        causes: misses by what ate the time.
        leaps: results across which the clock leapt, whether there is a limit or not.
    """

    limit_ns: int | None
    causes: dict[MissCause, int] = field(default_factory=lambda: dict.fromkeys(MISS_CAUSES, 0))
    leaps: int = 0

    def check(self, stages_ns: Mapping[LoopStage, int]) -> MissCause | None:
        """Counts a miss, if it is one, and says what caused it; a result exactly at the limit is in time.

        The cause is the longest stage. Where the clock leapt nobody knows whether the result was in time, so it
        counts as late.

        Args:
            stages_ns: time by stage of the ledger, ``total`` among them.
        """
        leapt = clock_leapt(stages_ns)
        self.leaps += leapt
        if self.limit_ns is None or (stages_ns["total"] <= self.limit_ns and not leapt):
            return None
        longest = max(_CAUSE_OF_STAGE, key=lambda stage: stages_ns[stage])
        cause: MissCause = "clock_leap" if leapt else _CAUSE_OF_STAGE[longest]
        self.causes[cause] += 1
        return cause

    @property
    def misses(self) -> int:
        """Results that came too late."""
        return sum(self.causes.values())


@dataclass(slots=True)
class Freshness:
    """Which waiting frame is too old to be worth its turn.

    Two rules. A frame older than ``max_age_ns`` is stale, whatever comes next. With a deadline, a frame that can no
    longer meet it is stale if the next one can, and is there before this one would be done: then that one's result
    is in time, and this one's would be a miss that makes the next one late as well.

    Nothing starves: after a stale frame the next one is processed whatever its age. (The loop then stands idle, so
    that frame comes fresh, unless clocks disagree.)

    Attributes:
        limit_ns: the deadline, arrival to end of sink.
        max_age_ns: the longest wait allowed.
    """

    limit_ns: int | None = None
    max_age_ns: int | None = None
    _costs: deque[int] = field(default_factory=lambda: deque(maxlen=15), init=False)
    _dropped: bool = field(default=False, init=False)

    def processed(self, cost_ns: int) -> None:
        """Tells what the last frame cost, from its turn to the end of its sink."""
        self._dropped = False
        if 0 <= cost_ns <= LEAP_NS:
            self._costs.append(cost_ns)

    def forget(self) -> None:
        """Another variant runs from now on: what frames cost is to be learned anew."""
        self._costs.clear()

    @property
    def cost_ns(self) -> int | None:
        """What a frame costs, the median of the last 15; ``None`` before the third."""
        return round(median(self._costs)) if len(self._costs) >= 3 else None

    def is_stale(self, age_ns: int, next_in_ns: int | None) -> bool:
        """Whether to drop the frame whose turn it is.

        Args:
            age_ns: since its arrival; below 0 where the clock leapt.
            next_in_ns: when the next frame is expected, from now; a little below 0 if it is overdue; ``None`` where
                nobody knows, or none will come.
        """
        if self._dropped:
            return False
        self._dropped = self._too_old(age_ns) or self._doomed(age_ns, next_in_ns)
        return self._dropped

    def _too_old(self, age_ns: int) -> bool:
        return self.max_age_ns is not None and age_ns > self.max_age_ns

    def _doomed(self, age_ns: int, next_in_ns: int | None) -> bool:
        cost_ns = self.cost_ns
        if self.limit_ns is None or next_in_ns is None or cost_ns is None:
            return False
        return cost_ns <= self.limit_ns < age_ns + cost_ns and abs(next_in_ns) <= cost_ns


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
