"""Sizes against drops, each with its interval: what a budget can buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from edgekit.report.plots.axis import Axis, axis_over
from edgekit.report.plots.svg import dot, figure, line, text

_TOP, _SPAN = 12.0, 220.0


@dataclass(frozen=True, slots=True)
class Spot:
    """One candidate.

    Attributes:
        name: shown when pointed at.
        x: along the axis below.
        y: its estimate, and
        interval: of that.
        tone: ``better`` or ``worse``, or empty.
    """

    name: str
    x: float
    y: float
    interval: tuple[float, float]
    tone: str


def scatter(
    spots: Sequence[Spot], limits: tuple[float | None, float | None], units: tuple[str, str], label: str
) -> str:
    """The plot.

    Args:
        spots: one or more.
        limits: largest x and largest y allowed, each drawn as a line where it is given.
        units: of both axes.
        label: what it shows, for readers that see nothing.
    """
    max_x, max_y = limits
    below = axis_over([*(spot.x for spot in spots), *([] if max_x is None else [max_x])])
    ends = [end for spot in spots for end in spot.interval]
    beside = axis_over([*ends, 0.0, *([] if max_y is None else [max_y])])
    parts = [part for tick in beside.ticks() for part in _grid(tick, beside)]
    parts += below.drawn(_TOP + _SPAN, units[0])
    parts.append(text(0, _TOP - 2, units[1], "unit", "start"))
    if max_x is not None:
        x = below.at(max_x)
        parts.append(line("limit", (x, x), (_TOP, _TOP + _SPAN)))
    if max_y is not None:
        y = _height(max_y, beside)
        parts.append(line("limit", (0, 100), (y, y)))
    for spot in sorted(spots, key=lambda one: one.x):
        parts.append(_spot(spot, below, beside))
    return figure(label, _TOP + _SPAN + 40, parts)


def _height(value: float, axis: Axis) -> float:
    return round(_TOP + _SPAN * (axis.high - value) / (axis.high - axis.low), 2)


def _grid(value: float, axis: Axis) -> tuple[str, str]:
    y = _height(value, axis)
    return line("grid", (0, 100), (y, y)), text(0, y - 3, f"{value:g}", "tick", "start")


def _spot(spot: Spot, below: Axis, beside: Axis) -> str:
    x = below.at(spot.x)
    low, high = (_height(end, beside) for end in spot.interval)
    whisker = line("whisker", (x, x), (low, high))
    mark = dot("dot", x, _height(spot.y, beside), 4)
    return f'<g class="plot {spot.tone}">{whisker}{mark}<title>{escape(spot.name)}</title></g>'
