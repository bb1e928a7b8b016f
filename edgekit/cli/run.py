"""``edgekit run``: one result an input."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli.engine_options import add_engine_arguments, engine_options
from edgekit.cli.output import emit
from edgekit.cli.values import option, parse_path
from edgekit.cli.words import lines_of

if TYPE_CHECKING:
    from edgekit.types import Result

SUMMARY = "runs a bundle on pictures and prints one result each"
EPILOG = """\
examples:
  edgekit run lite0.edge cat.jpg               the five best classes
  edgekit run ocr.edge receipts/ --json        a folder, one JSON object a line
  edgekit run lite0.edge cat.jpg --variant fp16"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="an .edge file")
    parser.add_argument(
        "inputs", type=option(parse_path), nargs="+", metavar="INPUT", help="a picture, or a folder of them"
    )
    parser.add_argument("--variant", metavar="V", help="which variant (default: the bundle's first)")
    parser.add_argument("--engine", metavar="E", help="which engine (default: the model format's own)")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Loads the bundle once and prints a result for each input."""
    from rich.markup import escape

    from edgekit.engines.bare import refuse_bare
    from edgekit.processing.picture_files import pictures_of
    from edgekit.tasks.registry import load

    refuse_bare(args.bundle)
    pictures = [picture for path in args.inputs for picture in pictures_of(path)]
    task = load(args.bundle, args.variant, engine=args.engine, options=engine_options(args))
    for picture in pictures:
        start = time.perf_counter_ns()
        result = task(picture)
        latency_ms = round((time.perf_counter_ns() - start) / 1e6, 3)
        obj = {
            "input": str(picture),
            "task": task.name,
            "result": result.as_json(),
            "variant": task.variant,
            "latency_ms": latency_ms,
        }
        emit(args, obj, f"{escape(str(picture))} · {task.variant} · {latency_ms:.1f} ms\n{describe(result)}")
    return 0


def describe(result: Result) -> str:
    """A result as indented lines for a person; square brackets of the text survive rich's markup."""
    from rich.markup import escape

    return "\n".join(f"  {escape(line)}" for line in lines_of(result))
