"""Rows as a Markdown table, with what they were measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.quantiser_peers.frontier import frontier
from benchmarks.quantiser_peers.measure import Figures
from benchmarks.quantiser_peers.network import THREADS, Network
from benchmarks.quantiser_peers.rows import Row
from edgekit.machine import this_machine

Measured = tuple[Row, Figures | None]


def report(network: Network, rows: Sequence[Measured], rounds: int) -> dict[str, Any]:
    """Everything about one table as plain values.

    A row is on the frontier if no other is at most as large and disagrees at most as often; on that ``with latency``
    if no other is as fast besides.
    """
    known = [(found.bytes, found.disagreement[0], found.latency_ratio) for _, found in rows if found]
    flags = iter(zip(frontier([point[:2] for point in known]), frontier(known), strict=True))
    entries = []
    for row, found in rows:
        entry: dict[str, Any] = {"row": row.name, "versions": row.versions, "failed": row.reason or None}
        if found:
            plain, with_latency = next(flags)
            entry |= asdict(found) | {"frontier": "yes" if plain else "with latency" if with_latency else ""}
        entries.append(entry)
    data = network.evaluation
    return {
        "network": network.source.name,
        "task": network.source.task,
        "machine": this_machine().as_json(),
        "threads": THREADS,
        "rounds": rounds,
        "n": len(data),
        "clusters": len({source.sha256 for source in data.sources}),
        "evaluation": [_short(spec) for spec in data.specs],
        "calibration": [_short(spec) for spec in network.calibration.specs],
        "calibration_n": len(network.feeds),
        "rows": entries,
    }


def _short(spec: str) -> str:
    """A specification without the folders that lead to it."""
    return spec.rsplit("/", 1)[-1]


def markdown(report: dict[str, Any]) -> str:
    """The report as a heading, a line on how it was measured, and a table."""
    rows = report["rows"]
    rises = any(row.get("rise") for row in rows)
    head = ["", "bytes", "of fp32", "disagreement % [95 %]"]
    head += ["rise of the error rate, points [95 %]"] if rises else []
    head += ["SQNR dB", "latency", "frontier"]
    full_bytes = rows[0]["bytes"]
    lines = [
        f"### {report['network']}",
        "",
        _measured_on(report),
        "",
        _line(head),
        _line(["---"] * len(head)),
    ]
    lines += [_line(_cells(row, full_bytes, rises)) for row in rows if not row["failed"]]
    failed = [f"- {row['row']}: {row['failed']}" for row in rows if row["failed"]]
    return "\n".join(lines + (["", "Not measured:", "", *failed] if failed else []))


def _measured_on(report: dict[str, Any]) -> str:
    machine = report["machine"]
    versions = dict(machine["versions"])
    for row in report["rows"]:
        versions |= row["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"n = {report['n']:,} of {report['clusters']} sources ({', '.join(report['evaluation'])}), calibrated on "
        f"{report['calibration_n']} ({', '.join(report['calibration'])}); {machine['model']}, {report['threads']} "
        f"thread, latency over {report['rounds']} turns; {told}."
    )


def _cells(row: dict[str, Any], full_bytes: int, rises: bool) -> list[str]:
    noise = "" if row["sqnr_db"] is None else f"{row['sqnr_db']:.1f}"
    cells = [row["row"], f"{row['bytes']:,}", f"{row['bytes'] / full_bytes:.1%}", _span(row["disagreement"])]
    cells += [_span(row["rise"]) if row["rise"] else ""] if rises else []
    return [*cells, noise, f"{row['latency_ratio']:.2f}", row["frontier"]]


def _span(told: Sequence[float]) -> str:
    value, low, high = told
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
