"""The options of commands that let a language model answer."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from edgekit.cli.values import option, parse_count, parse_seed, parse_size
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.engines.protocol import EngineOptions
    from edgekit.processing.grammar import Grammar
    from edgekit.tasks.settings import Settings

_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?\Z")


def _number(text: str) -> float:
    if not _NUMBER.match(text):
        raise UsageError(f"expected a number such as 0.7, got {text!r}")
    return float(text)


def add_answer_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds how an answer is made, and how much may be remembered."""
    number, count = option(_number), option(parse_count)
    parser.add_argument("--max-tokens", type=count, metavar="N", help="of an answer (default: 256)")
    parser.add_argument(
        "--temperature", type=number, default=0.0, metavar="T", help="0, the default, takes the best token"
    )
    parser.add_argument("--top-k", type=count, metavar="K", help="draw from the K best tokens (default: all)")
    parser.add_argument(
        "--top-p", type=number, default=1.0, metavar="P", help="draw from the best that have P together"
    )
    parser.add_argument(
        "--repetition-penalty", type=number, default=1.0, metavar="R", help="above 1 repeats less"
    )
    parser.add_argument(
        "--seed", type=option(parse_seed), default=0, metavar="S", help="same seed, same text (default: 0)"
    )
    parser.add_argument(
        "--stop", action="append", default=[], metavar="TEXT", help="ends the answer; may be repeated"
    )
    parser.add_argument("--context", type=count, metavar="N", help="most tokens that are remembered")
    parser.add_argument(
        "--memory-cap", type=option(parse_size), metavar="SIZE", help="most that weights and context may take"
    )


def add_grammar_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what an answer may look like."""
    parser.add_argument(
        "--choice", action="append", default=[], metavar="TEXT", help="answer one of these; repeat it"
    )
    add_fields_argument(parser)


def add_fields_argument(parser: argparse._ActionsContainer) -> None:
    """Adds the fields of an answer that a program reads."""
    parser.add_argument(
        "--fields",
        metavar="NAME:TYPE,…",
        help="answer a JSON object of these; types: string (default), number, integer, boolean, or a|b",
    )


def answer_settings(args: argparse.Namespace, grammar: Grammar | None) -> Settings:
    """How answers are made, as the arguments say.

    Raises:
        UsageError: a number out of its range.
    """
    from edgekit.processing.sampling import Sampling
    from edgekit.tasks.settings import MAX_TOKENS, Settings

    sampling = Sampling(args.temperature, args.top_k or 0, args.top_p, args.repetition_penalty, args.seed)
    return Settings(args.max_tokens or MAX_TOKENS, sampling, tuple(args.stop), grammar)


def answer_grammar(args: argparse.Namespace) -> Grammar | None:
    """What answers may look like, as the arguments say.

    Raises:
        UsageError: both a choice and fields, or fields that cannot be understood.
    """
    if args.choice and args.fields is not None:
        raise UsageError("--choice and --fields: expected one of them, got both")
    if not args.choice and args.fields is None:
        return None
    from edgekit.processing.grammar import choice, json_object, parse_fields

    return choice(args.choice) if args.choice else json_object(parse_fields(args.fields))


def decoder_options(args: argparse.Namespace) -> EngineOptions:
    """The engine options, with how much may be remembered."""
    from dataclasses import replace

    from edgekit.cli.engine_options import engine_options

    return replace(engine_options(args), context=args.context, memory_cap_bytes=args.memory_cap)
