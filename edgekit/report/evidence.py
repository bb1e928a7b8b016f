"""What stands right below a verdict: what is broken, and what the verdict rests on."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.evaluation.outcome import Finding, GoldenCheck
from edgekit.report.accuracy import Report
from edgekit.report.metrics import METRICS
from edgekit.report.wording import percent, sentence

ONLY_ROLE = "model"
"""What the graph is called where a variant has but one."""

UNBOUNDED = frozenset({"detect"})
"""Tasks whose metric can fall by more than their disagreement: average precision depends on all scores."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that is wrong whatever the verdict says."""

    title: str
    text: str


def alarms(report: Report) -> list[Alarm]:
    """Broken stages, and a machine that computes otherwise; empty where all is well."""
    found = [finding_alarm(finding) for finding in report.findings]
    if report.golden is not None and report.golden.failed:
        found.append(golden_alarm(report.golden))
    return found


def finding_alarm(finding: Finding) -> Alarm:
    """A stage at fault."""
    back = (
        ""
        if finding.restored is None
        else f" Put right alone, it brings back {percent(finding.restored)} of the lost decisions."
    )
    role = "" if finding.role == ONLY_ROLE else f" ({finding.role})"
    return Alarm(f"Broken stage: {finding.stage}{role}", sentence(finding.evidence) + back)


def golden_alarm(golden: GoldenCheck) -> Alarm:
    """Golden inputs that failed."""
    text = (
        f"{golden.failed} of {golden.inputs} golden inputs came out otherwise than the exporter measured: "
        f"{golden.problem}"
    )
    return Alarm("This machine does not compute what the exporter measured", sentence(text))


def evidence(report: Report) -> list[str]:
    """What the verdict rests on, one sentence each; what the gate needs at least comes first."""
    said = (_power, _needed, _truth, _sources, _looks, _untold, _golden, _recorded)
    return [text for text in (say(report) for say in said) if text]


def _power(report: Report) -> str:
    if report.least_n is None or report.max_drop is None:
        return ""
    limit = f"A limit of {report.max_drop:g} {METRICS[report.metric].unit}"
    few = "too few" if report.n < report.least_n else "measured"
    return (
        f"{limit} needs at least {report.least_n:,} independent samples, even if no decision flips; "
        f"{report.n:,} were {few}."
    )


def _needed(report: Report) -> str:
    if report.needed_n is None:
        return ""
    return f"To decide, it needs about {report.needed_n:,} samples, if they go on like these {report.n:,}."


def _truth(report: Report) -> str:
    if report.metric != "disagreement":
        return ""
    known = "The data has no truth, so what is measured is disagreement"
    if report.task in UNBOUNDED:
        return f"{known}. For this task it does not bound the drop: only data with truth can tell that."
    return (
        f"{known}: it bounds the drop from above. Accuracy cannot have fallen by more, so a PASS holds for it as "
        "well; a FAIL is no proof of a loss."
    )


def _sources(report: Report) -> str:
    if report.clusters == report.n:
        return ""
    return (
        f"Samples come from {report.clusters:,} sources; those of one source resemble each other, "
        "and the interval is wider for it."
    )


def _looks(report: Report) -> str:
    if len(report.looks) < 2:
        return ""
    return (
        f"The gate was looked at {len(report.looks)} times on the way; each look is held to a stricter level, "
        "so that together they err no more often than one."
    )


def _golden(report: Report) -> str:
    golden = report.golden
    if golden is None:
        return "Whether this machine computes what the exporter measured was not checked."
    if golden.failed:
        return ""  # an alarm, above
    if golden.inputs == 0:
        return "The bundle has no golden inputs for this variant, so the machine was not checked."
    return (
        f"This machine computes what the exporter measured: {golden.inputs} of {golden.inputs} golden "
        f"inputs hold, {golden.exact} equal to the bit."
    )


def _untold(report: Report) -> str:
    kinds = " and ".join(report.untold)
    return f"There are too many slices by {kinds} to tell them one by one." if kinds else ""


def _recorded(report: Report) -> str:
    one = report.subjects.reference
    where = f" on {one.recorded_on}" if one.recorded_on else ""
    return (
        f"The reference was not run here: its results were recorded{where} in {one.recorded}."
        if one.recorded
        else ""
    )
