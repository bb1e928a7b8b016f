"""Signal to noise layer by layer, in the order they compute."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from edgekit.report.plots.axis import Axis
from edgekit.report.plots.svg import figure, line, stretched, text

HEIGHT = 150
_TOP, _SPAN = 8.0, 118.0


def layers_plot(names: Sequence[str], values_db: Sequence[float | None], what: str) -> str:
    """One bar a layer; the lowest stands out.

    Args:
        names: of the layers, one or more.
        values_db: theirs; ``None`` leaves a gap.
        what: what is drawn, for readers that see nothing.
    """
    known = [value for value in values_db if value is not None]
    low, high = min([0.0, *known]), max([10.0, *known])
    worst = lowest(values_db)
    label = f"{what}: {len(known)} of {len(names)} layers" + (
        "" if worst is None else f", lowest {names[worst]} with {min(known):.1f} dB"
    )
    bars = (
        _bar(i, value, (low, high), names[i], i == worst)
        for i, value in enumerate(values_db)
        if value is not None
    )
    parts = [
        *(part for tick in Axis(low, high).ticks(4) for part in _grid(tick, low, high)),
        stretched((len(names), _SPAN), (_TOP, _SPAN), bars),
        text(50, HEIGHT - 4, "layers in the order they compute; dB, higher is better", "unit"),
    ]
    return figure(label, HEIGHT, parts)


def lowest(values_db: Sequence[float | None]) -> int | None:
    """Index of the noisiest layer; ``None`` where nothing is known."""
    known = [(value, i) for i, value in enumerate(values_db) if value is not None]
    return min(known)[1] if known else None


def _height(value: float, low: float, high: float) -> float:
    return round(_SPAN * (high - value) / (high - low), 2)


def _grid(value: float, low: float, high: float) -> tuple[str, str]:
    y = _TOP + _height(value, low, high)
    return (
        line("axis" if value == 0 else "grid", (0, 100), (y, y)),
        text(0, y - 3, f"{value:g}", "tick", "start"),
    )


def _bar(i: int, value: float, ends: tuple[float, float], name: str, worst: bool) -> str:
    zero, end = _height(0.0, *ends), _height(value, *ends)
    return (
        f'<rect class="bar{" worst" if worst else ""}" x="{i + 0.1:g}" width="0.8" y="{min(zero, end):g}" '
        f'height="{max(abs(zero - end), 0.8):g}"><title>{escape(name)}: {value:.1f} dB</title></rect>'
    )
