"""``edgekit advise``: which model fits a need, and what it cannot do."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from edgekit.cli.output import emit
from edgekit.cli.values import format_size, option, parse_duration, parse_size
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from edgekit.catalog.advise import Advice
    from edgekit.catalog.match import Match
    from edgekit.catalog.need import Need

SUMMARY = "which model of the catalogue fits a need, and what it cannot do"
EPILOG = """\
examples:
  edgekit advise "find signatures on scanned invoices, offline, Pi 5, 1 s, 20 MB"
  edgekit advise "SmolVLM in 50 MB on a Pi 5"          refused, with the arithmetic
  edgekit advise "detect cars, closed-source product" --device pi4 --max-size 5MB
  edgekit advise "general image classification, Pi 4" --prefer eco

It reads English by tables, offline; "understood" says what it made of the sentence. Options win over the sentence."""

SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("need", metavar="NEED", help="what is wanted, in English, in quotes")
    parser.add_argument("--task", metavar="KIND", help="what to do, e.g. detect, read, transcribe")
    parser.add_argument("--language", action="append", metavar="L", help="a tag or a name; may be repeated")
    parser.add_argument(
        "--device", metavar="D", help="pi4, pi5, pi-zero-2, phone, laptop, microcontroller, …"
    )
    parser.add_argument("--max-size", type=option(parse_size), metavar="SIZE", help="of the weights")
    parser.add_argument("--max-latency", type=option(parse_duration), metavar="TIME", help="of one input")
    parser.add_argument(
        "--licence", metavar="L", help="a licence's name, closed-source, commercial or open-source"
    )
    parser.add_argument(
        "--prefer", choices=("accuracy", "small", "fast", "eco"), help="between models that fit"
    )


def run(args: argparse.Namespace) -> int:
    """Prints what fits, what is nearest, and warnings."""
    from edgekit.catalog.advise import advise
    from edgekit.catalog.cards import load_cards
    from edgekit.catalog.need import parse_need

    cards = load_cards()
    need = _overridden(parse_need(args.need, cards), args)
    if not need.wants and not need.models:
        raise UsageError(
            f"need: no task found in {args.need!r}", "say what to do (detect, read, …), or give --task"
        )
    advice = advise(need, cards)
    emit(args, _as_json(advice), _told(advice))
    return 0


def _overridden(need: Need, args: argparse.Namespace) -> Need:
    from edgekit.catalog.devices import device_of
    from edgekit.catalog.language_words import language_tag
    from edgekit.catalog.licence import wish_of
    from edgekit.catalog.need import Want
    from edgekit.catalog.task_words import KINDS

    given: dict[str, Any] = {}
    if args.task is not None:
        if args.task not in KINDS:
            raise UsageError(f"--task: got {args.task!r}", f"choose from {', '.join(KINDS)}")
        about = tuple(dict.fromkeys(one for want in need.wants for one in want.subjects))
        given["wants"] = (Want(args.task, about),)
    if args.language:
        tags = [language_tag(one) for one in args.language]
        if None in tags:
            raise UsageError(
                f"--language: got {args.language[tags.index(None)]!r}", "a BCP 47 tag or English name"
            )
        given["languages"] = tuple(tags)
    if args.device is not None:
        given["device"] = device_of(args.device).name
    given |= {"max_bytes": args.max_size} if args.max_size is not None else {}
    given |= {"max_ms": args.max_latency} if args.max_latency is not None else {}
    given |= {"licence": wish_of(args.licence)} if args.licence else {}
    given |= {"prefer": args.prefer} if args.prefer else {}
    return replace(need, **given)


def _as_json(advice: Advice) -> dict[str, Any]:
    return {
        "need": advice.need.text,
        "understood": advice.need.told(),
        "top": advice.top,
        "fitting": [_match_json(one) for one in advice.fitting],
        "nearest": [_match_json(one) for one in advice.nearest],
        "warnings": list(advice.warnings),
    }


def _match_json(one: Match) -> dict[str, Any]:
    placed = one.placement
    return {
        "name": one.name,
        "badge": one.card.badge,
        "precision": placed.precision,
        "bytes": placed.bytes,
        "latency_ms": placed.ms,
        "latency_kind": placed.kind or None,
        "energy_wh": placed.energy_wh,
        "mismatches": [{"field": m.field, "said": m.said, "hard": m.hard} for m in one.mismatches],
        "cannot": list(one.card.cannot),
    }


def _told(advice: Advice) -> str:
    from rich.markup import escape

    lines = [f"understood: {advice.need.told()}", ""]
    lines += [line for one in advice.fitting[:SHOWN] for line in _lines(one)]
    if not advice.fitting:
        lines.append("none fits; nearest:")
        lines += [line for one in advice.nearest for line in _lines(one)]
    lines += [f"warning: {one}" for one in advice.warnings]
    return escape("\n".join(lines))


def _lines(one: Match) -> list[str]:
    placed = one.placement
    time = "" if placed.ms is None else f", {placed.kind} {placed.ms:,.0f} ms {placed.what}"
    head = f"{one.name} ({one.card.badge}): {placed.precision}, {format_size(placed.bytes)}{time}"
    return [
        head,
        *(f"  but {m.said}" for m in one.mismatches),
        *(f"  cannot {c}" for c in one.card.cannot[:2]),
    ]
