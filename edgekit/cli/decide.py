"""``edgekit decide``: on the device, in a cascade, or on a server."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli.decide_options import (
    add_assumption_arguments,
    add_workload_arguments,
    assumptions_of,
    workload_of,
)
from edgekit.cli.output import emit, say
from edgekit.cli.values import option, parse_path

if TYPE_CHECKING:
    from edgekit.catalog.decide.decision import Decision
    from edgekit.catalog.decide.workload import Workload

SUMMARY = (
    "on the device, in a cascade or on a server: latency, memory, energy and cost, with every assumption"
)
EPILOG = """\
examples:
  edgekit decide --per-day 20k --max-latency 100ms                     a camera that must answer at once
  edgekit decide --per-month 10M --inputs-at server \\
    --set pipeline.usd_a_call=0.0005 --set dense.ms=1500 --set dense.usd_a_call=0.003
  edgekit decide --per-day 1M --accuracy paramount --error-cost 0.50   what a wrong result costs
  edgekit decide --per-day 5k --device pi4 --max-size 50MB --open-ended
  edgekit decide --device pi4 --write-assumptions ours.toml            then change it, and
  edgekit decide --per-day 5k --assumptions ours.toml --plot cost.svg

It lists the assumptions that the recommended option is computed from, those that would turn the decision, each by
itself, within a tenth to ten times its value, and those you changed; --all lists the rest too.

exit codes: 0 an option holds · 1 everything is ruled out · 2 bad input
Costs count what differs between the options: a camera, and people, are needed for each of them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    add_workload_arguments(parser)
    add_assumption_arguments(parser)
    parser.add_argument(
        "--all",
        action="store_true",
        help="lists every assumption, not only those that count here (--json has them all)",
    )
    parser.add_argument(
        "--plot",
        type=option(parse_path),
        metavar="FILE.svg",
        help="draws cost over volume, with break-even volumes",
    )


def run(args: argparse.Namespace) -> int:
    """Prints the decision; 1 where nothing holds."""
    from edgekit.catalog.decide.decision import decide
    from edgekit.catalog.decide.file import written
    from edgekit.catalog.decide.record import record
    from edgekit.catalog.decide.weight import weights
    from edgekit.cli.decide_tables import on_terminal

    assumptions, notes = assumptions_of(args)
    if args.write_assumptions:
        _save(args.write_assumptions, written(assumptions, notes))
        if args.per_month is None and args.per_day is None:
            emit(args, {"written": str(args.write_assumptions)}, f"{args.write_assumptions} written")
            return 0
    workload = workload_of(args, assumptions.around.days_a_month)
    decision = decide(workload, assumptions)
    if args.plot:
        _save(args.plot, _drawn(decision, workload))
    weighed = weights(workload, assumptions)
    emit(
        args,
        record(decision, workload, assumptions, notes, weighed),
        on_terminal(decision, workload, assumptions, notes, weighed, args.all),
    )
    return 0 if decision.recommended else 1


def _drawn(decision: Decision, w: Workload) -> str:
    from edgekit.report.plots.costs import STYLE, Curve, Mark, costs_plot
    from edgekit.report.plots.svg import standalone

    totals = {o.name: o.with_errors(w.error_usd) for o in decision.options}
    curves = [Curve(name, total.at, bool(decision.excluded[name])) for name, total in totals.items()]
    marks = [
        Mark(
            one.calls_a_month,
            totals[one.below].at(one.calls_a_month),
            f"{one.above} costs less than {one.below} from {one.calls_a_month:,.0f} calls a month",
        )
        for one in decision.break_even
    ]
    return standalone(costs_plot(curves, marks, w.calls_a_month), 960, STYLE)


def _save(path: Path, text: str) -> None:
    from edgekit.bundle.atomic import replacing

    with replacing(path) as file:
        file.write(text.encode())
    say(f"wrote {path}")
