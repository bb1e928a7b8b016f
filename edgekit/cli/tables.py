"""A report's tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from edgekit.report.tables import Table as Told


def on_terminal(told: Told, most: int | None = None) -> Table:
    """A table as rich shows it.

    Args:
        told: what it says.
        most: rows to show; the title says how many there are.
    """
    from rich.table import Table
    from rich.text import Text

    left_out = most is not None and len(told.rows) > most
    title = f"{told.name} (the first {most} of {len(told.rows)})" if left_out else told.name
    table = Table(*told.columns, title=title, title_justify="left", box=None)
    for row in told.rows[:most]:
        table.add_row(*(Text(f"{cell.text} {cell.note}".strip()) for cell in row))
    return table
