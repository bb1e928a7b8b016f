"""What happened to a live camera during a run, in bounded memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from edgekit.deadline import NS_PER_S

OutageCause: TypeAlias = Literal["lost", "hung", "corrupt", "frozen"]
"""``lost``: a read failed. ``hung``: a read did not return. ``corrupt``: nothing could be decoded for seconds.
``frozen``: the same picture again and again; its frames were processed all the same."""

MAX_OUTAGES = 100
"""Outages that are listed, the newest; the others are only counted."""


@dataclass(slots=True)
class Outage:
    """A time in which the camera showed nothing new; ``end_ns`` is ``None`` while it lasts."""

    cause: OutageCause
    start_ns: int
    end_ns: int | None = None


class Journal:
    """Outages and changes of one camera.

    Args:
        start_ns: when the run began, on the clock of all times here.
    """

    def __init__(self, start_ns: int) -> None:
        self.reconnects = 0
        self.changes = 0
        self.outages_total = 0
        self._outage_ns = 0
        self.start_ns = start_ns
        self._outages: deque[Outage] = deque(maxlen=MAX_OUTAGES)

    @property
    def outage(self) -> Outage | None:
        """The one that lasts, if any."""
        last = self._outages[-1] if self._outages else None
        return last if last is not None and last.end_ns is None else None

    def begin(self, cause: OutageCause, at_ns: int) -> None:
        """An outage begins; one of another cause that lasts ends here."""
        self.end(at_ns)
        self.outages_total += 1
        self._outages.append(Outage(cause, at_ns))

    def end(self, at_ns: int) -> None:
        """The outage that lasts is over."""
        outage = self.outage
        if outage is not None:
            outage.end_ns = max(at_ns, outage.start_ns)
            self._outage_ns += outage.end_ns - outage.start_ns

    def as_json(self, now_ns: int) -> dict[str, Any]:
        """``{"reconnects", "changes", "outages_total", "outage_s", "outages": [{"cause", "start_s", "seconds",
        "over"}]}``; times in seconds from the start of the run, an outage that lasts counted up to ``now_ns``.
        """
        lasting = self.outage
        lasting_ns = 0 if lasting is None else now_ns - lasting.start_ns
        return {
            "reconnects": self.reconnects,
            "changes": self.changes,
            "outages_total": self.outages_total,
            "outage_s": round((self._outage_ns + lasting_ns) / NS_PER_S, 3),
            "outages": [
                self._line(outage, now_ns) for outage in tuple(self._outages)
            ],  # a read left behind may add one
        }

    def _line(self, outage: Outage, now_ns: int) -> dict[str, Any]:
        end_ns = now_ns if outage.end_ns is None else outage.end_ns
        return {
            "cause": outage.cause,
            "start_s": round((outage.start_ns - self.start_ns) / NS_PER_S, 3),
            "seconds": round((end_ns - outage.start_ns) / NS_PER_S, 3),
            "over": outage.end_ns is not None,
        }
