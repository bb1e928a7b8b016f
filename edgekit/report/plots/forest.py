"""A forest plot: one interval a row over a common axis, each row a picture of its own beside its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgekit.report.plots.axis import Axis, axis_over
from edgekit.report.plots.svg import dot, figure, line

Tone = Literal["worse", "better", "open"]
HEIGHT = 24
AXIS_HEIGHT = 36


@dataclass(frozen=True, slots=True)
class Mark:
    """One row.

    Attributes:
        drop: a dot, if known.
        interval: of the drop.
        tone: colour of the row.
    """

    drop: float | None
    interval: tuple[float, float]
    tone: Tone = "open"


@dataclass(frozen=True, slots=True)
class Forest:
    """Rows in the order of the marks, and the axis below them."""

    rows: tuple[str, ...]
    axis: str


def forest(marks: Sequence[Mark], max_drop: float | None = None, unit: str = "percentage points") -> Forest:
    """Draws all rows over one axis.

    Args:
        marks: at least one.
        max_drop: limit, drawn through all rows.
        unit: of the axis.
    """
    limits = [] if max_drop is None else [max_drop]
    axis = axis_over([0.0, *limits, *(x for mark in marks for x in mark.interval)])
    low, high = axis.low, axis.high
    label = f"axis of the drop from {low:.3g} to {high:.3g} {unit}"
    return Forest(
        tuple(_row(axis, mark, limits) for mark in marks),
        figure(label, AXIS_HEIGHT, axis.drawn(1, unit)),
    )


def tone(interval: tuple[float, float]) -> Tone:
    """Whether the interval lies beside 0: all of it above is ``worse``, below ``better``."""
    return "worse" if interval[0] > 0 else "better" if interval[1] < 0 else "open"


def _row(axis: Axis, mark: Mark, limits: list[float]) -> str:
    low, high = mark.interval
    middle = HEIGHT / 2
    label = f"interval {low:.2f} to {high:.2f}"
    parts = [
        line("zero", (axis.at(0), axis.at(0)), (0, HEIGHT)),
        *(line("limit", (axis.at(x), axis.at(x)), (0, HEIGHT)) for x in limits),
        line("whisker", (axis.at(low), axis.at(high)), (middle, middle)),
        *(line("end", (axis.at(x), axis.at(x)), (middle - 5, middle + 5)) for x in (low, high)),
    ]
    if mark.drop is not None:
        label = f"drop {mark.drop:.2f}, {label}"
        parts.append(dot("dot", axis.at(mark.drop), middle, 4.5))
    return figure(label, HEIGHT, parts, f"plot {mark.tone}")
