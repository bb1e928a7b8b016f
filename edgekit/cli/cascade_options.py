"""``edgekit camera … --then MODEL``: the options of a model that answers beside the loop."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.cli.answer_options import add_fields_argument
from edgekit.cli.deadline_options import nanoseconds
from edgekit.cli.engine_options import parse_threads
from edgekit.cli.output import say
from edgekit.cli.values import option, parse_count, parse_duration
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.answerer import Answerer
    from edgekit.cascade import Cascade
    from edgekit.cascade_summary import CascadeSummary
    from edgekit.tasks.protocol import Task
    from edgekit.tasks.question import Question
    from edgekit.triggers import Rule, Triggers

MAX_TOKENS = 64
"""Of an answer beside the loop, where nothing else is said."""

FINISH_S = 10.0
"""How long questions that are left at the end of a file may still take."""

BESIDE = (
    "when",
    "every",
    "cooldown",
    "crop",
    "reuse_below",
    "give_up",
    "then_threads",
    "then_variant",
    "answers",
)
"""Options that mean nothing without ``--then``."""


def _share(text: str) -> float:
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)%", text)
    if not match or float(match[1]) > 100:
        raise UsageError(f"share: got {text!r}", "write 10%, or 0% to 100%")
    return float(match[1]) / 100


def _rule(text: str) -> Rule:
    from edgekit.triggers import parse_rule

    return parse_rule(text)


def add_cascade_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds ``--then``, when it is asked, and what."""
    duration, share, count = option(parse_duration), option(_share), option(parse_count)
    group = parser.add_argument_group("a model that answers questions")
    add = group.add_argument
    add("--then", type=Path, metavar="BUNDLE", help="a language model that answers beside the loop")
    add("--prompt", metavar="TEXT", help="what it is asked, or BUNDLE itself if it is one; {label}: the class that "
        "triggered, {text}: what was read, {fields}: the names")  # fmt: skip
    add_fields_argument(group)
    add("--max-tokens", type=count, metavar="N", help=f"of an answer (default: {MAX_TOKENS})")
    add("--when", type=option(_rule), action="append", default=[], metavar="RULE",
        help="ask when this begins to hold; repeat it: any of them (default, without --every: scene>0.1)")  # fmt: skip
    add(
        "--every",
        type=duration,
        metavar="T",
        help="ask again while a rule holds; without --when at all times",
    )
    add("--cooldown", type=duration, metavar="T", help="least time between two questions (default: 2s)")
    add("--crop", type=share, metavar="MARGIN",
        help="show it only the object or line that triggered, and e.g. 10%% more on each side")  # fmt: skip
    add("--reuse-below", type=share, metavar="SHARE",
        help="a picture that differs by less is not encoded anew; 0%% never (default: 2%%)")  # fmt: skip
    add(
        "--give-up",
        type=duration,
        metavar="T",
        help="give up an answer to an older frame when a newer question waits",
    )
    add(
        "--then-threads",
        type=option(parse_threads),
        metavar="N",
        help="its threads (default: cores - 1, at least 1)",
    )
    add("--then-variant", metavar="V", help="its variant (default: the first)")
    add("--answers", type=Path, metavar="FILE", help="one JSON line an answer")


@contextmanager
def cascade_of(args: argparse.Namespace, task: Task) -> Iterator[Cascade | None]:
    """The model beside the loop, loaded, if one was asked for; its thread ends with the block.

    Args:
        args: the command's.
        task: the model in the loop.

    Raises:
        UsageError: options that do not fit each other or the bundles.
        EdgekitError: the model cannot be loaded, or ``--answers`` not be written.
    """
    if args.then is None:
        for name in BESIDE:
            if getattr(args, name) not in (None, []):
                raise UsageError(
                    f"--{name.replace('_', '-')}: is for a model beside the loop", "add --then BUNDLE"
                )
        del task  # see below
        yield None
        return
    from edgekit.cascade import Cascade
    from edgekit.sinks.lines import LinesFile

    name = task.name
    triggers = _triggers(args, name, getattr(task, "labels", ()))
    del task  # the loop may change to another variant: this one shall not stay in memory
    lines = None if args.answers is None else LinesFile(args.answers)
    cascade = Cascade(
        lambda: _answerer(args, name),
        triggers,
        record=(lambda answered: None)
        if lines is None
        else (lambda answered: lines.write(answered.as_json())),
        say=say,
        max_age_ns=nanoseconds(args.give_up),
    )
    try:
        cascade.start()
        yield cascade
        cascade.end()
        if lines is not None:
            lines.commit()
    except BaseException:
        cascade.end()
        if lines is not None:
            lines.abort()
        raise


def finish(cascade: Cascade | None, ended_by_itself: bool) -> CascadeSummary | None:
    """Ends the model beside the loop, if there is one.

    Args:
        cascade: see :func:`cascade_of`.
        ended_by_itself: whether the source came to its end: what was asked is answered then, if it takes no longer
            than 10 s. Whoever interrupts the loop, or this, does not wait.
    """
    if cascade is None:
        return None
    try:
        return cascade.end(FINISH_S if ended_by_itself else 0.0)
    except KeyboardInterrupt:
        return cascade.end()


