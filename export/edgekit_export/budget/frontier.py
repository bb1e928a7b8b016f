"""Every candidate that was measured, as data, as a page and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from edgekit.bundle.atomic import replacing
from edgekit.cli.values import format_size
from edgekit.report.page import page
from edgekit.report.plots.scatter import Spot, scatter
from edgekit.report.tables import Cell, Table
from edgekit_export.budget.allocation import Allocation
from edgekit_export.candidate import Candidate

_MEGA = 1e6


class Point(msgspec.Struct, frozen=True):
    """One candidate.

    Attributes:
        variant: its name.
        bytes: of a bundle that holds it alone.
        drop: in points; ``None`` where nothing was measured, as below.
        interval: of the drop.
        n: samples.
        sqnr_db: of the raw outputs.
        verdict: against the limit.
        model_bytes: of its model files.
        expected_bytes: what the solver took these for; ``None`` where it did not make them, as below.
        expected_sqnr_db: what the layers alone let expect.
        latency_ms: what counts of its time; ``None`` where it was not timed.
        in_time: within the limit, if there is one.
    """

    variant: str
    bytes: int
    drop: float | None
    interval: tuple[float, float] | None
    n: int
    sqnr_db: float | None
    verdict: str
    model_bytes: int
    expected_bytes: int | None = None
    expected_sqnr_db: float | None = None
    latency_ms: float | None = None
    in_time: bool = True

    @property
    def passes(self) -> bool:
        """The drop is proven to hold, or has no limit."""
        return self.verdict in ("PASS", "NONE")

    @property
    def drop_upper(self) -> float | None:
        """Upper end of the drop's interval."""
        return None if self.interval is None else self.interval[1]

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` lists it."""
        return {**msgspec.structs.asdict(self), "drop_upper": self.drop_upper}


def point_of(candidate: Candidate, size_bytes: int, allocation: Allocation | None = None) -> Point:
    """A candidate as a point.

    Args:
        candidate: staged, and measured if anything is.
        size_bytes: of a bundle that holds it alone.
        allocation: that the solver made it of.
    """
    e, name, model_bytes = candidate.evaluation, candidate.variant.name, candidate.variant.bytes
    expected = (None, None) if allocation is None else (allocation.model_bytes, allocation.sqnr_db)
    timing = candidate.timing
    told = (*expected, *((None, True) if timing is None else (timing.counted_ms, timing.holds)))
    if e is None:
        return Point(name, size_bytes, None, None, 0, None, "NONE", model_bytes, *told)
    return Point(name, size_bytes, e.drop, e.interval, e.n, e.sqnr_db, e.verdict, model_bytes, *told)


class Limits(msgspec.Struct, frozen=True):
    """What was asked for.

    Attributes:
        max_size_bytes: of the bundle.
        max_drop: in points, on its interval's upper end.
        metric: of the drop.
        max_latency_ms: of the graphs for one input.
    """

    max_size_bytes: int | None
    max_drop: float | None
    metric: str
    max_latency_ms: float | None = None


def write_frontier(
    out: Path, title: str, points: Sequence[Point], limits: Limits, refusal: str, way_out: Sequence[str]
) -> dict[str, Path]:
    """Writes ``out.frontier.html`` and ``out.frontier.png``.

    Args:
        out: the bundle's path.
        title: of the model.
        points: what was measured, one at least.
        limits: what was asked for.
        refusal: why nothing was written; empty if something was.
        way_out: what would be possible, in sentences.

    Returns:
        ``html`` and ``png`` → path.

    Raises:
        OutputError: a file cannot be written.
    """
    paths = {kind: out.with_suffix(f".frontier.{kind}") for kind in ("html", "png")}
    contents = {
        "html": _html(title, points, limits, refusal, way_out).encode(),
        "png": _png(title, points, limits),
    }
    for kind, path in paths.items():
        with replacing(path) as file:
            file.write(contents[kind])
    return paths


def _html(title: str, points: Sequence[Point], limits: Limits, refusal: str, way_out: Sequence[str]) -> str:
    from markupsafe import Markup

    spots = [_spot(point) for point in points if point.interval is not None]
    units = "bundle, MB", f"drop, points of {limits.metric}"
    bounds = None if limits.max_size_bytes is None else limits.max_size_bytes / _MEGA, limits.max_drop
    drawn = scatter(spots, bounds, units, f"{len(spots)} candidates, bytes against drop") if spots else ""
    return page(
        "frontier.html",
        title=f"{title}: size against accuracy",
        subtitle=asked(limits),
        verdict="FAIL" if refusal else "PASS",
        headline="Refused" if refusal else "Written",
        lines=[*([refusal] if refusal else []), *way_out],
        plot=Markup(drawn),
        table=_table(points),
    )


def asked(limits: Limits) -> str:
    """The limits in words."""
    size = "" if limits.max_size_bytes is None else f"at most {limits.max_size_bytes:,} bytes"
    drop = (
        "" if limits.max_drop is None else f"a drop of at most {limits.max_drop:g} points of {limits.metric}"
    )
    time = "" if limits.max_latency_ms is None else f"at most {limits.max_latency_ms:g} ms"
    return "Asked for: " + (" and ".join(filter(None, (size, drop, time))) or "no limit")


def _spot(point: Point) -> Spot:
    assert point.interval is not None and point.drop is not None
    tone = {"PASS": "better", "FAIL": "worse"}.get(point.verdict, "")
    low, high = point.interval
    name = f"{point.variant}, {point.bytes:,} bytes: {point.drop:+.2f} [{low:+.2f}, {high:+.2f}]"
    return Spot(name, point.bytes / _MEGA, point.drop, point.interval, tone)


def _table(points: Sequence[Point]) -> Table:
    columns = ("variant", "bytes", "drop", "interval", "samples", "SQNR", "ms", "verdict")
    return Table("Candidates", columns, tuple(_row(point) for point in sorted(points, key=lambda p: p.bytes)))


def _row(point: Point) -> tuple[Cell, ...]:
    known = point.interval is not None and point.drop is not None
    span = f"{point.interval[0]:+.2f} to {point.interval[1]:+.2f}" if point.interval is not None else ""
    return (
        Cell(point.variant),
        Cell(f"{point.bytes:,}", point.bytes, format_size(point.bytes)),
        Cell(f"{point.drop:+.2f}" if known else "not measured", point.drop if known else None),
        Cell(span, point.drop_upper),
        Cell(str(point.n), point.n),
        Cell("" if point.sqnr_db is None else f"{point.sqnr_db:.1f} dB", point.sqnr_db),
        Cell("" if point.latency_ms is None else f"{point.latency_ms:.3g}", point.latency_ms),
        Cell(point.verdict if point.in_time else f"{point.verdict}, too slow"),
    )


def _png(title: str, points: Sequence[Point], limits: Limits) -> bytes:
    """The same plot for where no page can be shown, 1,600 by 1,000 pixels."""
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=200, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    colors = {"PASS": "#1a7f37", "FAIL": "#c02a2a"}
    for point in points:
        if point.interval is None or point.drop is None:
            continue
        errors = [[point.drop - point.interval[0]], [point.interval[1] - point.drop]]
        color = colors.get(point.verdict, "#6a6a6a")
        place = point.bytes / _MEGA, point.drop
        trial = point.expected_sqnr_db is not None
        axes.errorbar(*place, yerr=errors, fmt="s" if trial else "o", color=color, capsize=3)
        if not trial:
            axes.annotate(point.variant, place, (6, 6), textcoords="offset points", fontsize=9)
    if limits.max_size_bytes is not None:
        axes.axvline(limits.max_size_bytes / _MEGA, color="#c02a2a", linewidth=1)
    if limits.max_drop is not None:
        axes.axhline(limits.max_drop, color="#c02a2a", linewidth=1)
    below = "bundle, MB (squares: trials of a mixed allocation)"
    axes.set(title=title, xlabel=below, ylabel=f"drop, points of {limits.metric}, 95 % interval")
    axes.grid(alpha=0.3)
    file = BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
