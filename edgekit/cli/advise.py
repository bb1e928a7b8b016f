"""``edgekit advise``: which model fits a need, and what it cannot do."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from edgekit.cli.output import emit
from edgekit.cli.values import format_size, option, parse_duration, parse_size
from edgekit.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from edgekit.bundle.card import Card
    from edgekit.catalog.advise import Advice
    from edgekit.catalog.match import Field, Match
    from edgekit.catalog.need import Need
    from edgekit.catalog.placement import Placement
    from edgekit.types import F32

SUMMARY = "which model of the catalogue fits a need, and what it cannot do"
EPILOG = """\
examples:
  edgekit advise "find signatures on scanned invoices, offline, Pi 5, 100 ms, 20 MB"
  edgekit advise "SmolVLM in 50 MB on a Pi 5"          refused, with the arithmetic
  edgekit advise "detect cars, closed-source product" --device pi4 --max-size 5MB
  edgekit advise "general image classification, Pi 4" --prefer eco

It reads English by tables, offline; "understood" says what it made of the sentence. Options win over the sentence.
Where no model fits it says so, and which are nearest; the exit code is 0 then too ("top" of --json is "none")."""

SHOWN = 5
NOT: Final[Mapping[Field, str]] = MappingProxyType(
    {
        "task": "another task",
        "subject": "does not know it",
        "language": "another language",
        "size": "too large",
        "latency": "too slow",
        "licence": "its licence",
        "setting": "cannot do this",
        "form": "works otherwise",
        "parameters": "another number of parameters",
    }
)
MAYBE: Final[Mapping[Field, str]] = MappingProxyType(
    {
        **NOT,
        "task": "was not made for it",
        "subject": "does not know all of it",
        "language": "perhaps another language",
        "latency": "perhaps too slow",
        "setting": "was made for other inputs",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("need", metavar="NEED", help="what is wanted, in English, in quotes")
    parser.add_argument("--task", metavar="KIND", help="what to do, e.g. detect, read, transcribe")
    parser.add_argument("--language", action="append", metavar="L", help="a tag or a name; may be repeated")
    parser.add_argument(
        "--device", metavar="D", help="pi4, pi5, pi-zero-2, phone, laptop, microcontroller, …"
    )
    parser.add_argument("--max-size", type=option(parse_size), metavar="SIZE", help="of the weights")
    parser.add_argument(
        "--max-latency", type=option(parse_duration), metavar="TIME", help="of one input, or a short answer"
    )
    parser.add_argument(
        "--licence", metavar="L", help="a licence's name, closed-source, commercial or open-source"
    )
    parser.add_argument(
        "--offline", action="store_true", help="no network; every model here runs without one"
    )
    parser.add_argument(
        "--prefer",
        choices=("accuracy", "small", "fast", "eco"),
        help="between models that fit equally well; eco: the least energy",
    )
    parser.add_argument(
        "--embed",
        type=Path,
        metavar="BUNDLE",
        help="a bundle of sentence embeddings, such as minilm-l6's: it decides between models that fit equally well",
    )


def run(args: argparse.Namespace) -> int:
    """Prints what fits, what is nearest, and warnings."""
    from edgekit.catalog.advise import advise
    from edgekit.catalog.cards import load_cards
    from edgekit.catalog.need import parse_need

    cards = load_cards()
    need = _overridden(parse_need(args.need, cards), args)
    if not need.wants and not need.models:
        understood = f"; understood: {told}" if (told := need.told()) else ""
        raise UsageError(
            f"need: no task found in {args.need!r}{understood}",
            "say what to do (detect, read, …), or give --task",
        )
    advice = advise(need, cards, None if args.embed is None else _likeness(args, cards))
    emit(args, _as_json(advice), _told(advice))
    return 0


def _likeness(args: argparse.Namespace, cards: Mapping[str, Card]) -> dict[str, float]:
    """Cosine between the need and each card's title, domain and subjects."""
    import numpy as np

    from edgekit.tasks.embed import Embed
    from edgekit.tasks.registry import load
    from edgekit.types import Embedding

    task = load(args.embed)
    if not isinstance(task, Embed) or task.accepts != "text":
        raise UsageError(f"--embed {args.embed}: expected a bundle that embeds texts, got task {task.name!r}")

    def direction(text: str) -> F32:
        made = task(text)
        assert isinstance(made, Embedding)
        unit: F32 = made.vector / max(float(np.linalg.norm(made.vector)), 1e-12)
        return unit

    wanted = direction(args.need)
    texts = {name: ". ".join((card.title, card.domain, *card.subjects)) for name, card in cards.items()}
    return {name: float(wanted @ direction(text)) for name, text in texts.items()}


