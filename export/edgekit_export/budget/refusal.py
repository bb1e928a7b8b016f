"""What to say where nothing holds: why, what would, and the least to give up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.cli.values import format_size
from edgekit_export.budget.frontier import Limits, Point
from edgekit_export.budget.search import relaxation
from edgekit_export.budget.workshop import Searched
from edgekit_export.quantize.placement import WEIGHT_BITS

_ROUND = 100
"""A size that a search names has so much room at least: the next export writes its manifest a little longer."""
_VARIES = 1.05
"""The same of a latency: times of one and the same graph differ by so much."""


@dataclass(frozen=True, slots=True)
class WayOut:
    """What would be possible.

    Attributes:
        smallest_bytes: of a bundle whose drop holds, after a search most likely on other samples too, where one was
            found; ``None`` if none did.
        smallest_drop: least upper bound of the drop, in points, of a bundle within the size; ``None`` if none fits.
        relaxation: the one option that would have to be larger, and how large; empty if none would do.
        arithmetic: bits a weight that the size leaves, where that is the reason; else empty.
        least_ms: latency at which something measured would hold, with room for how times vary; ``None`` where none was
            limited, or nothing would.
    """

    smallest_bytes: int | None
    smallest_drop: float | None
    relaxation: str
    arithmetic: str = ""
    least_ms: float | None = None

    def sentences(self, limits: Limits) -> list[str]:
        """For a person."""
        said = [self.arithmetic] if self.arithmetic else []
        if self.smallest_bytes is not None:
            holds = "" if limits.max_drop is None else " whose drop holds"
            said.append(
                f"The smallest bundle{holds} has {self.smallest_bytes:,} bytes ({format_size(self.smallest_bytes)})."
            )
        elif limits.max_drop is not None:
            said.append("No size holds the drop on these samples.")
        if self.smallest_drop is not None:
            bound = f"{self.smallest_drop:.2f} points of {limits.metric}"
            size = limits.max_size_bytes
            where = "Of what was measured" if size is None else f"Within {size:,} bytes"
            said.append(f"{where} the drop is at most {bound}.")
        if self.least_ms is not None:
            said.append(f"At {self.least_ms:g} ms something would keep the other limits.")
        if self.relaxation:
            said.append(f"Least to give up: {self.relaxation}")
        return said

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` has it."""
        return {
            "smallest_bytes": self.smallest_bytes,
            "smallest_drop": self.smallest_drop,
            "relaxation": self.relaxation,
            "arithmetic": self.arithmetic,
            "least_latency_ms": self.least_ms,
        }


def way_out(points: Sequence[Point], limits: Limits, searched: Searched | None) -> WayOut:
    """What would be possible, of what was measured.

    Args:
        points: all of it.
        limits: what was asked for.
        searched: what came of looking for a mixed allocation, if that was done.
    """
    timely = [point for point in points if point.in_time]
    found = None if searched is None else searched.smallest_bytes
    passed = (point.bytes for point in timely if point.passes)
    least = min(passed, default=None) if found is None else (found // _ROUND + 2) * _ROUND
    size = limits.max_size_bytes
    inside = [point for point in timely if size is None or point.bytes <= size]
    drop = min((point.drop_upper for point in inside if point.drop_upper is not None), default=None)
    slowest, ms = limits.max_latency_ms, least_ms(points, limits, searched)
    room = (
        None if ms is None or slowest is None else math.ceil(round(100 * max(ms * _VARIES, slowest), 6)) / 100
    )
    cheapest = relaxation(size, limits.max_drop, least, drop, slowest, room)
    return WayOut(least, drop, cheapest, _arithmetic(size, searched), room)


def least_ms(points: Sequence[Point], limits: Limits, searched: Searched | None) -> float | None:
    """The least time measured of what keeps the other limits; ``None`` where nothing does, or none was timed."""
    size = limits.max_size_bytes
    fitting = [point for point in points if point.passes and (size is None or point.bytes <= size)]
    times = [point.latency_ms for point in fitting if point.latency_ms is not None]
    written, slowest = None if searched is None else searched.least_ms, limits.max_latency_ms
    if written is not None and slowest is not None and written > slowest and limits.max_drop is None:
        times.append(written)
    return min(times, default=None)


def _arithmetic(size: int | None, searched: Searched | None) -> str:
    """Bits a weight that a size leaves, where no bundle is so small."""
    if size is None or searched is None or searched.least_bytes <= size:
        return ""
    fewest, weights = min(WEIGHT_BITS.values()), searched.weights
    bits = 8 * size / max(weights, 1)
    return (
        f"{weights:,} weights in {size:,} bytes are {bits:.2f} bits a weight; with {fewest} bits each the smallest "
        f"bundle has {searched.least_bytes:,} bytes."
    )
