"""``edgekit bench --ledger``: what ``edgekit camera --record`` wrote, replayed."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from edgekit.cli.output import emit
from edgekit.cli.values import option, parse_duration, parse_path
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from edgekit.logbook.replay import Replay

BLOCKS = " ▁▂▃▄▅▆▇█"
COLUMNS = 80


def add_ledger_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--ledger``, ``--deadline`` and ``--plot``."""
    parser.add_argument(
        "--ledger", type=option(parse_path), metavar="FILE", help="replay what edgekit camera --record wrote"
    )
    parser.add_argument(
        "--deadline",
        type=option(parse_duration),
        metavar="T",
        help="with --ledger: count misses against this limit (default: the recorded run's)",
    )
    parser.add_argument(
        "--plot",
        type=option(parse_path),
        metavar="OUT",
        help="with --ledger: latency over time, OUT.svg or OUT.html",
    )


def is_ledger(args: argparse.Namespace) -> bool:
    """Whether a recorded run is asked for, and not a bundle.

    Raises:
        UsageError: both or none, or options of the one with the other.
    """
    if (args.bundle is None) == (args.ledger is None):
        got = "neither" if args.bundle is None else "both"
        raise UsageError(f"bench: expected BUNDLE or --ledger FILE, got {got}", "see edgekit bench --help")
    if args.ledger is None and (args.deadline is not None or args.plot is not None):
        raise UsageError(
            "--deadline and --plot belong to --ledger", "record a run: edgekit camera --record FILE"
        )
    return args.ledger is not None


def run_ledger(args: argparse.Namespace) -> int:
    """Replays the file; 1 where a deadline was given and does not hold."""
    from edgekit.logbook.reader import read_lines
    from edgekit.logbook.replay import replay
    from edgekit.report.ledger import check_plot, write_plot

    if args.plot is not None:
        check_plot(args.plot)
    found = replay(read_lines(args.ledger), None if args.deadline is None else round(args.deadline * 1e6))
    if args.plot is not None:
        write_plot(found, args.plot)
    emit(args, found.as_json(), _text(found))
    return int(args.deadline is not None and found.verdict != "PASS")


def _text(found: Replay) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from edgekit.report.ledger import describe

    table = Table("stage", "p50 ms", "p95 ms", "p99 ms", box=None, header_style="bold")
    for stage, ms in found.ledger.latency_ms().items():
        table.add_row(stage, *(f"{ms[q]:.2f}" if ms else "–" for q in ("p50", "p95", "p99")))
    if len(found.by_variant) > 1:
        table.add_section()
        for name, total in found.by_variant.items():
            ms = total.as_ms()
            table.add_row(f"total, {name}", *(f"{ms[q]:.2f}" for q in ("p50", "p95", "p99")))
    lines = [describe(found), *_dropped(found), *_events(found)]
    return Group(*(Text(line) for line in lines), table, *(Text(line) for line in curve(found)))


def _dropped(found: Replay) -> list[str]:
    if found.counts is None:
        return []
    causes = ", ".join(f"{n} {cause.replace('_', ' ')}" for cause, n in found.counts.dropped.items() if n)
    return [f"frames: {found.counts.read} read, dropped: {causes or 'none'}"]


def _events(found: Replay) -> list[str]:
    shown = [f"{(event.at_ns - found.first_ns) / 1e9:8.1f} s  {event.what}" for event in found.events[:20]]
    more = len(found.events) - len(shown) + found.more_events
    return [*shown, *([f"and {more} events more"] if more else [])]


def curve(found: Replay) -> list[str]:
    """The slowest frame of each stretch of time, as a line of blocks; empty where nothing was recorded."""
    timeline = found.timeline.as_json()
    if not timeline["at_ms"]:
        return []
    start, span = timeline["at_ms"][0], timeline["until_ms"] - timeline["at_ms"][0]
    slots = round(span / timeline["step_ms"])
    columns = [0.0] * min(COLUMNS, slots)
    for at_ms, worst_ms in zip(timeline["at_ms"], timeline["worst_ms"], strict=True):
        column = round((at_ms - start) / timeline["step_ms"]) * len(columns) // slots
        columns[column] = max(columns[column], worst_ms)
    most = max(max(columns), 1e-6)
    blocks = "".join(BLOCKS[math.ceil(value / most * 8)] for value in columns)
    return [f"slowest frames, up to {most:.1f} ms, over {span / 1000:.1f} s:", blocks]
