"""``edgekit validate``: what did a bundle lose against its reference?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from edgekit.cli.output import emit, progress, say
from edgekit.cli.tables import on_terminal
from edgekit.cli.values import option, parse_count, parse_drop, parse_path, parse_seed

if TYPE_CHECKING:
    from rich.table import Table

    from edgekit.data.dataset import Dataset
    from edgekit.evaluation.options import Options
    from edgekit.predictions.contender import Contender
    from edgekit.report.accuracy import Report
    from edgekit.validate import Validated

SUMMARY = "accuracy-drop report: a bundle against its full-precision reference, on the same samples"
EPILOG = """\
examples:
  edgekit validate lite0.edge --against lite0.reference.edge --data photos/
  edgekit validate lite0.edge --against lite0.reference.edge --data 'photos/?crops=14' --max-drop 2%
  edgekit validate lite0.edge --against lite0.reference.edge --data clip.mp4 --variant fp16 --report out/
  edgekit validate lite0.edge --against lite0.reference.edge --data photos/ --robustness --report out/
  edgekit validate ocr.edge --against ocr.reference.edge --data lines.jsonl --max-drop 0.5%
  edgekit validate llm.edge --against llm.reference.edge --data texts/ --max-drop 2%
  edgekit validate rec.edge --against rec.reference.edge --data 'rendered:lines?n=2000&seed=7' --looks 3

without the reference model on the device: record there or elsewhere, compare anywhere
  edgekit validate lite0.reference.edge --data photos/ --record reference.predictions
  edgekit validate lite0.edge --against reference.predictions --data photos/ --report out/

what changed between two reports
  edgekit validate --compare before/report.json after/report.json

data:
  of what the bundle takes: a folder of pictures or videos (sub-folders named after classes give labels),
  of recordings or of texts; a picture, a video, a recording, a .txt file;
  a .jsonl or .csv table with image, sound or text, and label or text; COCO or VQA JSON;
  of language models also question, choices and answer;
  rendered:lines (with edgekit-export);
  options: ?crops=14&seed=1 several views a picture · ?frames=400 frames of a video · ?by=line a text a line

The limit holds (PASS, exit 0) if the upper end of the drop's 95 % interval is within it; FAIL and
INCONCLUSIVE exit 1. Without labels the measure is disagreement, which bounds the drop from above (but for
detectors). A stage that the bundle computes otherwise than its reference (channel order, mean, std,
resize, crop, labels, alphabet, output scale) is named.
With --report, a run that was interrupted goes on where it stopped when the same command is given again."""

SHOWN = 10
"""Rows of a table on the terminal; all are in the report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument(
        "bundle",
        metavar="BUNDLE",
        type=option(parse_path),
        nargs="?",
        help="the bundle to measure, or predictions it recorded",
    )
    parser.add_argument(
        "--against",
        metavar="REFERENCE",
        type=option(parse_path),
        help="the full-precision bundle, or predictions it recorded",
    )
    parser.add_argument("--data", metavar="DATA", action="append", help="what to measure on; repeatable")
    parser.add_argument("--variant", metavar="V", help="variant of BUNDLE; its first by default")
    parser.add_argument("--max-drop", metavar="2%", type=option(parse_drop), help="largest drop allowed")
    parser.add_argument(
        "--limit", metavar="N", type=option(parse_count), help="use at most N samples, drawn evenly"
    )
    parser.add_argument(
        "--seed", metavar="S", type=option(parse_seed), default=0, help="of draws (default 0)"
    )
    parser.add_argument(
        "--looks",
        metavar="K",
        type=option(parse_count),
        default=1,
        help="look at the limit up to K times (1 to 5) on the way and stop when it is clear; the error rate stays",
    )
    parser.add_argument(
        "--robustness",
        metavar="LIST",
        nargs="?",
        const="all",
        help="measure under blur, noise, jpeg, darkness and scale as well, or under those of a comma-separated LIST",
    )
    _add_output_arguments(parser)
    parser.add_argument(
        "--threads", metavar="N", type=option(parse_count), help="threads inside one operator"
    )


def _add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """What is made of it, beside what is printed."""
    parser.add_argument(
        "--report",
        metavar="DIR",
        type=option(parse_path),
        help="write report.html, .md, .json and .junit.xml there",
    )
    parser.add_argument(
        "--layers",
        action="store_true",
        help="find out which layers the noise comes from (needs edgekit-export and two bundles)",
    )
    parser.add_argument(
        "--record",
        metavar="FILE",
        type=option(parse_path),
        help="compare nothing: write what BUNDLE says of every sample, for --against elsewhere",
    )
    parser.add_argument(
        "--compare",
        metavar=("A.json", "B.json"),
        nargs=2,
        type=option(parse_path),
        help="compare two reports instead: what changed from A to B",
    )


def run(args: argparse.Namespace) -> int:
    """Measures, prints, writes the report; 0 if the limit holds or none was given, else 1."""
    if args.compare is not None:
        from edgekit.cli.compare import compare

        return compare(args)
    _require(args, "bundle", "BUNDLE", "a bundle or recorded predictions")
    _require(args, "data", "--data", "what to measure on")
    return _record(args) if args.record is not None else _validate(args)


