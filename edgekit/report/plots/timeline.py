"""Latency over a whole run: mean by stage, stacked, with the slowest frame of each step above."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.report.plots.axis import Axis
from edgekit.report.plots.svg import figure, line, stretched, text

STACKED = ("wait", "pre", "infer", "post", "sink")
HEIGHT = 296.0
_TOP, _SPAN = 46.0, 200.0
LABELS = 12
"""Events that get their words; the others get a line alone."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, seconds after the first result."""

    at_s: float
    what: str


def timeline_plot(
    timeline: Mapping[str, Any], deadline_ms: float | None = None, moments: Sequence[Moment] = ()
) -> str:
    """The plot.

    Args:
        timeline: of :meth:`edgekit.timeline.Timeline.as_json`, with at least one step.
        deadline_ms: drawn as a line.
        moments: drawn as lines with their words.
    """
    start_ms, end_ms = timeline["at_ms"][0], timeline["until_ms"]
    below = Axis(0.0, (end_ms - start_ms) / 1000)
    beside = Axis(0.0, max(*timeline["worst_ms"], (deadline_ms or 0.0) * 1.1, 0.1))
    label = (
        f"latency of {sum(timeline['n']):,} results over {below.high:.1f} s by stage, "
        f"slowest {max(timeline['worst_ms']):.1f} ms"
    )
    parts = [part for tick in beside.ticks(4) for part in _grid(tick, beside)]
    parts.append(
        stretched((end_ms - start_ms, _SPAN), (_TOP, _SPAN), _columns(timeline, start_ms, beside.high))
    )
    if deadline_ms is not None:
        y = _TOP + _y(deadline_ms, beside.high)
        parts.append(line("limit", (4, 96), (y, y)))
        parts.append(text(96, y - 4, f"deadline {deadline_ms:g} ms", "limit-text", "end"))
    parts += [part for i, moment in enumerate(moments) for part in _moment(moment, below, i)]
    parts += below.drawn(_TOP + _SPAN + 2, "seconds")
    parts.append(text(4, 12, "ms", "unit", "start"))
    parts += _legend()
    return figure(label, HEIGHT, parts)


def _y(value_ms: float, most_ms: float) -> float:
    return round(_SPAN * (1 - max(value_ms, 0.0) / most_ms), 2)


def _grid(value: float, beside: Axis) -> tuple[str, str]:
    y = _TOP + _y(value, beside.high)
    return line("axis" if value == 0 else "grid", (4, 96), (y, y)), text(
        3.6, y + 4, f"{value:g}", "tick", "end"
    )


def _columns(timeline: Mapping[str, Any], start_ms: float, most_ms: float) -> Iterator[str]:
    width = timeline["step_ms"]
    for i, at_ms in enumerate(timeline["at_ms"]):
        x, sum_ms = at_ms - start_ms, 0.0
        for stage in STACKED:
            low = _y(sum_ms, most_ms)
            sum_ms += max(timeline["mean_ms"][stage][i], 0.0)
            high = _y(sum_ms, most_ms)
            if low > high:
                yield (
                    f'<rect class="{stage}" x="{x:g}" width="{width:g}" y="{high:g}" height="{low - high:.2f}"/>'
                )
        worst = _y(timeline["worst_ms"][i], most_ms)
        yield f'<rect class="slowest" x="{x:g}" width="{width:g}" y="{worst:g}" height="1.5"/>'


def _moment(moment: Moment, below: Axis, number: int) -> list[str]:
    x = below.at(min(max(moment.at_s, below.low), below.high))
    drawn = [line("moment", (x, x), (_TOP - 14, _TOP + _SPAN))]
    if number < LABELS:
        drawn.append(
            text(x, _TOP - 17 + 11 * (number % 2), moment.what, "moment-text", "start" if x < 80 else "end")
        )
    return drawn


def _legend() -> list[str]:
    parts = []
    for i, stage in enumerate(STACKED):
        x = 60 + 8 * i
        parts.append(f'<rect class="{stage}" x="{x}%" y="3" width="10" height="10"/>')
        parts.append(text(x + 1.4, 12, stage, "tick", "start"))
    return parts