def _overridden(need: Need, args: argparse.Namespace) -> Need:
    from edgekit.catalog.devices import device_of
    from edgekit.catalog.language_words import language_tag
    from edgekit.catalog.licence_words import wish_of
    from edgekit.catalog.need import Want
    from edgekit.catalog.task_words import KINDS

    given: dict[str, Any] = {}
    if args.task is not None:
        if args.task not in KINDS:
            raise UsageError(f"--task: got {args.task!r}", f"choose from {', '.join(KINDS)}")
        about = tuple(dict.fromkeys(one for want in need.wants for one in want.subjects))
        if not need.wants:  # "faces" without a verb is what the task is about
            about, given["settings"] = need.settings, ()
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
    given |= {"offline": True} if args.offline else {}
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
        "latency_of": placed.what or None,
        "energy_wh": placed.energy_wh,
        "reasons": [{"field": r.field, "said": r.said} for r in one.reasons],
        "mismatches": [{"field": m.field, "said": m.said, "hard": m.hard} for m in one.mismatches],
        "cannot": list(one.card.cannot),
        "no_recipe": one.card.no_recipe or None,
    }


def _told(advice: Advice) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    shown: list[RenderableType] = [Text(f"understood: {advice.need.told()}\n")]
    if advice.fitting:
        shown.append(_table(advice.fitting[:SHOWN], _why))
        left = len(advice.fitting) - SHOWN
        shown += [Text(f"and {left} more: --json has them all")] if left > 0 else []
        shown.append(Text(_of_best(advice.fitting[0])))
    elif advice.nearest:
        shown += [Text("none fits; nearest:"), _table(advice.nearest, _why_not)]
    else:
        shown.append(Text("none fits, and none is near"))
    if advice.warnings:
        shown.append(Text("\n".join(["", *(f"warning: {one}" for one in advice.warnings)])))
    return Group(*shown)


def _of_best(best: Match) -> str:
    """What the first cannot do, and why no recipe makes a bundle of it, where none does."""
    lines = ["", f"{best.name} cannot", *(f"  - {one}" for one in best.card.cannot)]
    lines += (
        ["", f"no recipe here makes a bundle of {best.name}: {best.card.no_recipe}"]
        if best.card.no_recipe
        else []
    )
    return "\n".join(lines)


def _table(matches: Sequence[Match], why: Callable[[Match], str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("model", "badge", "precision", "size", "latency"):
        table.add_column(
            name, no_wrap=name in ("model", "size"), min_width=len("Portuguese") if name == "badge" else None
        )
    table.add_column("why" if why is _why else "why not", min_width=16)
    for one in matches:
        placed = one.placement
        cells = (
            one.name,
            one.card.badge,
            placed.precision,
            format_size(placed.bytes),
            _latency(placed),
            why(one),
        )
        table.add_row(*map(Text, cells))
    return table


def _latency(placed: Placement) -> str:
    from edgekit.catalog.reasons import told_ms

    return "-" if placed.ms is None else f"{told_ms(placed.ms)} {placed.kind}"


def _why(one: Match) -> str:
    """What has no column of its own, and in a word what is not quite right: the warnings have the evidence."""
    reasons = [reason.said for reason in one.reasons if reason.field not in ("size", "latency")]
    return "; ".join([*reasons, *(f"but {MAYBE[m.field]}" for m in one.mismatches)])


def _why_not(one: Match) -> str:
    return "; ".join(dict.fromkeys(NOT[m.field] for m in one.mismatches if m.hard))