def _validate(args: argparse.Namespace) -> int:
    from edgekit.evaluate import check_sides
    from edgekit.predictions.contender import open_contender
    from edgekit.report.accuracy import as_json
    from edgekit.report.page import require_html
    from edgekit.validate import validate

    _require(args, "against", "--against", "the full-precision bundle, or predictions it recorded")
    if args.report is not None:
        require_html()
    options = _options(args)
    reference = open_contender(args.against, None, args.threads)
    candidate = open_contender(args.bundle, args.variant, args.threads)
    check_sides(reference.side, candidate.side)  # before the data: what one of them cannot be given says less
    dataset = _data(args, reference)
    with progress("comparing", len(dataset)) as advance:
        found = validate(
            candidate,
            reference,
            dataset,
            options,
            folder=args.report,
            layers=args.layers,
            say=say,
            advance=advance,
        )
    files = {kind: str(path) for kind, path in found.paths.items()}
    emit(args, {**as_json(found.report), "latency_ms": _latencies(found), "report": files}, _text(found))
    return 0 if found.report.holds else 1


def _record(args: argparse.Namespace) -> int:
    from edgekit.errors import UsageError
    from edgekit.predictions.contender import Live, open_contender
    from edgekit.validate import record

    contender = open_contender(args.bundle, args.variant, args.threads)
    if not isinstance(contender, Live):
        raise UsageError(f"{args.bundle}: is a recording already", "name a bundle")
    dataset = _data(args, contender)
    with progress("recording", len(dataset)) as advance:
        path = record(contender, dataset, args.record, conditions=_conditions(args), say=say, advance=advance)
    emit(
        args,
        {"predictions": str(path), "n": len(dataset), "bytes": path.stat().st_size},
        f"{path}: predictions of {contender.subject.bundle} ({contender.subject.variant}) on {len(dataset):,} samples",
    )
    return 0


def _require(args: argparse.Namespace, name: str, shown: str, what: str) -> None:
    from edgekit.errors import UsageError

    if getattr(args, name) is None:
        raise UsageError(f"validate: no {shown}", f"name {what}; edgekit validate --help shows examples")


def _options(args: argparse.Namespace) -> Options:
    from edgekit.errors import UsageError
    from edgekit.evaluation.options import Options
    from edgekit.statistics.spending import MOST_LOOKS

    if args.looks > MOST_LOOKS:
        raise UsageError(f"looks: got {args.looks}", f"expected 1 to {MOST_LOOKS}")
    if args.looks > 1 and args.max_drop is None:
        raise UsageError(f"looks: {args.looks} looks at no limit", "give --max-drop as well")
    limit = args.max_drop
    return Options(
        max_drop=None if limit is None else limit.points,
        relative=limit is not None and limit.relative,
        looks=args.looks,
        seed=args.seed,
        conditions=_conditions(args),
    )


def _conditions(args: argparse.Namespace) -> tuple[str, ...]:
    from edgekit.data.conditions import CONDITIONS
    from edgekit.errors import UsageError

    if args.robustness is None:
        return ()
    names = tuple(CONDITIONS) if args.robustness == "all" else tuple(args.robustness.split(","))
    unknown = [name for name in names if name not in CONDITIONS]
    if unknown or len(set(names)) != len(names):
        raise UsageError(f"robustness: got {args.robustness!r}", f"expected some of {','.join(CONDITIONS)}")
    return names


def _data(args: argparse.Namespace, reference: Contender) -> Dataset:
    from edgekit.data.dataset import open_data

    side = reference.side
    dataset = open_data(args.data, side.task, side.labels, side.accepts)
    return dataset if args.limit is None else dataset.limited(args.limit, args.seed)


def _latencies(found: Validated) -> dict[str, dict[str, float] | None]:
    """Percentiles by side; null where nothing was timed."""
    import numpy as np

    shown: dict[str, dict[str, float] | None] = {}
    for side, times_ms in zip(("reference", "candidate"), found.times_ms, strict=True):
        p50, p95 = np.percentile(times_ms, [50, 95]).tolist() if times_ms else (0.0, 0.0)
        shown[side] = {"p50": round(p50, 3), "p95": round(p95, 3)} if times_ms else None
    return shown


def _text(found: Validated) -> Any:  # noqa: ANN401 (a rich renderable)
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from edgekit.report.evidence import alarms, evidence
    from edgekit.report.facts import contrasts, facts, headline

    report = found.report
    tone = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow", "NONE": "bold"}[
        report.verdict
    ]
    told, sides = Table(show_header=False, box=None), Table("", "reference", "candidate", box=None)
    for fact in facts(report):
        told.add_row(*map(Text, (fact.name, fact.value, fact.note)))
    for row in contrasts(report):
        sides.add_row(*map(Text, (row.name, row.reference, row.candidate)))
    for name in ("p50", "p95"):
        latencies = _latencies(found).values()
        cells = ["not timed" if one is None else f"{one[name]:.1f} ms" for one in latencies]
        sides.add_row(*map(Text, (f"latency {name}", *cells)))
    lines: list[Any] = [Text(headline(report), style=tone), Text(report.reason)]
    lines += [Text(f"{alarm.title}: {alarm.text}", style="bold red") for alarm in alarms(report)]
    lines += [told, sides, *map(Text, evidence(report)), *_tables(report)]
    return Group(*lines, *(Text(f"{kind}: {path}") for kind, path in found.paths.items()))


def _tables(report: Report) -> list[Table]:
    """Measures and slices, where there are any."""
    from edgekit.report.tables import KINDS, measures_table, slices_of, slices_table

    parts = {kind: slices_of(report, kind) for kind in KINDS}
    told = [slices_table(report, kind, slices) for kind, slices in parts.items() if slices]
    measures = [measures_table(report)] if report.measures else []
    return [on_terminal(table, SHOWN) for table in (*measures, *told)]
