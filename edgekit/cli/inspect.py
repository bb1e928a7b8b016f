"""``edgekit inspect``: what is in a bundle, what it is for, and what it cannot do."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edgekit.bundle.check import GOLDEN_USES, member_uses
from edgekit.bundle.manifest import Card, Drop, Evidence, Lock, Manifest, Variant
from edgekit.bundle.reader import Bundle, open_bundle
from edgekit.cli.output import emit
from edgekit.cli.values import format_size

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

SUMMARY = "shows what is in a bundle: purpose, limits, variants, measured drop, origin, files"
EPILOG = """\
examples:
  edgekit inspect lite0.edge
  edgekit inspect lite0.edge --json | jq '.variants[] | {name, bytes, drop}'

Structure and manifest are checked on the way, the members' content is not: edgekit verify does that."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's options."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="the .edge file")


def run(args: argparse.Namespace) -> int:
    """Prints what a bundle says about itself."""
    bundle = open_bundle(args.bundle)
    emit(args, as_json(bundle), as_text(bundle))
    return 0


def as_json(bundle: Bundle) -> dict[str, object]:
    """The manifest as a tree, with what only the file knows: path, id, bytes, whether it is signed."""
    tree: dict[str, object] = msgspec.to_builtins(bundle.manifest)
    whole = {"id": bundle.id, "bytes": bundle.size_bytes, "signed": bundle.signature is not None}
    return {"bundle": str(bundle.path), **whole, **tree}


def as_text(bundle: Bundle) -> RenderableType:
    """What a person wants to know first, first."""
    from rich.console import Group
    from rich.text import Text

    manifest = bundle.manifest
    head = Text()
    head.append(manifest.name, style="bold")
    signed = "signed" if bundle.signature else "not signed"
    golden = f"golden inputs: {len(manifest.golden)}"
    head.append(f"  {manifest.task}, {format_size(bundle.size_bytes)}, {golden}, {signed}\nid {bundle.id}")
    if manifest.card.badge:
        head.append(f"\n{manifest.card.badge}", style="bold yellow")
    parts: list[RenderableType] = [head, _section("Card", card_rows(manifest.card))]
    parts.append(_variants(manifest.variants))
    if manifest.evidence:
        parts.append(_evidence(manifest.evidence))
    parts += [_section("Lock", _lock_rows(manifest.lock)), _files(manifest)]
    return Group(*parts)


def drop_text(drop: Drop | None) -> str:
    """``top1 0.30 (95 %: -0.10 to 0.70), n 1000`` or ``not measured``."""
    if drop is None:
        return "not measured"
    low, high = drop.interval
    interval = f"{100 * drop.confidence:g} %: {low:.2f} to {high:.2f}"
    return f"{drop.metric} {drop.value:.2f} ({interval}), n {drop.n:,}"


def _section(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = _table(title, "", "", header=False)
    for key, value in rows:
        if value:
            table.add_row(_plain(key), _plain(value))
    return table


def card_rows(card: Card) -> Iterator[tuple[str, str]]:
    """What a card says, name and text of each part; empty where it says nothing."""
    yield "title", card.title
    yield "for", card.domain
    yield "knows", ", ".join(card.subjects)
    yield "languages", ", ".join(card.languages)
    yield "input", card.input_range
    yield "cannot", "\n".join(card.cannot)
    yield "licence", card.license
    yield "notices", ", ".join(card.notices)
    yield "source", card.source
    yield "parameters", f"{card.parameters:,}"
    yield "trained on", card.trained_on
    yield (
        "accuracy",
        "\n".join(
            f"{a.metric} {a.value:g} {a.unit}, {a.data}, {a.precision} ({a.source})" for a in card.accuracy
        ),
    )
    yield (
        "time",
        "\n".join(
            f"{s.kind}: {s.ms:g} ms for {s.what}, {s.device}, {s.precision} ({s.source})" for s in card.speed
        ),
    )
    yield "wrong sizes", "\n".join(f"“{q.said}”: {q.truth}" for q in card.quoted)
    yield "notes", card.notes


def _variants(variants: Iterable[Variant]) -> Table:
    table = _table("Variants", "name", "precision", "recipe", "format", "bytes", "drop")
    for variant in variants:
        formats = ", ".join(sorted({model.format for model in variant.models.values()}))
        row = (
            variant.name,
            variant.precision,
            variant.recipe,
            formats,
            f"{variant.bytes:,}",
            drop_text(variant.drop),
        )
        table.add_row(*map(_plain, row))
    return table


def _evidence(evidence: Iterable[Evidence]) -> Table:
    table = _table("Evidence", "variant", "verdict", "drop", "SQNR dB", "data", "measured by")
    for one in evidence:
        sqnr = "" if one.sqnr_db is None else f"{one.sqnr_db:.1f}"
        by = f"{one.runtime}, {one.machine}"
        row = (one.variant, one.verdict, drop_text(one.drop), sqnr, one.data, by)
        table.add_row(*map(_plain, row))
    return table


def _lock_rows(lock: Lock) -> Iterator[tuple[str, str]]:
    yield "source", lock.source
    yield "recipe", lock.recipe
    yield "weights", "\n".join(f"{name}  {digest[:16]}…" for name, digest in lock.weights.items())
    for what, digest, n in (
        ("calibration", lock.calibration_sha256, lock.calibration_n),
        ("evaluation", lock.evaluation_sha256, lock.evaluation_n),
    ):
        yield what, f"{n:,} samples, {digest[:16]}…" if digest else "none"
    yield "tools", ", ".join(f"{name} {version}" for name, version in lock.tools.items())


def _files(manifest: Manifest) -> Table:
    """Golden inputs and probes are many and small: they take one row together."""
    uses = member_uses(manifest)
    golden = [file.size for file in manifest.files if uses[file.path] in GOLDEN_USES]
    table = _table("Files", "path", "bytes", "SHA-256")
    for file in manifest.files:
        if uses[file.path] not in GOLDEN_USES:
            table.add_row(_plain(file.path), _plain(f"{file.size:,}"), _plain(f"{file.sha256[:16]}…"))
    if golden:
        table.add_row(_plain(f"golden vectors, {len(golden)} files"), _plain(f"{sum(golden):,}"), _plain(""))
    return table


def _table(title: str, *columns: str, header: bool = True) -> Table:
    from rich.table import Table

    table = Table(title=f"\n{title}", title_justify="left", title_style="bold", show_header=header, box=None)
    for column in columns:
        right = column in ("bytes", "SQNR dB")
        table.add_column(column, justify="right" if right else "left", header_style="dim", overflow="fold")
    return table


def _plain(text: str) -> RenderableType:
    """Foreign text: never markup."""
    from rich.text import Text

    return Text(text)
