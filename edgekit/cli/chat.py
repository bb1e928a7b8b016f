"""``edgekit chat``: a language model's answer, as it is made."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli.answer_options import (
    add_answer_arguments,
    add_grammar_arguments,
    answer_grammar,
    answer_settings,
    decoder_options,
)
from edgekit.cli.engine_options import add_engine_arguments
from edgekit.cli.output import emit, say, write
from edgekit.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgekit.processing.words import Prompt
    from edgekit.tasks.generate import Generate
    from edgekit.tasks.settings import Settings
    from edgekit.types import Generation, Pace

SUMMARY = "talks to a language model, or lets it answer once"
EPILOG = """\
examples:
  edgekit chat smollm2.edge                          a conversation; /new begins another, an empty line ends it
  edgekit chat smollm2.edge "Why is the sky blue?"   one answer
  edgekit chat smollm2.edge --system "Be short." < question.txt
  edgekit chat smollm2.edge "Write a poem." --temperature 0.8 --top-p 0.9 --seed 7
  edgekit chat smollm2.edge "Is this spam? Win a car!" --choice yes --choice no
  edgekit chat smollm2.edge "Anna, 31, from Lyon" --fields name,age:integer,city

Ctrl-C stops an answer. A line on stderr says where the time went. A model that knows no turns goes on with the text."""

NEW = "/new"
PROMPT = "> "
INTERRUPTED = 130
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="an .edge file")
    parser.add_argument(
        "prompt", nargs="?", metavar="PROMPT", help="what to answer (default: standard input)"
    )
    parser.add_argument("--system", metavar="TEXT", help="how the model shall answer")
    parser.add_argument("--variant", metavar="V", help="which variant (default: the bundle's first)")
    parser.add_argument("--engine", metavar="E", help="which engine (default: the model format's own)")
    add_answer_arguments(parser)
    add_grammar_arguments(parser)
    add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Answers once, or turn after turn at a terminal."""
    # numpy's own threads wait by burning a core while the weights load: a sixth of a cold start, and nothing uses them
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    settings = answer_settings(args, answer_grammar(args))
    talks = args.prompt is None and sys.stdin is not None and sys.stdin.isatty()
    task = load_model(args.bundle, args)
    if not task.knows_turns and (args.system is not None or talks):
        raise UsageError(f"{args.bundle}: this model knows no turns", "give it a PROMPT, and no --system")
    if talks:
        return _converse(args, task, settings)
    prompt = _piped() if args.prompt is None else args.prompt
    if not prompt.strip():
        raise DataError("PROMPT: expected a text, got an empty one", "say what to answer")
    given: Prompt = [*_opening(args), _turn("user", prompt)] if task.knows_turns else prompt
    answer = _answer(args, task, given, settings, prompt)
    return INTERRUPTED if answer.finish == "cancelled" else 0


def load_model(path: Path, args: argparse.Namespace) -> Generate:
    """A bundle's language model.

    Raises:
        UsageError: it is of another task.
    """
    from edgekit.engines.bare import refuse_bare
    from edgekit.tasks.generate import Generate
    from edgekit.tasks.registry import load

    refuse_bare(path)
    task = load(path, args.variant, engine=args.engine, options=decoder_options(args))
    if not isinstance(task, Generate):
        raise UsageError(
            f"{path}: expected a bundle that generates text, got task {task.name!r}", "use edgekit run"
        )
    return task


def _converse(args: argparse.Namespace, task: Generate, settings: Settings) -> int:
    """Turn after turn, until an empty line or the end of input."""
    with suppress(ImportError):  # arrow keys; Python may have been built without it
        import readline  # noqa: F401
    turns = _opening(args)
    while True:
        try:
            line = input(PROMPT).strip()
        except (EOFError, KeyboardInterrupt):
            write("\n")
            return 0
        if not line:
            return 0
        if line == NEW:
            turns = _opening(args)
            continue
        try:
            answer = _answer(args, task, [*turns, _turn("user", line)], settings, line)
        except DataError as error:
            say(f"edgekit: {error.message}; {NEW} begins another conversation")
            continue
        turns += [_turn("user", line), _turn("assistant", answer.text)]


def _answer(
    args: argparse.Namespace, task: Generate, given: Prompt, settings: Settings, prompt: str
) -> Generation:
    with stops_at_interrupt() as stopped:
        reply = task.stream(given, replace(settings, cancelled=stopped))
        for piece in reply:
            if not args.json:
                write(_CONTROL.sub("\ufffd", piece))
    answer = reply.generation
    if args.json:
        obj = {
            "bundle": str(args.bundle),
            "variant": task.variant,
            "prompt": prompt,
            "result": answer.as_json(),
        }
        emit(args, obj, "")
    else:
        write("\n")
    if answer.pace is not None:
        say(f"[{pace_line(answer.pace)}; {answer.finish}]")
    return answer


def pace_line(pace: Pace) -> str:
    """Where the time went, in one line."""
    prefill, decode = pace.prefill_tokens_per_s, pace.decode_tokens_per_s
    reused = f" ({pace.reused_tokens} reused)" if pace.reused_tokens else ""
    return (
        f"{pace.prompt_tokens} prompt tokens{reused}"
        + ("" if prefill is None else f", {prefill:.0f}/s")
        + f"; first token {pace.first_token_ms:.0f} ms; {pace.answer_tokens} tokens"
        + ("" if decode is None else f", {decode:.1f}/s")
    )


@contextmanager
def stops_at_interrupt() -> Iterator[Callable[[], bool]]:
    """Ctrl-C makes what is given true, a second one raises ``KeyboardInterrupt`` as ever."""
    stopped = threading.Event()

    def stop(number: int, frame: object) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def _opening(args: argparse.Namespace) -> list[dict[str, str]]:
    return [] if args.system is None else [_turn("system", args.system)]


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _piped() -> str:
    from edgekit.cli.inputs import standard_input

    try:
        text = standard_input().read().decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise DataError(f"standard input: byte {error.start} is no UTF-8", "pipe a text into it") from error
    if not text:
        raise DataError(
            "standard input: expected a prompt, got nothing", "pipe a text into it, or give a PROMPT"
        )
    return text
