"""``edgekit validate``: what did a bundle lose against its reference?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.cli.output import emit, progress
from edgekit.cli.values import option, parse_count, parse_drop, parse_seed

if TYPE_CHECKING:
    from edgekit.bundle.reader import Bundle
    from edgekit.data.dataset import Dataset
    from edgekit.evaluation.subject import Subject
    from edgekit.report.accuracy import Report
    from edgekit.tasks.protocol import Task

SUMMARY = "accuracy-drop report: a bundle against its full-precision reference, on the same pictures"
EPILOG = """\
examples:
  edgekit validate lite0.edge --against lite0.reference.edge --data photos/
  edgekit validate lite0.edge --against lite0.reference.edge --data 'photos/?crops=14' --max-drop 2%
  edgekit validate lite0.edge --against lite0.reference.edge --data clip.mp4 --variant fp16 --report out/
  edgekit validate ocr.edge --against ocr.reference.edge --data lines.jsonl --max-drop 0.5%
  edgekit validate rec.edge --against rec.reference.edge --data 'rendered:lines?n=2000&seed=7'

data:
  a folder of pictures or videos (sub-folders named after classes give labels), a picture, a video,
  a .jsonl or .csv table with image and label or text, rendered:lines (with edgekit-export);
  options: ?crops=14&seed=1 several views a picture · ?frames=400 frames of a video

The limit holds (PASS, exit 0) if the upper end of the drop's 95 % interval is within it; FAIL and
INCONCLUSIVE exit 1. Without labels the measure is disagreement, which bounds the drop from above."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", metavar="BUNDLE", type=Path, help="the bundle to measure")
    parser.add_argument(
        "--against", metavar="REFERENCE", type=Path, required=True, help="the full-precision bundle"
    )
    parser.add_argument(
        "--data", metavar="DATA", action="append", required=True, help="what to measure on; repeatable"
    )
    parser.add_argument("--variant", metavar="V", help="variant of BUNDLE; its first by default")
    parser.add_argument("--max-drop", metavar="2%", type=option(parse_drop), help="largest drop allowed")
    parser.add_argument(
        "--limit", metavar="N", type=option(parse_count), help="use at most N samples, drawn evenly"
    )
    parser.add_argument(
        "--seed", metavar="S", type=option(parse_seed), default=0, help="of that draw (default 0)"
    )
    parser.add_argument(
        "--report", metavar="DIR", type=Path, help="write report.html, report.md and report.json there"
    )
    parser.add_argument(
        "--threads", metavar="N", type=option(parse_count), help="threads inside one operator"
    )


def run(args: argparse.Namespace) -> int:
    """Measures, prints, writes the report; 0 if the limit holds or none was given, else 1."""
    from edgekit.evaluate import compare
    from edgekit.report.accuracy import as_json
    from edgekit.report.files import make_folder, write_report
    from edgekit.report.html import require_html

    if args.report is not None:
        require_html()
        make_folder(args.report)
    reference, candidate = (
        _load(args.against, None, args.threads),
        _load(args.bundle, args.variant, args.threads),
    )
    dataset = _data(args, reference[1], candidate[0])
    limit = args.max_drop
    with progress("comparing", len(dataset)) as advance:
        found = compare(
            reference[1],
            candidate[1],
            dataset,
            max_drop=None if limit is None else limit.points,
            relative=limit is not None and limit.relative,
            thumbnails=args.report is not None,
            advance=advance,
        )
    report = _report(found, reference, candidate)
    paths = {} if args.report is None else write_report(report, args.report)
    emit(
        args,
        {**as_json(report), "report": {kind: str(path) for kind, path in paths.items()}},
        _text(report, paths),
    )
    return 0 if found.holds else 1


def _load(path: Path, variant: str | None, threads: int | None) -> tuple[Bundle, Task]:
    from edgekit.bundle.reader import open_bundle
    from edgekit.engines.protocol import EngineOptions
    from edgekit.tasks.registry import default_threads, load

    options = EngineOptions(threads=threads or default_threads())
    return open_bundle(path), load(path, variant, options=options)


def _data(args: argparse.Namespace, reference: Task, candidate: Bundle) -> Dataset:
    from edgekit.data.dataset import open_data
    from edgekit.errors import DataError

    dataset = open_data(args.data, reference.name, getattr(reference, "labels", ()))
    if dataset.sha256 == candidate.manifest.lock.calibration_sha256:
        raise DataError(
            f"data: {' '.join(args.data)} is what {candidate.path.name} was calibrated on",
            "measure on other pictures",
        )
    return dataset if args.limit is None else dataset.limited(args.limit, args.seed)


def _report(found: Any, reference: tuple[Bundle, Task], candidate: tuple[Bundle, Task]) -> Report:  # noqa: ANN401
    from edgekit.machine import this_machine
    from edgekit.report.accuracy import report_of

    return report_of(
        found,
        reference=_subject(*reference),
        candidate=_subject(*candidate),
        machine=this_machine(),
        card=candidate[0].card,
    )


def _subject(bundle: Bundle, task: Task) -> Subject:
    from edgekit.evaluation.subject import subject_of
    from edgekit.tasks.registry import find_variant

    return subject_of(bundle, find_variant(bundle.manifest, task.variant), task)


def _text(report: Report, paths: dict[str, Path]) -> Any:  # noqa: ANN401 (a rich renderable)
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from edgekit.report.facts import contrasts, facts, headline

    tone = {"PASS": "bold green", "FAIL": "bold red", "INCONCLUSIVE": "bold yellow", "NONE": "bold"}[
        report.verdict
    ]
    found, sides = Table(show_header=False, box=None), Table("", "reference", "candidate", box=None)
    for fact in facts(report):
        found.add_row(*map(Text, (fact.name, fact.value, fact.note)))
    for row in contrasts(report):
        sides.add_row(*map(Text, (row.name, row.reference, row.candidate)))
    lines: list[Any] = [Text(headline(report), style=tone), Text(report.reason), found, sides]
    return Group(*lines, *(Text(f"{kind}: {path}") for kind, path in paths.items()))
