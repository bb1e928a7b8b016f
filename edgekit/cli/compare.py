"""``edgekit validate --compare A.json B.json``: what changed between two accuracy reports?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from edgekit.cli.output import emit
from edgekit.cli.tables import on_terminal

if TYPE_CHECKING:
    from edgekit.report.tables import Table


def compare(args: argparse.Namespace) -> int:
    """Prints what changed and, with ``--report``, writes it; 0 however it came out."""
    from edgekit.errors import UsageError
    from edgekit.report.accuracy import read_report
    from edgekit.report.comparison import compare_reports
    from edgekit.report.comparison_page import change_tables, results_table, slices_table
    from edgekit.report.files import write_comparison

    if args.bundle or args.against or args.data or args.record:
        raise UsageError(
            "validate: --compare reads two reports and measures nothing",
            "leave BUNDLE, --against, --data and --record out",
        )
    before, after = (read_report(path) for path in args.compare)
    found = compare_reports(before, after)
    paths = {} if args.report is None else write_comparison(found, args.report)
    tables = [results_table(found), *change_tables(found)]
    if found.slices:
        tables.append(slices_table(found))
    files = {kind: str(path) for kind, path in paths.items()}
    emit(args, {**found.as_json(), "report": files}, _text(found.summary, tables, files))
    return 0


def _text(summary: str, tables: list[Table], files: dict[str, str]) -> Any:  # noqa: ANN401 (a rich renderable)
    from rich.console import Group
    from rich.text import Text

    parts: list[Any] = [Text(summary, style="bold")]
    for told in tables:
        parts += ["", on_terminal(told)]
    return Group(*parts, *(Text(f"{kind}: {path}") for kind, path in files.items()))
