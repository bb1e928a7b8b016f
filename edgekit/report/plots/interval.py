"""The interval of the drop against its limit."""

from __future__ import annotations

from edgekit.report.plots.axis import Axis, axis_over
from edgekit.report.plots.svg import dot, figure, line, text

HEIGHT = 104
_AXIS_Y, _BAR_Y = 70, 42


def interval_plot(
    drop: float, interval: tuple[float, float], max_drop: float | None, unit: str = "percentage points"
) -> str:
    """The drop as a dot, its interval as a bar, what is beyond the limit shaded.

    Args:
        drop: in ``unit``.
        interval: its two ends.
        max_drop: the limit, or ``None``.
        unit: of all of them.
    """
    low, high = interval
    axis = axis_over([0.0, low, high, drop, *([] if max_drop is None else [max_drop])])
    label = f"drop {drop:.2f} {unit}, interval {low:.2f} to {high:.2f}"
    limit = [] if max_drop is None else _limit(axis, max_drop)
    parts = [
        *limit,
        *axis.drawn(_AXIS_Y, unit),
        line("zero", (axis.at(0), axis.at(0)), (18, _AXIS_Y)),
        line("whisker", (axis.at(low), axis.at(high)), (_BAR_Y, _BAR_Y)),
        *(line("end", (axis.at(x), axis.at(x)), (32, 52)) for x in interval),
        dot("dot", axis.at(drop), _BAR_Y, 6),
    ]
    return figure(label + ("" if max_drop is None else f", limit {max_drop:g}"), HEIGHT, parts)


def _limit(axis: Axis, max_drop: float) -> list[str]:
    x = axis.at(max_drop)
    width = round(100 - x, 2)
    return [
        f'<rect class="beyond" x="{x}%" y="18" width="{width}%" height="{_AXIS_Y - 18}"/>',
        line("limit", (x, x), (18, _AXIS_Y)),
        text(x, 13, f"limit {max_drop:g}", "limit-text"),
    ]
