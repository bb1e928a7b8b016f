"""What the readings of a live camera say about its condition, and what is to be done: pure, times passed in."""

from __future__ import annotations

from edgekit.camera.frozen import FrozenWatch
from edgekit.camera.journal import Journal, OutageCause
from edgekit.camera.pace import Pace
from edgekit.camera.patience import Patience, pause_s
from edgekit.camera.protocol import Tell
from edgekit.deadline import NS_PER_S
from edgekit.types import Frame

FAILED_READS = 2
"""Failed reads in a row after which a camera is lost: a single one may be a glitch."""

GLITCH_NS = NS_PER_S
"""A read that fails after a longer wait has timed out: that is no glitch, and the next one would wait as long."""

STEADY_NS = 5 * NS_PER_S
"""After so long without an outage the next one begins with the shortest pause again."""


class Condition:
    """Of one live camera over a run, however often it is opened again.

    Args:
        patience: how long to wait for what.
        nominal_fps: what the source says about its rate.
        start_ns: when the run began.
        tell: called with each change of state.
    """

    def __init__(self, patience: Patience, nominal_fps: float | None, start_ns: int, tell: Tell) -> None:
        self.journal = Journal(start_ns)
        self.pace = Pace(nominal_fps)
        self._patience = patience
        self._tell = tell
        self._frozen = FrozenWatch(patience.frozen_s)
        self._size_wh: tuple[int, int] | None = None
        self._failures = 0
        self._failed_since_ns = 0
        self._attempts = 0
        self._live_since_ns: int | None = None
        self._corrupt_since_ns: int | None = None
        self._reason = ""

    @property
    def hang_s(self) -> float:
        """How long a call may take: five frames of a slow camera, if that is more than the patience."""
        return max(self._patience.hang_s, 5 * (self.pace.interval_ns or 0) / NS_PER_S)

    def frame(self, frame: Frame, now_ns: int) -> tuple[int, bool]:
        """A frame came.

        Returns:
            For how many nanoseconds it is to be held (:class:`Pace`), and whether the camera is to be opened again
            because it has been frozen for long.
        """
        self._failures, self._corrupt_since_ns = 0, None
        self._is_back(now_ns)
        self._compare(frame, now_ns)
        hold_ns = self.pace.arrived(now_ns)
        rates = self.pace.changed_rate()
        if rates is not None:
            self.changed(f"{rates[0]:.3g} → {rates[1]:.3g} frames a second", now_ns)
        return hold_ns, self._look(frame, now_ns)

    def changed(self, detail: str, now_ns: int) -> None:
        """Frames have another form from now on."""
        self.journal.changes += 1
        self._tell("changed", now_ns, detail)

    def corrupt(self, reason: str, now_ns: int) -> bool:
        """A frame cannot be decoded; returns whether the camera is to be opened again."""
        if self._corrupt_since_ns is None:
            self._corrupt_since_ns = now_ns
        elif now_ns - self._corrupt_since_ns >= self.hang_s * NS_PER_S:
            self._away("corrupt", self._corrupt_since_ns, now_ns, reason)
            self._corrupt_since_ns = None
            return True
        return False

    def failed(self, reason: str, now_ns: int, took_ns: int) -> bool:
        """A read failed after ``took_ns``; returns whether the camera is to be opened again, or only read again."""
        self._failures += 1
        if self._failures == 1:
            self._failed_since_ns = now_ns - took_ns
        if self._failures < FAILED_READS and took_ns < GLITCH_NS:
            return False
        self._failures = 0
        self._away("lost", self._failed_since_ns, now_ns, reason)
        return True

    def hung(self, waited_s: float, now_ns: int) -> None:
        """A read or an attempt to open it did not return for so long."""
        self._away("hung", now_ns - round(waited_s * NS_PER_S), now_ns, f"no answer for {waited_s:.3g} s")

    def pause_s(self) -> float:
        """How long to wait before the next attempt to open it."""
        self._attempts += 1
        return pause_s(self._attempts - 1)

    def not_opened(self, reason: str, now_ns: int) -> None:
        """It could not be opened again."""
        self._away("lost", now_ns, now_ns, reason)

    def reopened(self) -> None:
        """It was opened again; whether it gives frames remains to be seen."""
        self.journal.reconnects += 1
        self.pace.restarted()

    def given_up(self, now_ns: int) -> str | None:
        """Why it is given up, if it is."""
        outage, limit_s = self.journal.outage, self._patience.give_up_s
        if outage is None or limit_s is None or outage.cause == "frozen":
            return None
        if now_ns - outage.start_ns < limit_s * NS_PER_S:
            return None
        return f"{self._reason} (given up after {limit_s:g} s)"

    def _away(self, cause: OutageCause, start_ns: int, now_ns: int, reason: str) -> None:
        self._reason = reason
        self._live_since_ns = None
        self._frozen.forget()
        outage = self.journal.outage
        if outage is None or outage.cause == "frozen":
            self.journal.begin(cause, start_ns)
            self._tell("lost", now_ns, reason)

    def _is_back(self, now_ns: int) -> None:
        outage = self.journal.outage
        if outage is not None and outage.cause != "frozen":
            self.journal.end(now_ns)
            self._tell("live", now_ns, f"back after {(now_ns - outage.start_ns) / NS_PER_S:.1f} s")
        if self._live_since_ns is None:
            self._live_since_ns = now_ns
        elif now_ns - self._live_since_ns >= STEADY_NS:
            self._attempts = 0

    def _compare(self, frame: Frame, now_ns: int) -> None:
        before_wh, self._size_wh = self._size_wh, frame.size_wh
        if before_wh is not None and before_wh != frame.size_wh:
            sizes = (f"{width}x{height}" for width, height in (before_wh, frame.size_wh))
            self.changed(" → ".join(sizes), now_ns)

    def _look(self, frame: Frame, now_ns: int) -> bool:
        motion = self._frozen.see(frame.pixels, now_ns)
        outage = self.journal.outage
        if motion == "moving" and outage is not None:
            self.journal.end(now_ns)
            self._tell("live", now_ns, f"moves after {(now_ns - outage.start_ns) / NS_PER_S:.1f} s")
        elif motion == "frozen":
            since_ns = self._frozen.since_ns
            self.journal.begin("frozen", since_ns)
            self._tell("frozen", now_ns, f"the same picture for {(now_ns - since_ns) / NS_PER_S:.1f} s")
        return motion == "reopen"
