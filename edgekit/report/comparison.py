"""What changed between two reports. It says what two reports can show, and no more: no test is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from edgekit.evaluation.outcome import Measure, Part, Slice, VerdictOrNone, Worst
from edgekit.evaluation.subject import Subject
from edgekit.report.accuracy import Report
from edgekit.report.metrics import METRICS
from edgekit.report.origin import worst_layer
from edgekit.report.wording import decibels, difference, level, percent, points, size, span, suffix

SCHEMA = 1
Lines: TypeAlias = dict[str, str]
"""Name → value in words."""


class Changed(Part, frozen=True):
    """One line that differs; empty where a report has no such line."""

    name: str
    before: str
    after: str


class Moved(Part, frozen=True):
    """A slice of both reports whose drop differs.

    Attributes:
        kind: of the slice, and
        name: of it.
        before: drop in the first report, in points, with
        before_interval: its simultaneous interval.
        after: the same of the second, with
        after_interval: its interval.
        apart: whether the two intervals have nothing in common.
    """

    kind: str
    name: str
    before: float
    before_interval: tuple[float, float]
    after: float
    after_interval: tuple[float, float]
    apart: bool


class Result(Part, frozen=True):
    """What one report found.

    Attributes:
        title: of the model.
        variant: of the candidate.
        metric: name of the metric.
        verdict: against the limit.
        drop: in points.
        interval: of the drop.
        confidence: of that, 0–1.
    """

    title: str
    variant: str
    metric: str
    verdict: VerdictOrNone
    drop: float
    interval: tuple[float, float]
    confidence: float


class Comparison(Part, frozen=True, kw_only=True):
    """Two reports.

    Attributes:
        schema: version of this layout.
        kind: what this is.
        summary: what changed, in plain sentences.
        comparable: whether the two drops are of the same metric, data and reference.
        obstacles: why they are not, one sentence each.
        intervals: of the two drops: ``apart`` if they have nothing in common; ``unknown`` if not comparable.
        before: the first report, and
        after: the second.
        changes: section → lines that differ; sections without any are left out.
        slices: that moved, those whose intervals are apart first, then by how far.
        worst_new: samples among the worst of the second report only, ``id`` or ``id (condition)``.
        worst_gone: of the first only.
    """

    schema: int = SCHEMA
    kind: Literal["comparison"] = "comparison"
    summary: str
    comparable: bool
    obstacles: tuple[str, ...]
    intervals: Literal["apart", "overlap", "unknown"]
    before: Result
    after: Result
    changes: dict[str, tuple[Changed, ...]]
    slices: tuple[Moved, ...]
    worst_new: tuple[str, ...]
    worst_gone: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit validate --compare --json`` prints it."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields


def compare_reports(before: Report, after: Report) -> Comparison:
    """Compares two reports, e.g. of the last release and of this one."""
    obstacles = _obstacles(before, after)
    changes = _changes(_sections(before), _sections(after))
    slices = _moved(before.slices, after.slices)
    old, new = [_named(w) for w in before.worst], [_named(w) for w in after.worst]
    intervals: Literal["apart", "overlap", "unknown"] = (
        "unknown" if obstacles else "apart" if _apart(before.interval, after.interval) else "overlap"
    )
    gone, come = tuple(w for w in old if w not in new), tuple(w for w in new if w not in old)
    same = not (changes or slices or gone or come)
    return Comparison(
        summary="Nothing changed." if same else _summary(before, after, obstacles, intervals),
        comparable=not obstacles,
        obstacles=obstacles,
        intervals=intervals,
        before=_result(before),
        after=_result(after),
        changes=changes,
        slices=slices,
        worst_new=come,
        worst_gone=gone,
    )


def _result(report: Report) -> Result:
    two = report.subjects.candidate
    return Result(
        report.card.title,
        two.variant,
        METRICS[report.metric].name,
        report.verdict,
        report.drop,
        report.interval,
        report.confidence,
    )


def _obstacles(before: Report, after: Report) -> tuple[str, ...]:
    found = []
    if (before.task, before.metric) != (after.task, after.metric):
        found.append(
            f"They measure different things: {METRICS[before.metric].name} ({before.task}) and "
            f"{METRICS[after.metric].name} ({after.task})."
        )
    if before.data.sha256 != after.data.sha256:
        found.append("They were measured on different data, so the drops are not comparable directly.")
    if before.subjects.reference.id != after.subjects.reference.id:
        found.append("The references differ, and each drop is against its own.")
    if before.confidence != after.confidence:
        found.append(
            f"Their intervals are of different confidence: {percent(before.confidence)} and "
            f"{percent(after.confidence)}."
        )
    return tuple(found)


def _summary(before: Report, after: Report, obstacles: tuple[str, ...], intervals: str) -> str:
    verdicts = {"NONE": "no limit given"}
    old, new = (verdicts.get(r.verdict, r.verdict) for r in (before, after))
    said = [
        f"The verdict is {new}, as before." if old == new else f"The verdict went from {old} to {new}.",
        f"The drop was {points(before.drop)} {METRICS[before.metric].unit} and is {points(after.drop)}."
        if points(before.drop) != points(after.drop)
        else f"The drop is {points(after.drop)} {METRICS[after.metric].unit} in both.",
    ]
    if obstacles:
        said += obstacles
    elif intervals == "apart":
        said.append(
            "Their intervals have nothing in common: the true drops differ, as far as both intervals hold."
        )
    else:
        said.append(
            "Their intervals overlap, so these two reports do not show whether the true drops differ; "
            "validating one candidate against the other on the same data would."
        )
    return " ".join(said)


def _sections(report: Report) -> dict[str, Lines]:
    machine = report.machine
    return {
        "Result": _outcome(report),
        "Measures": {m.name.replace("_", " "): _measure(m) for m in report.measures},
        "Candidate": _subject(report.subjects.candidate),
        "Reference": _subject(report.subjects.reference),
        "Data": {
            "named": " ".join(report.data.specs),
            "SHA-256": report.data.sha256,
            "truth": report.data.truth,
            "samples": f"{report.n:,}",
            "sources": f"{report.clusters:,}",
        },
        "Machine": {
            "model": machine.model,
            "architecture": machine.architecture,
            "cores": str(machine.cores),
            "CPU features": " ".join(machine.features),
            "Python": machine.python,
            **machine.versions,
        },
        "Noise": {f"graph {role}": worst_layer(graph) for role, graph in report.graphs.items()},
    }


def _outcome(report: Report) -> Lines:
    flips, golden, metric = report.flips, report.golden, METRICS[report.metric]
    lines = {
        "verdict": report.verdict,
        "limit": "" if report.max_drop is None else f"{report.max_drop:g} {metric.unit}",
        metric.drop: f"{points(report.drop)} {metric.unit}",
        f"{percent(report.confidence)} interval": span(report.interval),
        "agreement": f"{points(report.agreement)} %",
        "decisions changed": f"{flips.changed:,}",
        "output SQNR": decibels(report.sqnr_db, "identical to the bit" if report.identical else ""),
        "golden inputs": "" if golden is None else f"{golden.failed} of {golden.inputs} failed",
        "broken stages": ", ".join(f"{f.stage} ({f.role})" for f in report.findings),
    }
    if report.metric != "disagreement":
        lines[f"{metric.name}, reference"] = metric.level(report.reference)
        lines[f"{metric.name}, candidate"] = metric.level(report.candidate)
    if flips.right_to_wrong is not None and flips.wrong_to_right is not None:
        lines["right to wrong"] = f"{flips.right_to_wrong:,}"
        lines["wrong to right"] = f"{flips.wrong_to_right:,}"
    return lines


def _measure(measure: Measure) -> str:
    unit = measure.unit
    sides = " to ".join(
        level(value, unit) for value in (measure.reference, measure.candidate) if value is not None
    )
    ends = (
        ""
        if measure.interval is None
        else f" ({' to '.join(difference(end, unit) for end in measure.interval)})"
    )
    return f"{sides + ': ' if sides else ''}worse by {difference(measure.drop, unit)}{suffix(unit)}{ends}"


def _subject(subject: Subject) -> Lines:
    return {
        "file": subject.file,
        "manifest SHA-256": subject.id,
        "variant": f"{subject.variant} ({subject.precision})",
        "recipe": subject.recipe,
        "model files": size(subject.bytes),
        "bundle file": size(subject.file_bytes),
        "engine": subject.engine,
        "threads": str(subject.threads),
        "recorded in": subject.recorded,
        "recorded on": subject.recorded_on,
    }


def _changes(before: Mapping[str, Lines], after: Mapping[str, Lines]) -> dict[str, tuple[Changed, ...]]:
    found = {}
    for section in before:
        one, two = before[section], after[section]
        names = list(dict.fromkeys([*one, *two]))
        lines = tuple(
            Changed(name, one.get(name, ""), two.get(name, ""))
            for name in names
            if one.get(name, "") != two.get(name, "")
        )
        if lines:
            found[section] = lines
    return found


def _moved(before: tuple[Slice, ...], after: tuple[Slice, ...]) -> tuple[Moved, ...]:
    old = {(part.kind, part.name): part for part in before}
    moved = [
        Moved(
            part.kind,
            part.name,
            was.drop,
            was.interval,
            part.drop,
            part.interval,
            _apart(was.interval, part.interval),
        )
        for part in after
        if (was := old.get((part.kind, part.name))) is not None and was.drop != part.drop
    ]
    return tuple(sorted(moved, key=lambda m: (not m.apart, -abs(m.after - m.before), m.kind, m.name)))


def _apart(one: tuple[float, float], two: tuple[float, float]) -> bool:
    return one[1] < two[0] or two[1] < one[0]


def _named(worst: Worst) -> str:
    return f"{worst.id} ({worst.condition})" if worst.condition else worst.id
