"""Assumptions as TOML, and single ones from the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

import msgspec

from edgekit.catalog.decide.assumptions import LEAST, Assumptions, flat
from edgekit.errors import DataError, UsageError

_HEADER = """\
# Assumptions of `edgekit decide`. Change a value and give the file with --assumptions; what is left out keeps its
# default. Beside each stand its unit and its source.
"""


def changed(assumptions: Assumptions, tables: Mapping[str, Any]) -> Assumptions:
    """Assumptions with other values of some.

    Args:
        assumptions: those that hold otherwise.
        tables: section → figure → value.

    Raises:
        DataError: no such section or figure, or a value out of its range; the message names it.
    """
    merged = {section: dict(figures) for section, figures in _tables(assumptions).items()}
    for section, figures in tables.items():
        if section not in merged:
            raise DataError(f"assumptions: no section {section!r}", f"there are {', '.join(merged)}")
        if not isinstance(figures, Mapping):
            raise DataError(f"assumptions: {section}: expected a table of figures, got {figures!r}")
        unknown = [figure for figure in figures if figure not in merged[section]]
        if unknown:
            known = ", ".join(merged[section])
            raise DataError(f"assumptions: no figure {section}.{unknown[0]}", f"{section} has {known}")
        merged[section] |= figures
    try:
        found = msgspec.convert(merged, Assumptions)
    except msgspec.ValidationError as error:
        said = f"assumptions: {error}".replace("$.", "").replace(f"`float` >= {LEAST}", "more than 0")
        raise DataError(said, "edgekit decide --write-assumptions FILE tells what each may be") from error
    return _consistent(found)


def _consistent(assumptions: Assumptions) -> Assumptions:
    for section in ("dense", "moe"):
        one = getattr(assumptions, section)
        if one.active > one.parameters:
            raise DataError(f"assumptions: {section}.active_parameters: {one.active:,} of {one.parameters:,}")
        if one.top_k > one.experts:
            raise DataError(f"assumptions: {section}.top_k: {one.top_k} of {one.experts} experts")
        if one.top_k == one.experts and one.active != one.parameters:
            what = f"{section}: every token uses all {one.experts} experts, and yet not all parameters"
            raise DataError(f"assumptions: {what}", f"set {section}.experts and {section}.top_k as well")
    if assumptions.vlm.decoder_parameters > assumptions.vlm.parameters:
        raise DataError("assumptions: vlm.decoder_parameters: more than vlm.parameters")
    if assumptions.server.network_p99_ms < assumptions.server.network_p50_ms:
        raise DataError("assumptions: server.network_p99_ms: less than server.network_p50_ms")
    for section in ("device", "gpu"):
        if getattr(assumptions, section).watts_busy < getattr(assumptions, section).watts_idle:
            raise DataError(f"assumptions: {section}.watts_busy: less than {section}.watts_idle")
    return assumptions


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML.

    Raises:
        DataError: it is none.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"assumptions: no TOML: {error}") from error


def setting(text: str) -> dict[str, dict[str, Any]]:
    """The table of one ``section.figure=value``.

    Raises:
        UsageError: it is not of this form.
    """
    key, equals, value = text.partition("=")
    section, dot, figure = key.strip().partition(".")
    if not (equals and dot and section and figure and value.strip()):
        raise UsageError(f"--set: got {text!r}", "write SECTION.FIGURE=VALUE, e.g. dense.usd_a_call=0.003")
    return {section: {figure: _value(value.strip())}}


def _value(text: str) -> Any:  # noqa: ANN401 (what TOML has)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text  # words need no quotes on a command line
    return int(value) if isinstance(value, float) and value.is_integer() else value  # 70e9 parameters


def written(assumptions: Assumptions, notes: Mapping[str, tuple[str, str]]) -> str:
    """The assumptions as TOML, each with its unit and its source beside it."""
    lines = [_HEADER]
    section = ""
    for key, value in flat(assumptions).items():
        now, _, figure = key.partition(".")
        if now != section:
            lines.append(f"\n[{now}]")
            section = now
        lines.append(f"{figure} = {_toml(value)}  # {'; '.join(filter(None, notes[key]))}")
    return "\n".join(lines) + "\n"


def _toml(value: int | float | str | tuple[float, ...]) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, int):
        return f"{value:_}"
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _tables(assumptions: Assumptions) -> dict[str, dict[str, Any]]:
    return {
        name: msgspec.structs.asdict(getattr(assumptions, name)) for name in assumptions.__struct_fields__
    }
