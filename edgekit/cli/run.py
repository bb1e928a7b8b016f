"""``edgekit run``: one result an input."""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.cli.badge import tell_badge
from edgekit.cli.engine_options import add_engine_arguments, engine_options
from edgekit.cli.output import emit
from edgekit.cli.then import add_then_arguments
from edgekit.cli.usage import usage_of
from edgekit.cli.values import option, parse_path
from edgekit.cli.words import in_short, lines_of

if TYPE_CHECKING:
    from edgekit.cli.inputs import Given
    from edgekit.cli.save import Saver
    from edgekit.tasks.protocol import Task
    from edgekit.types import Result

SUMMARY = "runs a bundle on pictures, texts or sounds and prints one result each"
EPILOG = """\
examples:
  edgekit run lite0.edge cat.jpg               the five best classes
  edgekit run ocr.edge receipts/ --json        a folder, one JSON object a line
  edgekit run lite0.edge photos/ --table       one row each
  edgekit run lite0.edge cat.jpg --variant fp16
  edgekit run detect.edge photos/ --save out/  boxes and labels drawn on copies
  edgekit run minilm.edge notes.txt --json     one text a line
  echo "so good" | edgekit run mood.edge -     standard input, one text a line
  edgekit run mood.edge --text "so good"
  edgekit run vad.edge speech.wav              where someone speaks
  edgekit run smollm2.edge --text "Why?"       a language model's answer
  edgekit run ocr.edge receipt.jpg --then smollm2.edge --fields merchant,date,total:number
  edgekit run vlm.edge photos/ --prompt "Is there a cat?"    the same question about each picture

a text bundle takes one text a line of a file; blank lines are passed over. A picture bundle takes one picture of
standard input, a sound bundle one recording. Inputs outside the model's card (a text in another language, a picture
much too small or too long) are told once, on stderr."""

_CELL = 40
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="an .edge file")
    parser.add_argument(
        "inputs",
        type=option(parse_path),
        nargs="*",
        metavar="INPUT",
        help="a file or a folder of what the bundle takes; - is standard input",
    )
    parser.add_argument(
        "--text", action="append", default=[], metavar="TEXT", help="a text itself; may be repeated"
    )
    parser.add_argument(
        "--save",
        type=option(parse_path),
        metavar="DIR",
        help="draw what was found on copies of the pictures there; of texts and sounds, write the result as JSON",
    )
    add_then_arguments(parser)
    parser.add_argument("--table", action="store_true", help="one row an input instead of the whole result")
    parser.add_argument("--variant", metavar="V", help="which variant (default: the bundle's first)")
    parser.add_argument("--engine", metavar="E", help="which engine (default: the model format's own)")
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Loads the bundle once and prints a result for each input."""
    from edgekit.cli.inputs import inputs_of
    from edgekit.cli.then import asked_of
    from edgekit.engines.bare import refuse_bare
    from edgekit.tasks.registry import load

    refuse_bare(args.bundle)
    task = load(args.bundle, args.variant, engine=args.engine, options=engine_options(args))
    tell_badge(args.bundle)
    asked = asked_of(args, task)
    inputs = inputs_of(task.accepts, args.inputs, args.text)
    usage = usage_of(args)
    saver = None if args.save is None else _saver(args, task)
    for given in inputs:
        start = time.perf_counter_ns()
        result = task(given.content) if asked is None else asked.first(given)
        latency_ms = round((time.perf_counter_ns() - start) / 1e6, 3)
        usage.done(given.content, result)
        obj = {
            "input": given.name,
            "task": task.name,
            "result": result.as_json(),
            "variant": task.variant,
            "latency_ms": latency_ms,
        }
        if asked is not None:
            obj |= asked.told(result)
        if saver is not None:
            obj["saved"] = str(saver.save(given, result, dict(obj)))
        emit(
            args,
            obj,
            (_row(given, result, latency_ms) if args.table else _whole(given, task, result, latency_ms))
            + _then(obj),
        )
    return 0


def _saver(args: argparse.Namespace, task: Task) -> Saver:
    from edgekit.cli.save import Saver

    return Saver(args.save, args.inputs, task.accepts)


def _whole(given: Given, task: Task, result: Result, latency_ms: float) -> str:
    from rich.markup import escape

    return f"{escape(_told(given))} · {task.variant} · {latency_ms:.1f} ms\n{describe(result)}"


def _then(told: Mapping[str, Any]) -> str:
    """What a language model made of it, on lines of its own."""
    if (obj := told.get("then")) is None:
        return ""
    from rich.markup import escape

    answer = "\n".join(f"  {escape(_on_one_line(line))}" for line in obj["result"]["text"].split("\n"))
    return f"\nthen {escape(obj['bundle'])} · {obj['variant']} · {obj['latency_ms']:.1f} ms\n{answer}"


def _row(given: Given, result: Result, latency_ms: float) -> str:
    """Columns as wide as most rows need: a longer text is cut, a longer name moves those after it."""
    from rich.markup import escape

    told = _told(given)
    if isinstance(given.content, str) and len(told) > _CELL:
        told = told[: _CELL - 1] + "…"
    return f"{escape(f'{told:<{_CELL}}')}  {latency_ms:8.1f} ms  {escape(_on_one_line(in_short(result)))}"


def _told(given: Given) -> str:
    """Its name; for a text, which a person wants to see, the text."""
    return _on_one_line(given.content if isinstance(given.content, str) else given.name)


def _on_one_line(text: str) -> str:
    """Without control characters: line ends would break rows, escape sequences do as they like with a terminal."""
    return _CONTROL.sub(" ", text)


def describe(result: Result) -> str:
    """A result as indented lines for a person; square brackets of the text survive rich's markup."""
    from rich.markup import escape

    return "\n".join(f"  {escape(_on_one_line(line))}" for line in lines_of(result))
