"""The accuracy report as one self-contained HTML page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from edgekit.evaluation.origin import GraphOrigin
from edgekit.evaluation.outcome import Worst
from edgekit.report.accuracy import Report
from edgekit.report.differences import Pieces, differences
from edgekit.report.evidence import alarms, evidence
from edgekit.report.facts import contrasts, facts, headline, key_facts, surroundings
from edgekit.report.metrics import METRICS
from edgekit.report.origin import heat, layers_table, matrix_table, stages_table, worst_layer
from edgekit.report.page import page, require_html
from edgekit.report.plots.flips import flips_plot
from edgekit.report.plots.forest import Forest, Mark, forest
from edgekit.report.plots.histogram import histogram_plot
from edgekit.report.plots.interval import interval_plot
from edgekit.report.plots.layers import layers_plot
from edgekit.report.tables import (
    KINDS,
    SliceKind,
    Table,
    looks_table,
    measures_table,
    shift,
    slices_of,
    slices_table,
)

SHOWN = 25
"""Slices of a kind that are drawn; the others stand in a table that opens."""

WIDE = frozenset({"ocr", "transcribe", "vision_language", "generate"})
"""Tasks whose samples are shown with their texts, differences marked."""


def html(report: Report) -> str:
    """The page.

    Raises:
        EnvironmentLacks: jinja2 is not installed.
    """
    require_html()
    from markupsafe import Markup

    flips = report.flips
    both_ways = flips.right_to_wrong is not None and flips.wrong_to_right is not None
    return page(
        "accuracy.html",
        report=report,
        card=report.card,
        title=f"{report.card.title}: {headline(report)}",
        metric=METRICS[report.metric],
        key_facts=key_facts(report),
        alarms=alarms(report),
        evidence=evidence(report),
        facts=facts(report),
        flips=Markup(flips_plot(flips.right_to_wrong, flips.wrong_to_right))  # type: ignore[arg-type]
        if both_ways
        else None,
        measures=measures_table(report),
        contrasts=contrasts(report),
        surroundings=surroundings(report),
        plot=Markup(
            interval_plot(report.drop, report.interval, report.max_drop, METRICS[report.metric].axis)
        ),
        slices=[_slices(report, kind) for kind in KINDS if slices_of(report, kind)],
        looks=_looks(report) if len(report.looks) > 1 else None,
        graphs={role: _graph(graph) for role, graph in report.graphs.items()},
        matrix=None if report.matrix is None else matrix_table(report.matrix),
        heat=heat,
        worst=[_sample(w, report.task in WIDE) for w in report.worst],
        wide=report.task in WIDE,
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A table with one interval a row; ``rest`` holds what is not drawn."""

    table: Table
    forest: Any
    rest: Table | None = None


def _slices(report: Report, kind: SliceKind) -> _Drawn:
    found = slices_of(report, kind)
    marks = [Mark(s.drop, s.interval, shift(s, report)) for s in found[:SHOWN]]
    drawn = forest(marks, unit=METRICS[report.metric].axis)
    rest = slices_table(report, kind, found[SHOWN:]) if len(found) > SHOWN else None
    return _Drawn(slices_table(report, kind, found[:SHOWN]), _markup(drawn), rest)


def _looks(report: Report) -> _Drawn:
    marks = [Mark(None, look.interval) for look in report.looks]
    return _Drawn(looks_table(report), _markup(forest(marks, report.max_drop, METRICS[report.metric].axis)))


def _graph(graph: GraphOrigin) -> dict[str, Any]:
    from markupsafe import Markup

    names = [layer.name for layer in graph.layers]
    alone, own = [x.alone_db for x in graph.layers], [x.cumulative_db for x in graph.layers]
    return {
        "samples": graph.samples,
        "worst_layer": worst_layer(graph),
        "layers": layers_table(graph) if names else None,
        "alone": Markup(layers_plot(names, alone, "SQNR of the output, one layer reduced alone"))
        if _any(alone)
        else None,
        "cumulative": Markup(layers_plot(names, own, "SQNR of each layer in the reduced graph"))
        if _any(own)
        else None,
        "histogram": None if graph.worst is None else Markup(histogram_plot(graph.worst)),
        "histogram_layer": "" if graph.worst is None else graph.worst.layer,
        "stages": None if graph.stages is None else stages_table(graph.stages),
        "stage_samples": 0 if graph.stages is None else graph.stages.samples,
    }


def _sample(worst: Worst, wide: bool) -> dict[str, Any]:
    reference: Pieces = [(worst.reference, False)] if worst.reference else []
    candidate: Pieces = [(worst.candidate, False)] if worst.candidate else []
    if wide:
        reference, candidate = differences(worst.reference, worst.candidate)
    return {
        "worst": worst,
        "picture": _data_uri(worst.thumbnail),
        "reference": reference,
        "candidate": candidate,
    }


def _markup(drawn: Forest) -> dict[str, Any]:
    from markupsafe import Markup

    return {"rows": [Markup(row) for row in drawn.rows], "axis": Markup(drawn.axis)}


def _any(values: Sequence[float | None]) -> bool:
    return any(value is not None for value in values)


def _data_uri(jpeg: bytes | None) -> str | None:
    return None if jpeg is None else "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
