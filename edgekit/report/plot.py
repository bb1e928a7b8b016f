"""The interval of the drop against its limit, as an inline SVG.

Positions are percentages and text has a fixed size, so that it fits a phone as well as a page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

HEIGHT = 104
_AXIS_Y, _BAR_Y = 70, 42


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float

    def at(self, value: float) -> float:
        """Percent of the width; 4 % is left free on both sides."""
        return round(4 + 92 * (value - self.low) / (self.high - self.low), 2)

    def ticks(self) -> list[float]:
        """Round numbers, at most about six."""
        raw = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [round(i * step, 10) for i in range(first, math.floor(self.high / step + 1e-9) + 1)]


def interval_plot(drop: float, interval: tuple[float, float], max_drop: float | None) -> str:
    """An SVG element, styled by the page's classes.

    Args:
        drop: in points.
        interval: its two ends.
        max_drop: the limit, or ``None``.
    """
    low, high = interval
    marks = [0.0, low, high, *([] if max_drop is None else [max_drop])]
    span = max(max(marks) - min(marks), 1e-3)
    axis = _Axis(min(marks) - 0.08 * span, max(marks) + 0.08 * span)
    limit = [] if max_drop is None else _limit(axis, max_drop)
    title = f"drop {drop:.2f} points, interval {low:.2f} to {high:.2f}" + (
        "" if max_drop is None else f", limit {max_drop:g}"
    )
    parts = [
        f'<svg class="plot" role="img" width="100%" height="{HEIGHT}" aria-label="{escape(title)}">',
        *limit,
        f'<line class="axis" x1="0%" x2="100%" y1="{_AXIS_Y}" y2="{_AXIS_Y}"/>',
        *(part for tick in axis.ticks() for part in _tick(axis, tick)),
        f'<line class="zero" x1="{axis.at(0)}%" x2="{axis.at(0)}%" y1="18" y2="{_AXIS_Y}"/>',
        f'<line class="whisker" x1="{axis.at(low)}%" x2="{axis.at(high)}%" y1="{_BAR_Y}" y2="{_BAR_Y}"/>',
        *(f'<line class="end" x1="{axis.at(x)}%" x2="{axis.at(x)}%" y1="32" y2="52"/>' for x in interval),
        f'<circle class="dot" cx="{axis.at(drop)}%" cy="{_BAR_Y}" r="6"/>',
        _text(50, HEIGHT - 2, "drop, percentage points", "unit"),
        "</svg>",
    ]
    return "".join(parts)


def _limit(axis: _Axis, max_drop: float) -> list[str]:
    x = axis.at(max_drop)
    return [
        f'<rect class="beyond" x="{x}%" y="18" width="{round(100 - x, 2)}%" height="{_AXIS_Y - 18}"/>',
        f'<line class="limit" x1="{x}%" x2="{x}%" y1="18" y2="{_AXIS_Y}"/>',
        _text(x, 13, f"limit {max_drop:g}", "limit-text"),
    ]


def _tick(axis: _Axis, value: float) -> tuple[str, str]:
    x = axis.at(value)
    return (
        f'<line class="axis" x1="{x}%" x2="{x}%" y1="{_AXIS_Y}" y2="{_AXIS_Y + 4}"/>',
        _text(x, _AXIS_Y + 17, f"{value:g}", "tick"),
    )


def _text(x: float, y: float, text: str, name: str) -> str:
    anchor = "start" if x < 10 else "end" if x > 90 else "middle"
    return f'<text class="{name}" x="{x}%" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
