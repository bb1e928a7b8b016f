"""What a report says in words and figures; text, Markdown and HTML show the same."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.evaluation.subject import Subject
from edgekit.report.accuracy import Report
from edgekit.report.metrics import METRICS
from edgekit.report.wording import decibels, percent, points, size, span


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is, its value, and what it means."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Contrast:
    """One line of reference against candidate."""

    name: str
    reference: str
    candidate: str
    note: str = ""


def headline(report: Report) -> str:
    """The result in one line: verdict and drop."""
    verdict = "no limit given" if report.verdict == "NONE" else report.verdict
    name = "disagreement" if report.metric == "disagreement" else "drop"
    drop = f"{points(report.drop)} {METRICS[report.metric].unit}"
    return f"{verdict}: {name} {drop}, {_interval(report, report.interval)}"


def key_facts(report: Report) -> list[Fact]:
    """What one asks first: by how much, how sure, on how many, and what was gained."""
    one, two = report.subjects.reference, report.subjects.candidate
    limit = "no limit given" if report.max_drop is None else f"limit {report.max_drop:g}"
    least = "" if report.least_n is None else f"; this limit needs at least {report.least_n:,}"
    sources = "" if report.clusters == report.n else f" from {report.clusters:,} sources"
    return [
        Fact(METRICS[report.metric].drop, points(report.drop), f"{METRICS[report.metric].axis}, {limit}"),
        Fact(
            f"{percent(report.confidence)} interval",
            span(report.interval),
            "true values that these samples allow",
        ),
        Fact("samples", f"{report.n:,}", f"measured{sources}{least}"),
        Fact("model files", size(two.bytes), f"{two.bytes / max(one.bytes, 1):.0%} of {size(one.bytes)}"),
    ]


def contrasts(report: Report) -> list[Contrast]:
    """Reference and candidate side by side."""
    one, two = report.subjects.reference, report.subjects.candidate
    metric = METRICS[report.metric]
    values = (
        []
        if report.metric == "disagreement"
        else [
            Contrast(
                metric.name, metric.level(report.reference), metric.level(report.candidate), report.meaning
            )
        ]
    )
    share = f"{two.bytes / max(one.bytes, 1):.0%} of it"
    return [
        *values,
        Contrast("model files", size(one.bytes), size(two.bytes), share),
        Contrast("bundle file", size(one.file_bytes), size(two.file_bytes), f"{one.file} · {two.file}"),
        Contrast("variant", f"{one.variant} ({one.precision})", f"{two.variant} ({two.precision})"),
        Contrast("recipe", one.recipe, two.recipe),
        Contrast("engine", _engine(one), _engine(two)),
    ]


def facts(report: Report) -> list[Fact]:
    """What was found, in the order in which one asks; what the gate needs stands first."""
    flips = report.flips
    found = _power(report)
    found += [
        Fact(
            METRICS[report.metric].drop,
            f"{points(report.drop)} {METRICS[report.metric].unit}",
            _interval(report, report.interval),
        ),
        Fact("samples", f"{report.n:,}", _samples_note(report)),
        Fact("agreement", f"{points(report.agreement)} %", _interval(report, report.agreement_interval)),
        Fact("decisions changed", f"{flips.changed:,} of {report.n:,}"),
    ]
    if flips.right_to_wrong is not None:
        p = "" if report.mcnemar_p is None else f"exact McNemar p = {report.mcnemar_p:.3g}"
        found.append(Fact("right to wrong", f"{flips.right_to_wrong:,}", p))
        found.append(Fact("wrong to right", f"{flips.wrong_to_right:,}"))
    found.append(
        Fact("output SQNR", _sqnr(report), f"raw outputs of {report.sqnr_n:,} of {report.n:,} samples")
    )
    return found


def surroundings(report: Report) -> list[Fact]:
    """Data, machine and versions."""
    machine, one, two = report.machine, report.subjects.reference, report.subjects.candidate
    return [
        Fact("data", " ".join(report.data.specs), f"truth: {report.data.truth}"),
        Fact("data SHA-256", report.data.sha256),
        Fact("candidate", two.file, f"manifest SHA-256 {two.id}"),
        Fact("reference", one.file, f"manifest SHA-256 {one.id}"),
        Fact("machine", machine.model, f"{machine.architecture}, {machine.cores} cores"),
        Fact("CPU features", " ".join(machine.features) or "none known"),
        Fact(
            "versions", ", ".join(f"{k} {v}" for k, v in machine.versions.items()), f"Python {machine.python}"
        ),
    ]


def _power(report: Report) -> list[Fact]:
    needs = []
    if report.least_n is not None:
        needs.append(
            Fact("least samples", f"{report.least_n:,}", "independent ones, to pass this limit with no flip")
        )
    if report.needed_n is not None:
        needs.append(Fact("samples needed", f"{report.needed_n:,}", "if they go on like these"))
    return needs


def _engine(subject: Subject) -> str:
    threads = f"{subject.threads} thread{'s' * (subject.threads != 1)}"
    where = f" on {subject.recorded_on}" if subject.recorded_on else ""
    recorded = f", recorded{where} in {subject.recorded}" if subject.recorded else ""
    return f"{subject.engine}, {threads}{recorded}"


def _samples_note(report: Report) -> str:
    if report.clusters == report.n:
        return "each taken as independent"
    return f"from {report.clusters:,} sources; the interval answers for their likeness"


def _interval(report: Report, interval: tuple[float, float]) -> str:
    return f"{percent(report.confidence)} interval {span(interval)}"


def _sqnr(report: Report) -> str:
    return decibels(report.sqnr_db, "identical to the bit" if report.identical else "not comparable")
