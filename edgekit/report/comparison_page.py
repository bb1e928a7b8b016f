"""The comparison of two reports as tables, Markdown and an HTML page."""

from __future__ import annotations

from edgekit.report.comparison import Comparison, Moved
from edgekit.report.markdown import listed, plain
from edgekit.report.page import page, require_html
from edgekit.report.plots.forest import Mark, forest
from edgekit.report.tables import Cell, Table
from edgekit.report.wording import percent, points, span

SHOWN = 25
"""Slices that are listed on the page and in Markdown; all are in the JSON."""


def results_table(comparison: Comparison) -> Table:
    """The two results, one a row."""
    rows = tuple(
        (
            Cell(f"{which}: {result.title}, {result.variant}"),
            Cell(result.verdict),
            Cell(points(result.drop), result.drop),
            Cell(span(result.interval), result.interval[1], f"at {percent(result.confidence)}"),
        )
        for which, result in (("before", comparison.before), ("after", comparison.after))
    )
    return Table("Results", ("report", "verdict", "drop", "interval"), rows)


def change_tables(comparison: Comparison) -> list[Table]:
    """Lines that differ, one table a section; the terminal prints the same."""
    return [
        Table(
            section,
            ("", "before", "after"),
            tuple((Cell(x.name), Cell(x.before or "–"), Cell(x.after or "–")) for x in lines),
        )
        for section, lines in comparison.changes.items()
    ]


def slices_table(comparison: Comparison) -> Table:
    """Slices that moved."""
    columns = ("slice", "drop before", "drop after", "interval before", "interval after", "intervals")
    return Table("Slices that moved", columns, tuple(_slice(moved) for moved in comparison.slices))


def comparison_markdown(comparison: Comparison) -> str:
    """One Markdown document."""
    parts = ["# Two accuracy reports compared", plain(comparison.summary), listed(results_table(comparison))]
    for table in change_tables(comparison):
        parts += [f"## {table.name}", listed(table)]
    if comparison.slices:
        parts += ["## Slices that moved", listed(slices_table(comparison), SHOWN)]
    for title, names in _worst(comparison):
        parts += [f"## {title}", "\n".join(f"- {plain(name)}" for name in names)]
    return "\n\n".join(parts) + "\n"


def comparison_html(comparison: Comparison) -> str:
    """One self-contained page, with the looks of the report's.

    Raises:
        EnvironmentLacks: jinja2 is not installed.
    """
    require_html()
    from markupsafe import Markup

    marks = [Mark(r.drop, r.interval) for r in (comparison.before, comparison.after)]
    drawn = forest(marks)
    slices = slices_table(comparison)
    return page(
        "comparison.html",
        title="Two accuracy reports compared",
        comparison=comparison,
        results={
            "table": results_table(comparison),
            "forest": {"rows": [Markup(row) for row in drawn.rows], "axis": Markup(drawn.axis)},
        },
        changes=change_tables(comparison),
        slices=Table(slices.name, slices.columns, slices.rows[:SHOWN]) if slices.rows else None,
        slices_left=max(len(slices.rows) - SHOWN, 0),
        worst=_worst(comparison),
    )


def _slice(moved: Moved) -> tuple[Cell, ...]:
    return (
        Cell(moved.name, note=moved.kind),
        Cell(points(moved.before), moved.before),
        Cell(points(moved.after), moved.after),
        Cell(span(moved.before_interval), moved.before_interval[1]),
        Cell(span(moved.after_interval), moved.after_interval[1]),
        Cell("apart" if moved.apart else "overlap"),
    )


def _worst(comparison: Comparison) -> list[tuple[str, tuple[str, ...]]]:
    titles = (
        ("Newly among the samples that changed most", comparison.worst_new),
        ("No longer among them", comparison.worst_gone),
    )
    return [(title, names) for title, names in titles if names]
