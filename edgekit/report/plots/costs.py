"""Cost over volume, both on logarithmic axes: which option is the cheapest where, and where that changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from edgekit.report.plots.axis import Axis
from edgekit.report.plots.svg import dot, figure, line, stretched, text

_TOP, _SPAN, _ROW = 24.0, 320.0, 18.0
_SAMPLES = 240
_LABEL_PERCENT = 5.0  # of the width, that a volume takes

STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #222 }
.unit, .tick { fill: #555 } .note { font-size: 11px; paint-order: stroke; stroke: #fff; stroke-width: 3px }
.axis { stroke: #777 } .grid { stroke: #e4e4e4 } .limit { stroke: #777; stroke-dasharray: 4 3 }
polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke } .out { stroke-dasharray: 3 4 }
line[class^=tone] { stroke-width: 2 }
.tone0 { stroke: #0b62a4 } .tone1 { stroke: #c1440e } .tone2 { stroke: #5b8c2a }
.tone3 { stroke: #7a3e9d } .tone4 { stroke: #b58900 } .tone5 { stroke: #2aa198 }
circle { fill: #222 } svg { background: #fff }"""
"""For a file of its own; a page has its own style."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One option.

    Attributes:
        name: as the legend has it.
        usd: its cost a month of so many calls a month.
        out: whether something rules it out.
    """

    name: str
    usd: Callable[[float], float]
    out: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A break-even.

    Attributes:
        calls: a month.
        usd: what both options cost there.
        note: what changes there.
    """

    calls: float
    usd: float
    note: str


def costs_plot(curves: Sequence[Curve], marks: Sequence[Mark], volume: float) -> str:
    """The plot.

    Args:
        curves: one or more, at most six.
        marks: where one overtakes another.
        volume: that was asked for, drawn as a line.
    """
    below = _x_axis([volume, *(mark.calls for mark in marks)])
    beside = _y_axis(curves, below)
    names = ", ".join(curve.name for curve in curves)
    parts = [
        *(part for power in _powers(beside) for part in _across(power, beside)),
        *(part for power in _powers(below) for part in _up(power, below)),
        text(0, 12, "USD a month", "unit", "start"),
        text(50, _TOP + _SPAN + 36, "calls a month", "unit"),
        *_asked(volume, below),
        stretched(
            (1000.0, _SPAN), (_TOP, _SPAN), (_drawn(i, c, below, beside) for i, c in enumerate(curves))
        ),
        *_marked(sorted(marks, key=lambda mark: mark.calls), below, beside),
        *(part for i, curve in enumerate(curves) for part in _legend(i, curve)),
    ]
    label = f"cost over volume of {names}; {len(marks)} break-even volumes"
    return figure(label, _TOP + _SPAN + 52 + _ROW * len(curves), parts)


def _x_axis(volumes: Sequence[float]) -> Axis:
    low, high = math.floor(math.log10(min(volumes)) - 0.5), math.ceil(math.log10(max(volumes)) + 0.5)
    return Axis(low, high)


def _y_axis(curves: Sequence[Curve], below: Axis) -> Axis:
    ends = [curve.usd(10.0**power) for curve in curves for power in (below.low, below.high)]
    logs = [math.log10(usd) for usd in ends if usd > 0]
    return Axis(math.floor(min(logs)), math.ceil(max(logs) + 1e-9))


def _powers(axis: Axis) -> range:
    return range(math.ceil(axis.low), math.floor(axis.high) + 1)


def _height(usd: float, beside: Axis) -> float:
    return _TOP + _SPAN * (beside.high - math.log10(usd)) / (beside.high - beside.low)


def _across(power: int, beside: Axis) -> tuple[str, str]:
    y = _height(10.0**power, beside)
    return line("grid", (4, 96), (y, y)), text(0, y + 4, f"{10.0**power:,g}", "tick", "start")


def _up(power: int, below: Axis) -> tuple[str, str]:
    x = below.at(power)
    return line("grid", (x, x), (_TOP, _TOP + _SPAN)), text(x, _TOP + _SPAN + 17, _count(10.0**power), "tick")


def _count(number: float) -> str:
    for scale, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= scale:
            return f"{number / scale:.3g} {unit}"
    return f"{number:.3g}"


def _asked(volume: float, below: Axis) -> tuple[str, str]:
    x = below.at(math.log10(volume))
    return line("limit", (x, x), (_TOP, _TOP + _SPAN)), text(x, _TOP - 4, f"asked: {_count(volume)}", "note")


def _drawn(tone: int, curve: Curve, below: Axis, beside: Axis) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _points(curve, below, beside))
    look = f"tone{tone}{' out' if curve.out else ''}"
    return f'<polyline class="{look}" points="{points}"><title>{escape(curve.name)}</title></polyline>'


def _points(curve: Curve, below: Axis, beside: Axis) -> Iterator[tuple[float, float]]:
    for i in range(_SAMPLES + 1):
        share = i / _SAMPLES
        usd = curve.usd(10 ** (below.low + share * (below.high - below.low)))
        if usd > 0:
            yield 1000 * share, min(max(_height(usd, beside) - _TOP, 0.0), _SPAN)


def _marked(marks: Sequence[Mark], below: Axis, beside: Axis) -> Iterator[str]:
    """A dot each, and its volume where there is room for it."""
    free_from = 0.0
    for mark in marks:
        x, y = below.at(math.log10(mark.calls)), _height(mark.usd, beside)
        yield f"<g>{dot('dot', x, y, 4)}<title>{escape(mark.note)}</title></g>"
        if x >= free_from:
            free_from = x + _LABEL_PERCENT
            yield text(x, y - 8, _count(mark.calls), "note")


def _legend(row: int, curve: Curve) -> tuple[str, str]:
    y = _TOP + _SPAN + 58 + _ROW * row
    out = " (ruled out)" if curve.out else ""
    swatch = line(f"tone{row}{' out' if curve.out else ''}", (4, 8), (y - 4, y - 4))
    return swatch, text(9, y, curve.name + out, "name", "start")
