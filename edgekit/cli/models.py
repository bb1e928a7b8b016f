"""``edgekit models``: what can be exported by name."""

from __future__ import annotations

import argparse
import tomllib

from edgekit.cli.output import emit

SUMMARY = "lists the models that can be exported by name"
EPILOG = """\
examples:
  edgekit models                 one line a model
  edgekit models ppocr-v4        the whole card, and what the model cannot do"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="a model's name, for its whole card")


def run(args: argparse.Namespace) -> int:
    """Prints the catalogue, or one card."""
    import msgspec
    from rich.table import Table

    from edgekit.bundle.manifest import Card
    from edgekit.catalog.models import model_folder, model_names

    names = [args.name] if args.name else model_names()
    cards = {n: tomllib.loads((model_folder(n) / "card.toml").read_text(encoding="utf-8")) for n in names}
    checked = {name: msgspec.convert(card, Card) for name, card in cards.items()}
    table = Table("name", "task", "what it is", "for", "languages", box=None)
    for name, card in checked.items():
        table.add_row(name, card.task, card.title, card.domain, ", ".join(card.languages))
    if args.name:
        card = checked[args.name]
        table.caption = "\n".join(
            [f"licence: {card.license}", f"source: {card.source}", *(f"cannot {c}" for c in card.cannot)]
        )
        table.caption_justify = "left"
    emit(args, {"models": {name: msgspec.to_builtins(card) for name, card in checked.items()}}, table)
    return 0
