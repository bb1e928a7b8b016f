"""``edgekit run … --then MODEL``: what was read is given to a language model."""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgekit.cli.answer_options import add_fields_argument
from edgekit.cli.engine_options import engine_options
from edgekit.cli.values import option, parse_count, parse_path
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.cli.inputs import Given
    from edgekit.tasks.generate import Generate
    from edgekit.tasks.protocol import Task
    from edgekit.tasks.question import Question
    from edgekit.types import Result


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the command line, and the language model that answers it.

    Attributes:
        task: the first bundle's.
        model: the language model; the task itself where there is no ``--then``.
    """

    task: Task
    model: Generate
    question: Question

    def first(self, given: Given) -> Result:
        """The first bundle's result: an answer if it is the language model, else what it reads."""
        if self.model is not self.task:
            return self.task(given.content)
        if self.question.picture:
            return self.question.ask(self.model, "", given.content)
        return self.question.ask(self.model, str(given.content))

    def told(self, result: Result) -> dict[str, Any]:
        """What ``--json`` has more: the values of the fields, and what came of ``--then``."""
        from edgekit.tasks.question import text_of
        from edgekit.types import Generation

        if self.model is self.task:
            assert isinstance(result, Generation)
            return self._fields(result)
        start = time.perf_counter_ns()
        text = text_of(result)
        answer = self.question.ask(self.model, text)
        latency_ms = round((time.perf_counter_ns() - start) / 1e6, 3)
        then = {
            "bundle": self.model.bundle_name,
            "task": self.model.name,
            "variant": self.model.variant,
            "prompt": self.question.about(text),
            "result": answer.as_json(),
            **self._fields(answer),
            "latency_ms": latency_ms,
        }
        return {"then": then}

    def _fields(self, answer: Any) -> dict[str, Any]:  # noqa: ANN401 (a Generation)
        values = self.question.values(answer)
        return {} if values is None else {"fields": values}


def add_then_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--then`` and what the language model is asked."""
    parser.add_argument(
        "--then",
        type=option(parse_path),
        metavar="BUNDLE",
        help="a language model, which is given the text that was read",
    )
    add_fields_argument(parser)
    parser.add_argument(
        "--prompt",
        metavar="TEXT",
        help="what it is asked, or a vision-language bundle about each picture; {text} stands for the text that was "
        "read, {fields} for the names",
    )
    parser.add_argument(
        "--max-tokens", type=option(parse_count), metavar="N", help="of its answer (default: 256)"
    )


def asked_of(args: argparse.Namespace, task: Task) -> Asked | None:
    """What a language model is asked, if there is one.

    Raises:
        UsageError: ``--then`` names another bundle, or there is a question and nobody to ask.
    """
    from edgekit.tasks.generate import Generate

    model: Task | None = task if isinstance(task, Generate) else None
    if args.then is not None:
        from edgekit.tasks.registry import load

        model = load(args.then, options=engine_options(args))
        if not isinstance(model, Generate):
            raise UsageError(
                f"--then {args.then}: expected a bundle that generates text, got task {model.name!r}"
            )
    said = [name for name in ("fields", "prompt", "max_tokens") if getattr(args, name) is not None]
    if not isinstance(model, Generate):
        if said:
            raise UsageError(
                f"--{said[0].replace('_', '-')}: is for a language model, {args.bundle} is none",
                "add --then BUNDLE",
            )
        return None
    from edgekit.processing.grammar import parse_fields
    from edgekit.tasks.question import Question
    from edgekit.tasks.settings import MAX_TOKENS

    fields = {} if args.fields is None else parse_fields(args.fields)
    pictures = model is task and task.accepts == "picture"
    return Asked(task, model, Question(args.prompt or "", fields, args.max_tokens or MAX_TOKENS, pictures))
