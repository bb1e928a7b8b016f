"""Tables of a report, the same ones in Markdown and HTML: measures, slices, looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from edgekit.evaluation.outcome import Measure, Slice
from edgekit.report.accuracy import Report
from edgekit.report.metrics import METRICS
from edgekit.report.plots.forest import Tone, tone
from edgekit.report.wording import difference, level, percent, points, span, suffix

SliceKind = Literal["class", "group", "condition"]
KINDS: dict[SliceKind, str] = {
    "condition": "Under other conditions",
    "group": "By group of the data",
    "class": "By class",
}
"""Kinds of slices in the order they are shown, with their headings."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place.

    Attributes:
        text: as shown.
        key: what it is sorted by; ``None``: the text.
        note: said in small below.
    """

    text: str
    key: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under their columns; the first cell of a row names it.

    Attributes:
        name: what it shows.
        columns: names.
        rows: as many cells each as there are columns.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def measures_table(report: Report) -> Table:
    """All metrics, the one that the gate is about first."""
    columns = ("measure", "reference", "candidate", "worse by", f"{percent(report.confidence)} interval")
    return Table("Measures", columns, (_gate(report), *(_measure(m) for m in report.measures)))


def slices_of(report: Report, kind: SliceKind) -> list[Slice]:
    """The slices of a kind, worst drop first."""
    found = [s for s in report.slices if s.kind == kind]
    return sorted(found, key=lambda s: (-s.drop, -s.interval[0], s.name))


def slices_table(report: Report, kind: SliceKind, slices: Iterable[Slice]) -> Table:
    """Slices of one kind, in the order given."""
    interval = f"{percent(report.confidence)} interval"
    columns = (kind, "samples", "reference", "candidate", "drop", interval, "changed")
    return Table(KINDS[kind], columns, tuple(_slice(s, report) for s in slices))


def looks_table(report: Report) -> Table:
    """Looks at the gate on the way."""
    rows = tuple(
        (
            Cell(f"{look.n:,}", look.n),
            Cell(f"{100 * look.confidence:.2f} %", look.confidence),
            Cell(span(look.interval), look.interval[1]),
            Cell(look.verdict),
        )
        for look in report.looks
    )
    return Table("Looks at the gate", ("samples", "level", "interval", "verdict"), rows)


def _gate(report: Report) -> tuple[Cell, ...]:
    metric = METRICS[report.metric]
    return (
        Cell(metric.name, note=report.meaning),
        *_levels(report, report.reference, report.candidate),
        Cell(f"{points(report.drop)} {metric.unit}", report.drop),
        Cell(span(report.interval), report.interval[1]),
    )


def _levels(report: Report, *sides: float) -> list[Cell]:
    if report.metric == "disagreement":  # of both together
        return [Cell("–") for _ in sides]
    return [Cell(METRICS[report.metric].level(value), value) for value in sides]


def _measure(measure: Measure) -> tuple[Cell, ...]:
    sides = (
        Cell("–" if value is None else level(value, measure.unit), value)
        for value in (measure.reference, measure.candidate)
    )
    unit = measure.unit
    ends = measure.interval
    interval = "–" if ends is None else " to ".join(difference(end, unit) for end in ends)
    return (
        Cell(measure.name.replace("_", " "), note=measure.meaning),
        *sides,
        Cell(difference(measure.drop, unit) + suffix(unit), measure.drop),
        Cell(interval, None if ends is None else ends[1]),
    )


def shift(part: Slice, report: Report) -> Tone:
    """Whether a slice is shown to be worse or better; a disagreement is above 0 without being worse."""
    return "open" if report.metric == "disagreement" else tone(part.interval)


def _slice(part: Slice, report: Report) -> tuple[Cell, ...]:
    said = shift(part, report)
    sources = "" if part.clusters == part.n else f"{part.clusters:,} sources"
    return (
        Cell(part.name),
        Cell(f"{part.n:,}", part.n, sources),
        *_levels(report, part.reference, part.candidate),
        Cell(points(part.drop), part.drop, "" if said == "open" else said),
        Cell(span(part.interval), part.interval[1]),
        Cell(f"{part.changed:,}", part.changed),
    )
