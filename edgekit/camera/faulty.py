"""A made-up live camera that fails as planned, to test whatever runs on cameras."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import cv2

from edgekit.camera.faults import FaultPlan
from edgekit.camera.protocol import Corrupt, EndOfSource, LiveSource, Lost, Reading, Source
from edgekit.camera.synthetic import SyntheticSource
from edgekit.deadline import NS_PER_S
from edgekit.errors import EnvironmentLacks
from edgekit.types import U8, Frame

UNPLUGGED = "synthetic camera: unplugged, as planned"

_NEARLY_S = 1e-6  # what is due within this is due: a sleep may end that much too early


class Timeline:
    """What outlives a lost connection: the camera's time (from ``began_s`` on), and which frame comes next.

    Time begins at the first read, so that start-up does not eat into the plan.

    Args:
        now_s: monotonic clock.
        sleep: waits so many seconds.
    """

    def __init__(
        self, now_s: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.next_index = 0
        self.held_to = 0
        self.shown: U8 | None = None
        self.sleep = sleep
        self._now_s = now_s
        self.began_s: float | None = None

    def begin(self) -> None:
        """Starts the time, if it does not run yet."""
        if self.began_s is None:
            self.began_s = self._now_s()

    def now_s(self) -> float:
        """Seconds since the first read."""
        return 0.0 if self.began_s is None else self._now_s() - self.began_s + _NEARLY_S


class FaultySource:
    """A live camera that shows a synthetic source and fails as planned; see :class:`edgekit.camera.protocol.Source`.

    Frames come in real time. Like a driver with one buffer it gives the newest one to a reader that comes late.

    Args:
        made: where the pictures come from.
        plan: when it fails, and how.
        fps: frames a second.
        seconds: length; then it ends, whatever the plan says.
        timeline: of the source that this one reopens.
    """

    live = True

    def __init__(
        self,
        made: SyntheticSource,
        plan: FaultPlan,
        fps: float,
        seconds: float,
        timeline: Timeline | None = None,
    ) -> None:
        self.description = f"{made.description}{plan}"
        self.fps: float | None = fps
        self._fps = fps
        self.size_wh = made.size_wh
        self.notes: list[str] = []
        self._made = made
        self._plan = plan
        self._seconds = seconds
        self._line = timeline or Timeline()

    def read(self) -> Reading:
        """Waits for the next frame and gives it, as far as the plan lets it."""
        self._line.begin()
        while True:
            time_s = self._line.now_s()
            if time_s >= self._seconds:
                return EndOfSource()
            if self._plan.active("unplug", time_s):
                return Lost(UNPLUGGED)
            wait_s = self._wait_s(time_s)
            if wait_s is None:
                return self._next()
            self._line.sleep(max(min(wait_s, self._seconds - time_s), _NEARLY_S))

    def reopen(self) -> LiveSource:
        """Another connection to the same camera.

        Raises:
            EnvironmentLacks: it is unplugged.
        """
        time_s = self._line.now_s()
        if time_s < self._seconds and self._plan.active("unplug", time_s):
            raise EnvironmentLacks(UNPLUGGED)
        return FaultySource(self._made, self._plan, self._fps, self._seconds, self._line)

    def close(self) -> None:
        """Nothing to give back."""

    def loop_clock_ns(self) -> int:
        """The monotonic clock of whoever runs on this camera, with the leaps of the plan."""
        leap_s = 0.0 if self._line.began_s is None else self._plan.leap_s(self._line.now_s())
        return time.perf_counter_ns() + round(leap_s * NS_PER_S)

    def _wait_s(self, time_s: float) -> float | None:
        """How long until the next frame may come, ``None`` where it is there.

        Skips what falls due in a stall, or was not fetched in time.
        """
        line, fps = self._line, self._fps
        burst = self._plan.active("burst", time_s)
        if burst:
            line.held_to = math.ceil(burst.end_s * fps)
            return burst.end_s - time_s
        stall = self._plan.active("stall", time_s)
        if stall:
            line.next_index = max(line.next_index, math.ceil(stall.end_s * fps))
            return stall.end_s - time_s
        if line.next_index >= line.held_to:
            line.next_index = max(line.next_index, math.floor(time_s * fps))
        wait_s = line.next_index / fps - time_s
        return wait_s if wait_s > 0 else None

    def _next(self) -> Reading:
        line, plan = self._line, self._plan
        index, line.next_index = line.next_index, line.next_index + 1
        due_s = index / self._fps
        if plan.active("corrupt", due_s):
            return Corrupt(f"synthetic camera: frame {index} cannot be decoded, as planned")
        if line.shown is None or not plan.active("freeze", due_s):
            pixels = self._made.picture(index)
            if plan.active("resize", due_s):
                pixels = cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
            line.shown = pixels
        return Frame(line.shown.copy(), "bgr")


def clock_of(source: Source) -> Callable[[], int]:
    """The clock for a loop over ``source``: the machine's, unless the source is there to disturb it."""
    return source.loop_clock_ns if isinstance(source, FaultySource) else time.perf_counter_ns
