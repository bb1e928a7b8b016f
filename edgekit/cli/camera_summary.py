"""``edgekit camera`` at its end: what happened, for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from edgekit.loop import LoopSummary

SHOWN_STEPS = 10
"""Of the ladder, the last ones; ``--json`` lists more."""


def describe(summary: LoopSummary, more: Sequence[str] = ()) -> RenderableType:
    """The summary as a table, for a person; ``more`` are lines behind those of the loop."""
    table = Table("stage", "p50 ms", "p95 ms", "p99 ms", box=None, header_style="bold")
    rows: dict[str, Any] = {**summary.ledger.latency_ms(), "engine alone": summary.ledger.bare_ms()}
    for name, ms in rows.items():
        table.add_row(name, *(f"{ms[q]:.2f}" if ms else "–" for q in ("p50", "p95", "p99")))
    return Group(*(Text(line) for line in (*headline(summary), *more)), table)


def headline(summary: LoopSummary) -> list[str]:
    """What happened, in a few lines above the table."""
    counts = summary.frames
    dropped = _counted(counts.dropped) or "none"
    fps = "" if summary.fps is None else f" · {summary.fps:.1f} results a second"
    lines = [
        f"{summary.source} · {summary.variant} · {summary.engine} · threads: {summary.threads}",
        f"frames: {counts.read} read, {counts.processed} processed, dropped: {dropped}{fps}",
    ]
    if summary.deadline_ns is not None:
        missed = sum(summary.misses.values())
        causes = f" ({_counted(summary.misses)})" if missed else ""
        lines.append(f"deadline {summary.deadline_ns / 1e6:g} ms: {summary.verdict}, {missed} missed{causes}")
    if summary.ladder is not None:
        lines.extend(_ladder_lines(summary.ladder))
    if summary.camera.get("outages_total") or summary.camera.get("changes"):
        lines.append(_camera(summary.camera))
    return [*lines, *(f"note: {note}" for note in summary.notes)]


def _ladder_lines(ladder: Mapping[str, Any]) -> list[str]:
    rungs = "; ".join(
        f"{rung['variant']} {rung['frames']} frames in {rung['seconds']:.1f} s, {_cost(rung['drop'])}"
        for rung in ladder["rungs"]
    )
    steps = [
        f"  at {s['at_s']:.1f} s {s['from']} -> {s['to']}: {s['why']}" for s in ladder["steps"][-SHOWN_STEPS:]
    ]
    return [f"ladder: {rungs}; steps: {ladder['steps_made']}", *steps]


def _cost(drop: Mapping[str, Any] | None) -> str:
    return "drop unknown" if drop is None else f"drop {drop['value']:.2f} {drop['metric']}"


def _camera(camera: Mapping[str, Any]) -> str:
    causes = Counter(outage["cause"] for outage in camera["outages"])
    away = f"{camera['outages_total']} outages ({_counted(causes)}), {camera['outage_s']:.1f} s in all"
    return f"camera: {away}, opened again {camera['reconnects']} times, {camera['changes']} changes of form"


def _counted(causes: Mapping[Any, int]) -> str:
    return ", ".join(f"{n} {cause.replace('_', ' ')}" for cause, n in causes.items() if n)
