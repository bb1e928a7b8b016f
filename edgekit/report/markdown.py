"""The report as Markdown, e.g. for a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from edgekit.report.accuracy import Report
from edgekit.report.evidence import alarms, evidence
from edgekit.report.facts import contrasts, facts, headline, surroundings
from edgekit.report.origin import layers_table, matrix_table, stages_table, worst_layer
from edgekit.report.tables import KINDS, Cell, Table, looks_table, measures_table, slices_of, slices_table
from edgekit.report.wording import sentence

SHOWN = 10
"""Slices of a kind and layers of a graph that are listed."""

_SPECIAL = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]<>#|~"} | {"\n": " ", "\r": " "})


def markdown(report: Report) -> str:
    """One Markdown document."""
    card = report.card
    parts = [
        f"# {plain(card.title)}: {plain(report.subjects.candidate.variant)}",
        f"**{plain(headline(report))}**",
        *([f"For: **{plain(card.badge)}**."] if card.badge else []),
        plain(sentence(report.reason)),
        *(f"> **{plain(alarm.title)}.** {plain(alarm.text)}" for alarm in alarms(report)),
        "\n".join(f"- {plain(line)}" for line in evidence(report)),
        lines(("", "value", ""), [(f.name, f.value, f.note) for f in facts(report)]),
        *_measured(report),
        "## Reference and candidate",
        lines(
            ("", "reference", "candidate", ""),
            [(c.name, c.reference, c.candidate, c.note) for c in contrasts(report)],
        ),
        *_origin(report),
        "## What it cannot do",
        "\n".join(f"- {plain(line)}" for line in card.cannot) or "Its card does not say.",
        *_worst(report),
        "## Measured on",
        lines(("", "", ""), [(f.name, f.value, f.note) for f in surroundings(report)]),
    ]
    return "\n\n".join(parts) + "\n"


def lines(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of plain texts."""
    found = [[plain(cell) for cell in head], ["---"] * len(head), *([plain(c) for c in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in found)


def listed(table: Table, shown: int | None = None) -> str:
    """A table; says how many rows are left out."""
    rows = table.rows if shown is None else table.rows[:shown]
    more = len(table.rows) - len(rows)
    return lines(table.columns, [[_cell(c) for c in row] for row in rows]) + (
        f"\n\n… and {more:,} more, in report.json." if more else ""
    )


def plain(text: str) -> str:
    """Text that Markdown shows as it is, in one line."""
    return text.translate(_SPECIAL)


def _cell(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text


def _measured(report: Report) -> Iterator[str]:
    if report.measures:
        yield "## Measures"
        yield listed(measures_table(report))
    if len(report.looks) > 1:
        yield "## Looks at the gate"
        yield listed(looks_table(report))
    for kind, title in KINDS.items():
        found = slices_of(report, kind)
        if found:
            yield f"## {title}"
            yield "Worst first; the intervals hold for all at once."
            yield listed(slices_table(report, kind, found), SHOWN)


def _origin(report: Report) -> Iterator[str]:
    if report.graphs or report.matrix is not None:
        yield "## Where the noise comes from"
    for role, graph in report.graphs.items():
        yield f"### {plain(role)}"
        if graph.layers:
            yield plain(worst_layer(graph)) or "No layer differs."
            table = layers_table(graph)
            noisy = [row for row in table.rows if row[-1].key is not None]
            worst = sorted(noisy, key=lambda row: row[-1].key or 0.0)
            yield listed(Table(table.name, table.columns, tuple(worst)), SHOWN)
        if graph.stages is not None:
            yield listed(stages_table(graph.stages))
    if report.matrix is not None:
        yield f"### Percent of {report.matrix.n:,} samples on which two variants decide alike"
        yield listed(matrix_table(report.matrix))


def _worst(report: Report) -> Iterator[str]:
    if report.worst:
        rows = [(w.id, w.condition, w.truth or "", w.reference, w.candidate) for w in report.worst]
        yield "## Samples that changed most"
        yield lines(("sample", "under", "truth", "reference", "candidate"), rows)
