"""Tables of a report, the same ones in Markdown and HTML: measures, slices, looks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from edgekit.evaluation.outcome import Measure, Slice
from edgekit.report.accuracy import Report
from edgekit.report.metrics import METRICS
from edgekit.report.plots.forest import tone
from edgekit.report.wording import POINTS, difference, level, percent, points, span

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
    gate = Measure(
        name=METRICS[report.metric].name,
        meaning=report.meaning,
        unit=POINTS,
        reference=None if report.metric == "disagreement" else report.reference,
        candidate=None if report.metric == "disagreement" else report.candidate,
        drop=report.drop,
        interval=report.interval,
    )
    columns = ("measure", "reference", "candidate", "worse by", f"{percent(report.confidence)} interval")
    return Table("Measures", columns, tuple(_measure(m) for m in (gate, *report.measures)))


def slices_of(report: Report, kind: SliceKind) -> list[Slice]:
    """The slices of a kind, worst drop first."""
    found = [s for s in report.slices if s.kind == kind]
    return sorted(found, key=lambda s: (-s.drop, -s.interval[0], s.name))


def slices_table(report: Report, kind: SliceKind, slices: Iterable[Slice]) -> Table:
    """Slices of one kind, in the order given."""
    interval = f"{percent(report.confidence)} interval"
    columns = (kind, "samples", "reference", "candidate", "drop", interval, "changed")
    return Table(KINDS[kind], columns, tuple(_slice(s) for s in slices))


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
        Cell(f"{difference(measure.drop, unit)} {unit}", measure.drop),
        Cell(interval, None if ends is None else ends[1]),
    )


def _slice(part: Slice) -> tuple[Cell, ...]:
    shift = tone(part.interval)
    sources = "" if part.clusters == part.n else f"{part.clusters:,} sources"
    return (
        Cell(part.name),
        Cell(f"{part.n:,}", part.n, sources),
        Cell(f"{points(part.reference)} %", part.reference),
        Cell(f"{points(part.candidate)} %", part.candidate),
        Cell(points(part.drop), part.drop, "" if shift == "open" else shift),
        Cell(span(part.interval), part.interval[1]),
        Cell(f"{part.changed:,}", part.changed),
    )
