"""``edgekit chat``: a language model's answer, as it is made, to texts and to questions about pictures."""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.bundle.messages import counted
from edgekit.cli.answer_options import (
    add_answer_arguments,
    add_grammar_arguments,
    answer_grammar,
    answer_settings,
    decoder_options,
)
from edgekit.cli.badge import tell_badge
from edgekit.cli.engine_options import add_engine_arguments
from edgekit.cli.output import emit, say, write
from edgekit.cli.usage import Usage, usage_of
from edgekit.cli.values import option, parse_path
from edgekit.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgekit.processing.words import Prompt
    from edgekit.tasks.generate import Generate
    from edgekit.tasks.picture import Picture
    from edgekit.tasks.reply import Reply
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
  edgekit chat vlm.edge --image photo.jpg "What colour is the car?"
  edgekit chat vlm.edge --image photo.jpg            a conversation about it; /image FILE shows another picture

Ctrl-C stops an answer. A line on stderr says where the time went. A model that knows no turns goes on with the text.
A text or picture outside the model's card, as in a language that it was not made for, is told once, on stderr."""

NEW, IMAGE = "/new", "/image"
PROMPT = "> "
INTERRUPTED = 130
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="an .edge file")
    parser.add_argument(
        "prompt", nargs="?", metavar="PROMPT", help="what to answer (default: standard input)"
    )
    parser.add_argument(
        "--image",
        action="append",
        default=[],
        type=option(parse_path),
        metavar="FILE",
        help="a picture that PROMPT is about; may be repeated",
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
    tell_badge(args.bundle)
    talk = _Talk(args, task, settings, usage_of(args))
    talk.show(args.image)
    if talks:
        return _converse(talk)
    prompt = _piped() if args.prompt is None else args.prompt
    if not prompt.strip():
        raise DataError("PROMPT: expected a text, got an empty one", "say what to answer")
    answer = talk.answer([*_opening(args), _turn("user", prompt)] if task.knows_turns else prompt, prompt)
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


@dataclass
class _Talk:
    """A model, and the pictures that it is asked about.

    Attributes:
        images: their files, and
        pictures: what they hold, cut for the model.
    """

    args: argparse.Namespace
    task: Generate
    settings: Settings
    usage: Usage
    images: list[Path] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)

    def show(self, images: list[Path]) -> None:
        """Opens pictures, in place of those before.

        Raises:
            UsageError: the model takes none.
            DataError: one cannot be read; those before stay.
        """
        if not images:
            return
        from edgekit.tasks.vision_language import VisionLanguage

        if not isinstance(self.task, VisionLanguage):
            raise UsageError(
                f"{self.args.bundle}: is a model of texts (task {self.task.name}) and takes no pictures",
                "leave --image out, or name a bundle of the task vision_language",
            )
        self.pictures = [self.task.picture(image) for image in images]
        self.images = images
        for image in images:
            self.usage.file(image)

    def answer(self, given: Prompt, prompt: str) -> Generation:
        """Streams an answer, and tells where the time went."""
        self.usage.text(prompt)
        with stops_at_interrupt() as stopped:
            reply = self._stream(given, replace(self.settings, cancelled=stopped))
            for piece in reply:
                if not self.args.json:
                    write(_CONTROL.sub("\ufffd", piece))
        answer = reply.generation
        if self.args.json:
            obj = {
                "bundle": str(self.args.bundle),
                "variant": self.task.variant,
                "prompt": prompt,
                **({"images": [str(image) for image in self.images]} if self.images else {}),
                "result": answer.as_json(),
            }
            emit(self.args, obj, "")
        else:
            write("\n")
        if answer.pace is not None:
            model = f"{self.task.bundle_name} {self.task.variant}"
            say(f"[{model}: {pace_line(answer.pace)}; {answer.finish}]")
        return answer

    def _stream(self, given: Prompt, settings: Settings) -> Reply:
        from edgekit.tasks.vision_language import VisionLanguage

        if isinstance(self.task, VisionLanguage):
            return self.task.stream(given, self.pictures, settings=settings)
        return self.task.stream(given, settings=settings)


def _converse(talk: _Talk) -> int:
    """Turn after turn, until an empty line or the end of input."""
    with suppress(ImportError):  # arrow keys; Python may have been built without it
        import readline  # noqa: F401
    opening = _opening(talk.args)
    turns = opening
    while True:
        try:
            line = input(PROMPT).strip()
        except (EOFError, KeyboardInterrupt):
            write("\n")
            return 0
        if not line:
            return 0
        command, _, rest = line.partition(" ")
        try:
            if command == IMAGE:  # what was said of another picture would only mislead
                talk.show([_image(rest)])
            if command == IMAGE or line == NEW:
                turns = opening
                continue
            answer = talk.answer([*turns, _turn("user", line)], line)
        except (DataError, UsageError) as error:
            told = str(error) if command == IMAGE else f"{error.message}; {NEW} begins another conversation"
            say(f"edgekit: {told}")
            continue
        # Templates write the space in front of an answer: with the answer's own it would be read as other tokens.
        turns = [*turns, _turn("user", line), _turn("assistant", answer.text.strip())]


def _image(text: str) -> Path:
    if not text.strip():
        raise UsageError(f"{IMAGE}: expected a picture's file, got nothing")
    return Path(text.strip()).expanduser()


def pace_line(pace: Pace) -> str:
    """Where the time went, in one line."""
    prefill, decode = pace.prefill_tokens_per_s, pace.decode_tokens_per_s
    reused = f" ({pace.reused_tokens} reused)" if pace.reused_tokens else ""
    return (
        _encoded(pace)
        + f"{pace.prompt_tokens} prompt tokens{reused}"
        + ("" if prefill is None else f", {prefill:.0f}/s")
        + (f"; first token {pace.first_token_ms:.0f} ms" if pace.first_token_ms else "")
        + f"; {counted(pace.answer_tokens, 'token')}"
        + ("" if decode is None else f", {decode:.1f}/s")
    )


def _encoded(pace: Pace) -> str:
    """What was made of pictures: most have one tile, and a known one costs nothing."""
    if not pace.tiles:
        return ""
    if not pace.encoded_tiles:
        return f"{counted(pace.tiles, 'tile')} known; "
    known = f" ({pace.tiles - pace.encoded_tiles} known)" if pace.encoded_tiles < pace.tiles else ""
    return f"{counted(pace.encoded_tiles, 'tile')} encoded in {pace.encode_ms:.0f} ms{known}; "


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
