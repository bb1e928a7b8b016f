"""From which volume on one option costs less than another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edgekit.catalog.decide.cost import Steps

MOST_STEPS: Final = 1000
"""Units to which volumes are looked at. Who needs more of them has a cost a call, and no break-even."""


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Two options whose costs cross.

    Attributes:
        below: the cheaper one of small volumes.
        above: the cheaper one of larger ones.
        calls_a_month: where they first cross.
        for_good: where they cross for the last time: the next unit may turn the order once more. ``None`` where the
            order still changes at the largest volumes looked at.
    """

    below: str
    above: str
    calls_a_month: float
    for_good: float | None


def break_even(names: tuple[str, str], costs: tuple[Steps, Steps]) -> BreakEven | None:
    """Where the costs of two options cross; ``None`` where the same one is cheaper at every volume."""
    found = crossings(*costs)
    if not found:
        return None
    first, second = costs
    early = found[0] / 2
    swapped = first.at(early) > second.at(early)
    below, above = (names[1], names[0]) if swapped else names
    last = found[-1] if len(found) % 2 else None
    return BreakEven(below, above, found[0], last)


def crossings(first: Steps, second: Steps) -> list[float]:
    """Volumes above 0 at which the cheaper of two options changes, ascending."""
    found: list[float] = []
    sign = 0
    for low, high in pairwise(_bounds(first, second)):
        for volume, difference in _within(first, second, low, high):
            now = (difference > 0) - (difference < 0)
            if now and sign and now != sign:
                found.append(volume)
            sign = now or sign
    return found


def _bounds(first: Steps, second: Steps) -> list[float]:
    """0, the volumes at which either takes another unit, and infinity."""
    sizes = [size for size in (first.calls_a_unit, second.calls_a_unit) if math.isfinite(size)]
    steps = {size * n for size in sizes for n in range(1, MOST_STEPS + 1)}
    last = min((size * MOST_STEPS for size in sizes), default=math.inf)
    return [0.0, *sorted(step for step in steps if step <= last), *([] if sizes else [math.inf])]


def _within(first: Steps, second: Steps, low: float, high: float) -> list[tuple[float, float]]:
    """Volumes of a stretch without a step, each with the difference that follows it: its start, and its crossing."""
    inside = (low + high) / 2 if math.isfinite(high) else low + 1.0
    fixed = first.units(inside) * first.a_unit - second.units(inside) * second.a_unit
    slope = first.a_call - second.a_call
    start = fixed + slope * low
    told = [(low, start if start else slope)]
    zero = -fixed / slope if slope else math.inf
    return [*told, (zero, slope)] if low < zero < high else told
