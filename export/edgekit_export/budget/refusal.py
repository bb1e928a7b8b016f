"""What to say where nothing holds: why, what would, and the least to give up."""

from __future__ import annotations

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


@dataclass(frozen=True, slots=True)
class WayOut:
    """What would be possible.

    Attributes:
        smallest_bytes: of a bundle whose drop holds, after a search most likely on other samples too, where one was
            found; ``None`` if none did.
        smallest_drop: least upper bound of the drop, in points, of a bundle within the size; ``None`` if none fits.
        relaxation: the one option that would have to be larger, and how large; empty if none would do.
        arithmetic: bits a weight that the size leaves, where that is the reason; else empty.
    """

    smallest_bytes: int | None
    smallest_drop: float | None
    relaxation: str
    arithmetic: str = ""

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
        if self.smallest_drop is not None and limits.max_size_bytes is not None:
            bound = f"{self.smallest_drop:.2f} points of {limits.metric}"
            said.append(f"Within {limits.max_size_bytes:,} bytes the drop is at most {bound}.")
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
        }


def way_out(points: Sequence[Point], limits: Limits, searched: Searched | None) -> WayOut:
    """What would be possible, of what was measured.

    Args:
        points: all of it.
        limits: what was asked for.
        searched: what came of looking for a mixed allocation, if that was done.
    """
    found = None if searched is None else searched.smallest_bytes
    passed = (point.bytes for point in points if point.verdict in ("PASS", "NONE"))
    least = min(passed, default=None) if found is None else (found // _ROUND + 2) * _ROUND
    size = limits.max_size_bytes
    inside = [point for point in points if size is None or point.bytes <= size]
    drop = min((point.drop_upper for point in inside if point.drop_upper is not None), default=None)
    cheapest = "" if size is None else relaxation(size, limits.max_drop, least, drop)
    return WayOut(least, drop, cheapest, _arithmetic(size, searched))


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
