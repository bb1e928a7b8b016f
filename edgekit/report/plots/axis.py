"""A linear scale over the width of a plot."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from edgekit.report.plots.svg import line, text

MARGIN = 4.0  # percent of the width that is left free on both sides


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps ``low`` to ``high`` to percent of the width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Percent of the width; 4 % is left free on both sides."""
        return round(MARGIN + (100 - 2 * MARGIN) * (value - self.low) / (self.high - self.low), 2)

    def ticks(self, count: int = 5) -> list[float]:
        """Round numbers, about ``count`` of them."""
        raw = (self.high - self.low) / count
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 10) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]

    def drawn(self, y: float, unit: str) -> list[str]:
        """The axis at a height, with ticks and what it measures below."""
        return [
            line("axis", (0, 100), (y, y)),
            *(part for tick in self.ticks() for part in self._tick(tick, y)),
            text(50, y + 32, unit, "unit"),
        ]

    def _tick(self, value: float, y: float) -> tuple[str, str]:
        x = self.at(value)
        return line("axis", (x, x), (y, y + 4)), text(x, y + 17, f"{value:g}", "tick")


def axis_over(values: Iterable[float]) -> Axis:
    """An axis that holds all of the values with some room beside them."""
    marks = list(values)
    span = max(max(marks) - min(marks), 1e-3)
    return Axis(min(marks) - 0.08 * span, max(marks) + 0.08 * span)
