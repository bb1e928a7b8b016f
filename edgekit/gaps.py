"""Gaps between a camera's frames, and whether a call of a model fits into what is left of one.

A call that is under way when a frame comes shares the cores with it. Frames come at a known pace, and the calls of one
answer take about as long as those of the answer before: so most of them can be begun where they end in time.
"""

from __future__ import annotations

from collections import deque
from statistics import median

SPACINGS = 9
"""Frames whose median spacing is the camera's interval, and whose median time in the loop is the loop's."""

MARGIN = 1.25
"""A call is taken to last this much longer than it did: times tremble, and a frame may come early."""


class Gaps:
    """When frames came, and how long the loop was at work on them."""

    def __init__(self) -> None:
        self._spacings: deque[int] = deque(maxlen=SPACINGS)
        self._worked: deque[int] = deque(maxlen=SPACINGS)
        self._arrived_ns: int | None = None
        self._interval_ns = self._widest_ns = 0

    def done(self, arrived_ns: int, now_ns: int) -> None:
        """Takes note of a frame that the loop is done with."""
        if self._arrived_ns is not None:
            self._spacings.append(arrived_ns - self._arrived_ns)
            self._worked.append(now_ns - arrived_ns)
            self._interval_ns = round(median(self._spacings))
            self._widest_ns = self._interval_ns - round(median(self._worked))
        self._arrived_ns = arrived_ns

    def admit(self, call_ns: int, now_ns: int) -> bool:
        """Whether a call is to begin now, rather than behind the next frame.

        One that fits into no gap begins at once, and so do all when the next frame is overdue by an interval.

        Args:
            call_ns: how long it is expected to take.
            now_ns: on the clock of the frames' arrival; no frame is in the loop.
        """
        if self._arrived_ns is None:
            return True
        lasts_ns, next_ns = round(call_ns * MARGIN), self._arrived_ns + self._interval_ns
        return (
            lasts_ns > self._widest_ns or now_ns + lasts_ns <= next_ns or now_ns > next_ns + self._interval_ns
        )


class CallTimes:
    """How long the calls of an answer took, by their place in it: a picture, parts of the prompt, token by token."""

    def __init__(self) -> None:
        self._took_ns: list[int] = []
        self._place, self._began_ns = -1, 0

    def begin(self) -> None:
        """Another answer begins."""
        self._place = -1

    @property
    def next_ns(self) -> int:
        """What the next call took in an answer before; as long as the last one known where no answer had so many."""
        if not self._took_ns:
            return 0
        return self._took_ns[min(self._place + 1, len(self._took_ns) - 1)]

    def began(self, now_ns: int) -> None:
        """A call begins."""
        self._place, self._began_ns = self._place + 1, now_ns

    def ended(self, now_ns: int) -> None:
        """The one before has ended."""
        if self._place < 0:
            return
        took_ns = now_ns - self._began_ns
        if self._place < len(self._took_ns):
            self._took_ns[self._place] = (self._took_ns[self._place] + took_ns) // 2
        else:
            self._took_ns.append(took_ns)
