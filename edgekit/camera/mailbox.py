"""The one place where capture and loop meet: at most one frame waits, and every frame is accounted for."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Literal, TypeAlias

from edgekit.deadline import FrameCounts, NewestWins
from edgekit.types import Frame

Ending: TypeAlias = Literal["end_of_source", "frame_limit", "interrupted", "camera_lost"]

LOOK_S = 0.5
"""How long the loop sleeps at most before it looks again. A signal handler of its own thread may :meth:`Mailbox.stop`
between its last look and its sleep, where a notification wakes nobody."""


class Mailbox:
    """A waiting place between the capture thread and the loop.

    Closing it for the capture side (:meth:`finish`) lets the loop take what still waits; closing it for the
    loop (:meth:`stop`) drops that under ``stopped``.

    One re-entrant lock guards everything, so that a signal handler may call :meth:`stop` while its own
    thread holds it. Each kind of waiting has its own condition: a shared one would wake the capture thread
    out of its pause at every frame, at the very moment the engine starts.

    Args:
        now_s: monotonic clock, of waiting times only.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self.counts = FrameCounts()
        self.ending: Ending | None = None
        self.lost_reason = ""
        self.error: BaseException | None = None
        self._slot: NewestWins[Frame] = NewestWins()
        self._held_until_s = 0.0
        self._now_s = now_s
        self._lock = threading.RLock()
        self._frame = threading.Condition(self._lock)
        self._room = threading.Condition(self._lock)
        self._halt = threading.Condition(self._lock)
        self._stopped = False

    @property
    def occupied(self) -> bool:
        """Whether a frame waits."""
        return self._slot.occupied

    @property
    def stopped(self) -> bool:
        """Whether the loop takes no more frames."""
        return self._stopped

    def pause(self, seconds: float) -> bool:
        """Sleeps, at most until :meth:`stop`; returns whether it was stopped."""
        with self._lock:
            return self._halt.wait_for(lambda: self._stopped, max(seconds, 0.0))

    def put(self, frame: Frame, hold_s: float = 0.0) -> None:
        """Counts a frame as read and lets it wait, in place of an older one.

        Args:
            frame: numbered and stamped.
            hold_s: give a newer one so long to come before this one may be taken.
        """
        with self._lock:
            self.counts.read += 1
            if self.stopped:
                self.counts.drop("stopped")
                return
            if self._slot.offer(frame) is not None:
                self.counts.drop("newer_frame")
            self._held_until_s = self._now_s() + hold_s if hold_s > 0 else 0.0
            self._frame.notify()

    def put_corrupt(self) -> None:
        """Counts a frame as read, and as dropped because it cannot be decoded."""
        with self._lock:
            self.counts.read += 1
            self.counts.drop("corrupt")

    def wait_for_room(self) -> bool:
        """Waits until no frame waits; returns ``False`` once the loop has stopped."""
        with self._lock:
            self._room.wait_for(lambda: self.stopped or not self._slot.occupied)
            return not self.stopped

    def take(self, timeout_s: float | None = None) -> Frame | None:
        """Waits for a frame and removes it.

        Args:
            timeout_s: how long to wait at most for one to come; for as long as it takes by default.

        Returns:
            The frame, or ``None`` at the end (``ending`` or ``error`` says which) or after ``timeout_s``.
        """
        with self._lock:
            end_s = math.inf if timeout_s is None else self._now_s() + timeout_s
            while (
                not self.closed and (wait_s := self._held_s() if self.occupied else end_s - self._now_s()) > 0
            ):
                self._frame.wait(min(wait_s, LOOK_S))
            self._room.notify()
            return self._slot.take()

    def _held_s(self) -> float:
        return self._held_until_s - self._now_s() if self._held_until_s else 0.0

    @property
    def closed(self) -> bool:
        """Whether no frame will follow the one that may wait."""
        return self.stopped or self.ending is not None or self.error is not None

    def finish(self, ending: Ending) -> None:
        """The capture side has nothing more to put."""
        with self._lock:
            self.ending = self.ending or ending
            self._frame.notify()

    def lose(self, reason: str) -> None:
        """The camera is lost; the loop ends and says why."""
        with self._lock:
            self.lost_reason = reason
            self.finish("camera_lost")

    def fail(self, error: BaseException) -> None:
        """The capture side broke; the loop raises ``error`` in its own thread."""
        with self._lock:
            self.error = self.error or error
            self._frame.notify()

    def stop(self, ending: Ending) -> None:
        """The loop takes no more frames; one that still waits is dropped under ``stopped``."""
        with self._lock:
            self.ending = self.ending or ending
            self._stopped = True
            if self._slot.take() is not None:
                self.counts.drop("stopped")
            for condition in (self._frame, self._room, self._halt):
                condition.notify_all()
