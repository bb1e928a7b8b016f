"""``edgekit models``: the catalogue, one card of it, or all of it as a page to browse."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.cli.output import emit

if TYPE_CHECKING:
    from rich.table import Table

    from edgekit.bundle.card import Card

SUMMARY = "lists the catalogue's models, what each knows and cannot do"
EPILOG = """\
examples:
  edgekit models                        one line a model
  edgekit models whisper-small.en       the whole card: limits, sizes, accuracy, sources
  edgekit models --html catalogue.html  a page to filter and browse, offline (needs edgekit[report])

Sizes are computed from parameters: 4, 2 and 1 bytes a parameter, 4.5 bits at int4; weights alone.
Models without a recipe say why, and edgekit export says it again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a model's name, for its whole card")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the catalogue there as one page")


def run(args: argparse.Namespace) -> int:
    """Prints the catalogue, or one card; with ``--html`` writes the page."""
    import msgspec

    from edgekit.catalog.cards import load_card, load_cards

    cards = {args.name: load_card(args.name)} if args.name else load_cards()
    told: dict[str, object] = {"models": {name: msgspec.to_builtins(card) for name, card in cards.items()}}
    if args.html is not None:
        _write_page(args.html, cards)
        emit(args, {**told, "html": str(args.html)}, f"{args.html}: {len(cards)} models")
    else:
        emit(args, told, _card(args.name, cards[args.name]) if args.name else _list(cards))
    return 0


def _write_page(path: Path, cards: Mapping[str, Card]) -> None:
    from edgekit.bundle.atomic import replacing
    from edgekit.report.catalogue import catalogue_html

    content = catalogue_html(cards).encode()
    with replacing(path) as file:
        file.write(content)


def _list(cards: Mapping[str, Card]) -> Table:
    from rich.table import Table

    from edgekit.catalog.sizes import size_bytes
    from edgekit.cli.values import format_size

    table = Table("name", "task", "knows", "for", "languages", "int8", "recipe", box=None)
    for name, card in cards.items():
        size = format_size(size_bytes(card.parameters, "int8"))
        recipe = "none" if card.no_recipe else "yes"
        table.add_row(name, card.task, card.badge, card.domain, ", ".join(card.languages), size, recipe)
    return table


def _card(name: str, card: Card) -> Table:
    from rich.table import Table
    from rich.text import Text

    from edgekit.catalog.sizes import BITS_A_PARAMETER, size_bytes
    from edgekit.cli.inspect import card_rows
    from edgekit.cli.values import format_size

    table = Table(
        title=f"{name}: {card.badge}", title_justify="left", title_style="bold", show_header=False, box=None
    )
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    sizes = ", ".join(f"{format_size(size_bytes(card.parameters, p))} {p}" for p in BITS_A_PARAMETER)
    sources = "\n".join(f"{fact}: {where}" for fact, where in card.sources.items())
    for key, value in (
        *card_rows(card),
        ("sizes", sizes),
        ("no recipe", card.no_recipe),
        ("sources", sources),
    ):
        if value:
            said = "\n".join(f"cannot {line}" for line in card.cannot) if key == "cannot" else value
            table.add_row(Text(key), Text(said))
    return table
