"""Options of ``edgekit decide``: what is asked, and what is assumed."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgekit.cli.values import option, parse_count, parse_duration, parse_path, parse_size
from edgekit.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from edgekit.catalog.decide.assumptions import Assumptions
    from edgekit.catalog.decide.workload import Workload

_SCALES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
DEFAULT_DEVICE = "pi5"
_ANSWERS = ("generate", "vision_language")
_DEVICE_NAMES = "pi4, pi5, pi-zero-2, phone, laptop, server-cpu, server-gpu, microcontroller"


def parse_amount(text: str) -> float:
    """A number above 0: ``10M``, ``250k``, ``1e6``, ``1,000,000`` or ``0.003``.

    Raises:
        UsageError: anything else.
    """
    match = re.fullmatch(r"\s*([0-9][0-9,_]*(?:\.[0-9]+)?|\.[0-9]+)(e[0-9]{1,2})?\s*([kMG]?)\s*", text)
    value = float(match[1].replace(",", "") + (match[2] or "")) * _SCALES[match[3]] if match else 0.0
    if value <= 0:
        raise UsageError(f"expected a number above 0, got {text!r}", "write e.g. 10M, 250k or 1,000,000")
    return value


def add_workload_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is asked."""
    asked = parser.add_argument_group("what is asked")
    volume = asked.add_mutually_exclusive_group()
    volume.add_argument(
        "--per-month", type=option(parse_amount), metavar="N", help="inputs a month: 10M, 250k"
    )
    volume.add_argument("--per-day", type=option(parse_amount), metavar="N", help="inputs a day")
    asked.add_argument(
        "--modalities", default="image", metavar="LIST", help="of an input: image,text,sound (image)"
    )
    asked.add_argument(
        "--max-latency", type=option(parse_duration), metavar="TIME", help="that 99 of 100 may take: 100ms"
    )
    asked.add_argument("--offline", action="store_true", help="it must work without a network")
    asked.add_argument("--private", action="store_true", help="inputs must not leave the device")
    asked.add_argument(
        "--open-ended",
        action="store_true",
        help="questions are not known beforehand: no specialist answers them",
    )
    asked.add_argument(
        "--accuracy",
        choices=("normal", "paramount"),
        default="normal",
        help="paramount: only options as good as the most accurate one",
    )
    asked.add_argument(
        "--error-cost", type=option(parse_amount), metavar="USD", help="what a wrong result costs"
    )
    asked.add_argument("--budget", type=option(parse_amount), metavar="USD", help="a month")
    asked.add_argument(
        "--max-size", type=option(parse_size), metavar="SIZE", help="of models on the device: 50MB"
    )
    asked.add_argument(
        "--devices", type=option(parse_count), default=1, metavar="N", help="places that need one each (1)"
    )
    asked.add_argument(
        "--inputs-at",
        choices=("device", "server"),
        default="device",
        help="where inputs arise; on a server no network is in the way",
    )