def told(summary: CascadeSummary | None) -> dict[str, Any]:
    """What ``--json`` has more."""
    return {} if summary is None else {"cascade": summary.as_json()}


def headline(summary: CascadeSummary | None) -> list[str]:
    """The same for a person."""
    if summary is None:
        return []
    fates = ", ".join(f"{n} {fate.replace('_', ' ')}" for fate, n in summary.fates.items() if n) or "none"
    reused = ", ".join(f"{n} {what}s" for what, n in summary.reused.items() if n) or "none"
    lines = [
        f"then {summary.bundle} · {summary.variant} · {summary.engine} · threads: {summary.threads}",
        f"questions: {summary.triggered} triggered: {fates}; reused: {reused}",
    ]
    if summary.ages.count:
        first, whole = summary.first_ages.as_ms(), summary.ages.as_ms()
        lines.append(
            f"age of the frame at the first token: p50 {first['p50']:.0f} ms, p95 {first['p95']:.0f}; "
            f"at the end: p50 {whole['p50']:.0f}, p95 {whole['p95']:.0f}"
        )
    return lines + ["note: the engine did not end its call: left behind"] * summary.hangs


def _triggers(args: argparse.Namespace, task_name: str, labels: Collection[str]) -> Triggers:
    from edgekit.triggers import DEFAULT_COOLDOWN_NS, DEFAULT_SCENE, Rule, Triggers, check_rules

    rules = check_rules(args.when, labels, task_name == "ocr")
    if args.crop is not None and not any(rule.conditions for rule in rules):
        raise UsageError("--crop: no rule names what to show", 'add --when "person>0.5"')
    if args.crop is not None and task_name not in ("detect", "ocr"):
        raise UsageError(f"--crop: {args.bundle} is of task {task_name}, which has no boxes", "leave it out")
    if not rules:
        rules = (Rule(),) if args.every is not None else (Rule(scene=DEFAULT_SCENE),)
    every_ns, cooldown_ns = nanoseconds(args.every), nanoseconds(args.cooldown) or DEFAULT_COOLDOWN_NS
    if every_ns is not None and every_ns < cooldown_ns and args.cooldown is not None:
        raise UsageError(
            f"--every: expected at least the --cooldown of {args.cooldown:g} ms, got {args.every:g} ms"
        )
    return Triggers(rules, every_ns, cooldown_ns if every_ns is None else min(cooldown_ns, every_ns))


def _answerer(args: argparse.Namespace, gate: str) -> Answerer:
    from edgekit.answerer import DEFAULT_REUSE_BELOW, LABEL, Answerer, Asking
    from edgekit.engines.bare import refuse_bare
    from edgekit.engines.protocol import EngineOptions
    from edgekit.tasks.generate import Generate
    from edgekit.tasks.registry import load

    refuse_bare(args.then)
    threads = args.then_threads or max(len(os.sched_getaffinity(0)) - 1, 1)
    model = load(args.then, args.then_variant, options=EngineOptions(threads=threads))
    if not isinstance(model, Generate):
        raise UsageError(
            f"--then {args.then}: expected a bundle that generates text, got task {model.name!r}"
        )
    pictures = model.accepts == "picture"
    if not pictures and gate != "ocr":
        raise UsageError(
            f"--then {args.then}: is a model of texts, and {args.bundle} (task {gate}) reads none",
            "name a bundle of the task vision_language, or gate it with an ocr bundle",
        )
    question = question_of(args, pictures)
    if LABEL in question.prompt and not (args.when and all(rule.conditions for rule in args.when)):
        raise UsageError(f"--prompt: has {LABEL}, and a rule that names no class", 'write --when "any>0.5"')
    reuse = DEFAULT_REUSE_BELOW if args.reuse_below is None else args.reuse_below
    return Answerer(model, Asking(question, args.crop, reuse))


def question_of(args: argparse.Namespace, pictures: bool) -> Question:
    """What is asked, as the arguments say.

    Raises:
        UsageError: fields that cannot be understood, or a prompt that does not fit what it is about.
    """
    from edgekit.processing.grammar import parse_fields
    from edgekit.tasks.question import Question

    fields = {} if args.fields is None else parse_fields(args.fields)
    return Question(args.prompt or "", fields, args.max_tokens or MAX_TOKENS, pictures)


def asked_in_loop(args: argparse.Namespace, task: Task) -> Task:
    """The model in the loop; if it answers questions, with the question that it is asked about every frame.

    Raises:
        UsageError: a question, and nobody to ask.
    """
    from edgekit.tasks.prompted import Prompted
    from edgekit.tasks.vision_language import VisionLanguage

    if isinstance(task, VisionLanguage):
        return task if args.then is not None else Prompted(task, question_of(args, True))
    if args.then is None:
        for name in ("prompt", "fields", "max_tokens"):
            if getattr(args, name) is not None:
                raise UsageError(
                    f"--{name.replace('_', '-')}: is for a language model, {args.bundle} is none",
                    "add --then BUNDLE",
                )
    return task
