"""A recorded run as a picture or a page that needs nothing else."""

from __future__ import annotations

from html import escape
from pathlib import Path

from edgekit.errors import DataError, OutputError, UsageError
from edgekit.ledger import QUANTILES
from edgekit.logbook.replay import Replay
from edgekit.report.plots.timeline import HEIGHT, Moment, timeline_plot

WIDTH = 1000
STYLE = """
:root { --paper: #fff; --ink: #1c1f24; --soft: #565f6b; --rule: #d9dce1; --bad: #b3261e; --mark: #855600;
 --wait: #9aa3ae; --pre: #5b8fd0; --infer: #1f5f99; --post: #2f9e8f; --sink: #d08a2e; }
@media (prefers-color-scheme: dark) { :root { --paper: #1c2026; --ink: #e9ebee; --soft: #a6afbb; --rule: #343a43;
 --bad: #ff8a80; --mark: #f0b94d;
 --wait: #6b7480; --pre: #82b1ec; --infer: #4a8fd8; --post: #4fc4b3; --sink: #e6a753; } }
body { margin: 2rem auto; max-width: 62rem; padding: 0 1rem; background: var(--paper); color: var(--ink); }
body, text { font-family: system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.3rem; } p, td, th { font-size: .95rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .2rem .8rem; border-top: 1px solid var(--rule); font-weight: 400; }
th:first-child { text-align: left; padding-left: 0; }
.paper { fill: var(--paper); } text { fill: var(--ink); font-size: 12px; } .tick, .unit { fill: var(--soft); }
.axis { stroke: var(--soft); } .grid { stroke: var(--rule); } .limit { stroke: var(--bad); stroke-dasharray: 6 4; }
.limit-text { fill: var(--bad); } .moment { stroke: var(--mark); } .moment-text { fill: var(--mark); font-size: 11px; }
.wait { fill: var(--wait); } .pre { fill: var(--pre); } .infer { fill: var(--infer); } .post { fill: var(--post); }
.sink { fill: var(--sink); } .slowest { fill: var(--soft); } .plot { overflow: visible; }
"""


def write_plot(replay: Replay, path: Path) -> None:
    """Writes ``OUT.svg`` or ``OUT.html``.

    Raises:
        UsageError: another ending.
        DataError: the run has no results.
        OutputError: it cannot be written.
    """
    check_plot(path)
    if not replay.rate.count:
        raise DataError(f"{path}: nothing to draw, the recorded run has no results")
    content = svg(replay) if path.suffix.lower() == ".svg" else page(replay)
    try:
        path.write_text(content, "utf-8")
    except OSError as error:
        raise OutputError(f"{path}: {error.strerror or error}", "choose another name") from error


def check_plot(path: Path) -> None:
    """Refuses a name that says neither picture nor page.

    Raises:
        UsageError: another ending than ``.svg`` or ``.html``.
    """
    if path.suffix.lower() not in (".svg", ".html"):
        raise UsageError(f"--plot: got {path.name}", "write OUT.svg for a picture, OUT.html for a page")


def svg(replay: Replay) -> str:
    """Latency over time as a picture of its own, light or dark as its viewer is."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT:g}">'
        f'<style>{escape(STYLE, quote=False)}</style><rect class="paper" width="100%" height="100%"/>'
        f"{_plot(replay)}</svg>\n"
    )


def page(replay: Replay) -> str:
    """The picture with its figures, as a page without scripts."""
    head, latency_ms = replay.head, replay.ledger.latency_ms()
    rows = "".join(
        f"<tr><th>{stage}</th>" + "".join(f"<td>{ms[q]:.2f}</td>" for q, _ in QUANTILES) + "</tr>"
        for stage, ms in latency_ms.items()
        if ms is not None
    )
    title = f"{head.bundle} on {head.source}"
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body><h1>{escape(title)}</h1>"
        f"<p>{escape(describe(replay))}</p>{_plot(replay)}"
        f"<table><tr><th>stage, ms</th><th>p50</th><th>p95</th><th>p99</th></tr>{rows}</table></body></html>\n"
    )


def describe(replay: Replay) -> str:
    """What ran and how it went, in a line."""
    head, rate = replay.head, replay.rate.per_second
    limit_ns = replay.deadline.limit_ns
    return " · ".join(
        [
            f"{replay.rate.count:,} results",
            *([] if rate is None else [f"{rate:.1f} a second"]),
            *([] if limit_ns is None else [f"{replay.deadline.misses:,} later than {limit_ns / 1e6:g} ms"]),
            *([] if replay.ended else ["the run did not end by itself"]),
            *([f"{replay.missing:,} lines missing"] if replay.missing else []),
            f"{head.variant}, {head.engine}, threads: {head.threads}",
            head.machine,
        ]
    )


def _plot(replay: Replay) -> str:
    limit_ns = replay.deadline.limit_ns
    moments = [Moment((event.at_ns - replay.first_ns) / 1e9, event.what) for event in replay.events]
    return timeline_plot(replay.timeline.as_json(), None if limit_ns is None else limit_ns / 1e6, moments)
