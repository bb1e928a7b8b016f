"""How fast the frames of a live camera come: when the next is due, which are old, whether the rate has changed."""

from __future__ import annotations

from collections import deque
from statistics import median

from edgekit.deadline import NS_PER_S

SPACINGS = 15
"""Spacings whose median is the interval: half of them may be odd."""

MIN_SPACINGS = 4

GAP_INTERVALS = 5.0
MIN_GAP_NS = NS_PER_S // 2
"""After a longer silence than both, what comes may have queued up in a driver, socket or decoder."""

MIN_DRAIN_NS = 2 * NS_PER_S
"""A queue that is not empty after so long, and after as long as the silence, is no queue: the source is that fast."""

WINDOW_NS = 5 * NS_PER_S
CHANGED_BY = 1.25
SAME_WITHIN = 1.15


class Pace:
    """Arrival times of one camera.

    After a silence frames are *held* for half an interval: those that had queued up come faster than that, and each
    replaces the one before, so that the first frame processed is the last one of the queue. Without that the results
    of a whole queue would be told as fresh.

    Args:
        nominal_fps: what the source says, used until its frames say better.
    """

    def __init__(self, nominal_fps: float | None) -> None:
        self._nominal_ns = round(NS_PER_S / nominal_fps) if nominal_fps else None
        self._spacings: deque[int] = deque(maxlen=SPACINGS)
        self._last_ns: int | None = None
        self._drain_until_ns: int | None = None
        self._rate = RateWatch()

    @property
    def interval_ns(self) -> int | None:
        """Time between two frames, or ``None`` where nobody knows."""
        if len(self._spacings) < MIN_SPACINGS:
            return self._nominal_ns
        return round(median(self._spacings))

    def arrived(self, now_ns: int) -> int:
        """Takes note of a frame; returns for how many nanoseconds it is to be held."""
        self._rate.add(now_ns)
        spacing_ns = None if self._last_ns is None else now_ns - self._last_ns
        self._last_ns = now_ns
        interval_ns = self.interval_ns
        if interval_ns is None:
            return self._note(spacing_ns)
        if spacing_ns is None or spacing_ns >= max(GAP_INTERVALS * interval_ns, MIN_GAP_NS):
            self._drain_until_ns = now_ns + max(MIN_DRAIN_NS, spacing_ns or 0)
            return interval_ns // 2
        if self._drain_until_ns is None:
            return self._note(spacing_ns)
        if 2 * spacing_ns >= interval_ns or now_ns > self._drain_until_ns:
            self._drain_until_ns = None
            return 0
        return interval_ns // 2

    def restarted(self) -> None:
        """The camera was opened again: the time since its last frame says nothing."""
        self._last_ns = None
        self._rate.restart()

    def changed_rate(self) -> tuple[float, float] | None:
        """Old and new frames a second where the rate has changed for good; told once."""
        return self._rate.take_change()

    def _note(self, spacing_ns: int | None) -> int:
        if spacing_ns is not None:
            self._spacings.append(spacing_ns)
        return 0


class RateWatch:
    """Frames a second over windows of five seconds: two alike that differ from before are a change."""

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._count = 0
        self._before: float | None = None
        self._last: float | None = None
        self._change: tuple[float, float] | None = None

    def restart(self) -> None:
        """Begins a new window."""
        self._start_ns = None

    def add(self, now_ns: int) -> None:
        """Counts a frame."""
        if self._start_ns is None:
            self._start_ns, self._count = now_ns, 0
            return
        self._count += 1
        if now_ns - self._start_ns >= WINDOW_NS:
            self._close(self._count * NS_PER_S / (now_ns - self._start_ns))
            self._start_ns, self._count = now_ns, 0

    def take_change(self) -> tuple[float, float] | None:
        """The change that was not taken yet."""
        change, self._change = self._change, None
        return change

    def _close(self, rate: float) -> None:
        before, last, self._last = self._before, self._last, rate
        if last is None or _ratio(rate, last) > SAME_WITHIN:
            return
        if before is None:
            self._before = rate
        elif _ratio(rate, before) >= CHANGED_BY:
            self._change, self._before = (before, rate), rate


def _ratio(one: float, other: float) -> float:
    return max(one, other) / max(min(one, other), 1e-9)