def add_assumption_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is assumed."""
    assumed = parser.add_argument_group("what is assumed")
    assumed.add_argument("--device", metavar="NAME", help=f"{_DEVICE_NAMES} ({DEFAULT_DEVICE})")
    assumed.add_argument("--specialist", metavar="NAME", help="a model of the catalogue that answers one")
    assumed.add_argument("--vlm", metavar="NAME", help="a model of the catalogue that answers questions")
    assumed.add_argument(
        "--assumptions", type=option(parse_path), metavar="FILE", help="TOML with other values of some"
    )
    assumed.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="another value of one: dense.usd_a_call=0.003",
    )
    assumed.add_argument(
        "--write-assumptions",
        type=option(parse_path),
        metavar="FILE",
        help="writes all of them as TOML, with units and sources",
    )


def workload_of(args: argparse.Namespace, days_a_month: float) -> Workload:
    """What is asked.

    Raises:
        UsageError: no volume, or what contradicts itself.
    """
    from edgekit.catalog.decide.workload import Workload

    if args.per_month is None and args.per_day is None:
        raise UsageError("no volume", "add --per-month N or --per-day N")
    return Workload(
        calls_a_month=args.per_month if args.per_month is not None else args.per_day * days_a_month,
        modalities=modalities_of(args),
        max_latency_ms=args.max_latency,
        offline=args.offline,
        private=args.private,
        open_ended=args.open_ended,
        paramount=args.accuracy == "paramount",
        error_usd=args.error_cost or 0.0,
        max_usd_a_month=args.budget,
        max_bytes=args.max_size,
        devices=args.devices,
        inputs_at=args.inputs_at,
    )


def modalities_of(args: argparse.Namespace) -> tuple[str, ...]:
    """Those of an input.

    Raises:
        UsageError: an unknown one, one twice, or none.
    """
    from edgekit.catalog.decide.workload import check_modalities

    return check_modalities(tuple(args.modalities.split(",")))


def assumptions_of(args: argparse.Namespace) -> tuple[Assumptions, dict[str, tuple[str, str]]]:
    """What is assumed, and of each figure its unit and source.

    Defaults give way to the file, the file to models of the catalogue, and all of them to ``--set``.

    Raises:
        UsageError, DataError: an unknown device, model, figure or value, or a device that the file contradicts.
    """
    from edgekit.catalog.decide.assumptions import flat
    from edgekit.catalog.decide.defaults import default_assumptions, default_sources
    from edgekit.catalog.decide.file import changed, parse, setting

    modalities = modalities_of(args)
    tables = parse(_read(args.assumptions)) if args.assumptions else {}
    settings = [setting(text) for text in args.settings]
    device = _device(args.device, [tables, *settings])
    found = default_assumptions(device, modalities)
    notes = default_sources(device, modalities)
    layers = [(tables, "yours")]
    if args.specialist:
        layers.append(
            ({"specialist": _specialist(args.specialist, modalities)}, f"card of {args.specialist}")
        )
    if args.vlm:
        layers.append(({"vlm": _vlm(args.vlm, found)}, f"card of {args.vlm}"))
    layers += [(changes, "yours") for changes in settings]
    for changes, source in layers:
        before = flat(found)
        found = changed(found, changes)
        notes |= {key: (notes[key][0], source) for key, value in flat(found).items() if value != before[key]}
    return found, notes


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected TOML in UTF-8: {error}") from error


def _device(asked: str | None, changes: Sequence[Mapping[str, object]]) -> str:
    """The device whose figures are the defaults: one that is named twice is named the same."""
    sections = [tables.get("device") for tables in changes]
    named = [one["name"] for one in sections if isinstance(one, dict) and "name" in one]
    for name in named:
        if not isinstance(name, str):
            raise DataError(f"assumptions: device.name: expected a name, got {name!r}")
        if name != (asked or named[0]):
            raise UsageError(
                f"device {asked or named[0]}, and the assumptions are of {name}", "drop one of them"
            )
    return asked or (named[0] if named else DEFAULT_DEVICE)


def _specialist(name: str, modalities: Sequence[str]) -> dict[str, float]:
    from edgekit.catalog.abilities import modality_of
    from edgekit.catalog.cards import load_card

    card = load_card(name)
    if card.task in _ANSWERS:
        raise UsageError(
            f"--specialist {name}: it answers token by token (task {card.task})", f"write --vlm {name}"
        )
    takes = modality_of(card).replace("picture", "image")
    if takes not in modalities:
        raise UsageError(
            f"--specialist {name}: it takes {takes}, and an input is {'+'.join(modalities)}",
            f"write --modalities {takes}, or name another model",
        )
    if card.operations is None:
        raise DataError(
            f"the card of {name} does not tell its operations",
            "give them: --set specialist.operations=N --set specialist.parameters=N",
        )
    return {"parameters": card.parameters, "operations": card.operations}


def _vlm(name: str, a: Assumptions) -> dict[str, Any]:
    """Of a language model everything is decoder; of one that sees, tower and decoder keep their parts."""
    from edgekit.catalog.cards import load_card

    card = load_card(name)
    if card.task not in _ANSWERS:
        raise UsageError(
            f"--vlm {name}: it answers no questions (task {card.task})", f"write --specialist {name}"
        )
    text_only = {
        "decoder_parameters": card.parameters,
        "tower_operations": 0,
        "picture_tokens": 0,
        "takes": ["text"],
    }
    if card.task == "generate":
        return {"parameters": card.parameters, **text_only}
    larger = card.parameters / a.vlm.parameters
    return {
        "parameters": card.parameters,
        "decoder_parameters": round(larger * a.vlm.decoder_parameters),
        "tower_operations": larger * a.vlm.tower_operations,
    }
