"""When a camera fails, and how: a schedule to test against, written ``unplug=2s:2s`` (start : duration)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from edgekit.errors import UsageError

FaultKind: TypeAlias = Literal["unplug", "freeze", "stall", "corrupt", "burst", "clockjump", "resize"]
"""``unplug``: reads fail, and opening again fails until it is over. ``freeze``: the last picture again and again.
``stall``: a read blocks until it is over; the frames of that time never come. ``corrupt``: no frame can be decoded.
``burst``: a read blocks until it is over, and then all frames of that time come at once. ``clockjump``: the loop's
clock leaps forward by the duration at the start, as if the process had stood still. ``resize``: half the size."""

FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

MAX_FAULT_S = 1_000_000.0

_TIME = re.compile(r"([0-9]+(?:\.[0-9]+)?)(s|ms|min)")
_SECONDS = {"s": 1.0, "ms": 0.001, "min": 60.0}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: from ``start_s`` of the source's own time, for ``seconds``."""

    kind: FaultKind
    start_s: float
    seconds: float

    @property
    def end_s(self) -> float:
        """When it is over."""
        return self.start_s + self.seconds

    def covers(self, time_s: float) -> bool:
        """Whether it is on: the start belongs to it, the end does not."""
        return self.start_s <= time_s < self.end_s

    def __str__(self) -> str:
        return f"{self.kind}={self.start_s:g}s:{self.seconds:g}s"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """Faults in any number and order; those of different kinds may overlap."""

    faults: tuple[Fault, ...] = ()

    def active(self, kind: FaultKind, time_s: float) -> Fault | None:
        """The fault of that kind that is on at ``time_s``; of several the one that ends last."""
        found = [fault for fault in self.faults if fault.kind == kind and fault.covers(time_s)]
        return max(found, key=lambda fault: fault.end_s, default=None)

    def leap_s(self, time_s: float) -> float:
        """By how much the clock has leapt forward until ``time_s``."""
        return sum(f.seconds for f in self.faults if f.kind == "clockjump" and f.start_s <= time_s)

    def __str__(self) -> str:
        return "".join(f"&{fault}" for fault in self.faults)


def parse_fault(kind: FaultKind, text: str) -> Fault:
    """A fault from ``2s:500ms``: start, then duration.

    Raises:
        UsageError: anything else, or a duration of nothing.
    """
    parts = [_TIME.fullmatch(part) for part in text.split(":")]
    if len(parts) == 2 and parts[0] and parts[1]:
        start_s, seconds = (float(match[1]) * _SECONDS[match[2]] for match in parts if match)
        if start_s <= MAX_FAULT_S and 0 < seconds <= MAX_FAULT_S:
            return Fault(kind, start_s, seconds)
    raise UsageError(f"source: synthetic: {kind}={text}", f"expected START:DURATION, e.g. {kind}=2s:500ms")
