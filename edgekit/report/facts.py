"""What a report says in words and figures; text, Markdown and HTML show the same."""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.report.accuracy import Report

METRICS = {"top1": "top-1 accuracy", "cer": "character error rate", "disagreement": "disagreement"}


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
    return f"{verdict}: {name} {report.drop:.2f} points, {_interval(report, report.interval)}"


def contrasts(report: Report) -> list[Contrast]:
    """Reference and candidate side by side."""
    one, two = report.subjects.reference, report.subjects.candidate
    metric = METRICS[report.metric]
    values = (
        []
        if report.metric == "disagreement"
        else [Contrast(metric, f"{report.reference:.2f} %", f"{report.candidate:.2f} %", report.meaning)]
    )
    return [
        *values,
        Contrast(
            "model files", size(one.bytes), size(two.bytes), f"{two.bytes / max(one.bytes, 1):.0%} of it"
        ),
        Contrast("bundle file", size(one.file_bytes), size(two.file_bytes), f"{one.file} · {two.file}"),
        Contrast("variant", f"{one.variant} ({one.precision})", f"{two.variant} ({two.precision})"),
        Contrast("recipe", one.recipe, two.recipe),
        Contrast(
            "engine", f"{one.engine}, {_threads(one.threads)}", f"{two.engine}, {_threads(two.threads)}"
        ),
    ]


def facts(report: Report) -> list[Fact]:
    """What was found, in the order in which one asks."""
    flips = report.flips
    found = [
        Fact(_name(report), f"{report.drop:.2f} points", _interval(report, report.interval)),
        Fact("samples", f"{report.n:,}", _samples_note(report)),
        Fact("agreement", f"{report.agreement:.2f} %", _interval(report, report.agreement_interval)),
        Fact("decisions changed", f"{flips.changed:,} of {report.n:,}"),
    ]
    if flips.right_to_wrong is not None:
        p = "" if report.mcnemar_p is None else f"exact McNemar p = {report.mcnemar_p:.3g}"
        found.append(Fact("right to wrong", f"{flips.right_to_wrong:,}", p))
        found.append(Fact("wrong to right", f"{flips.wrong_to_right:,}"))
    found.append(
        Fact("output SQNR", _sqnr(report), f"raw outputs of {report.sqnr_n:,} of {report.n:,} samples")
    )
    if report.least_n is not None:
        found.append(
            Fact("least samples", f"{report.least_n:,}", "independent ones, to pass this limit with no flip")
        )
    if report.needed_n is not None:
        found.append(Fact("samples needed", f"{report.needed_n:,}", "if they go on like these"))
    return found


def surroundings(report: Report) -> list[Fact]:
    """Data, machine and versions."""
    machine, two = report.machine, report.subjects.candidate
    return [
        Fact("data", " ".join(report.data.specs), f"truth: {report.data.truth}"),
        Fact("data SHA-256", report.data.sha256),
        Fact("candidate", two.file, f"manifest SHA-256 {two.id}"),
        Fact(
            "reference",
            report.subjects.reference.file,
            f"manifest SHA-256 {report.subjects.reference.id}",
        ),
        Fact("machine", machine.model, f"{machine.architecture}, {machine.cores} cores"),
        Fact("CPU features", " ".join(machine.features) or "none known"),
        Fact(
            "versions",
            ", ".join(f"{k} {v}" for k, v in machine.versions.items()),
            f"Python {machine.python}",
        ),
    ]


def size(size_bytes: int) -> str:
    """``5.19 MB`` (10^6 bytes) or ``12.3 kB``."""
    return f"{size_bytes / 1e6:.2f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.1f} kB"


def _threads(n: int) -> str:
    return f"{n} thread{'s' * (n != 1)}"


def _samples_note(report: Report) -> str:
    if report.clusters == report.n:
        return "each taken as independent"
    return f"from {report.clusters:,} sources; the interval answers for their likeness"


def _name(report: Report) -> str:
    names = {"top1": "drop of top-1 accuracy", "cer": "rise of the character error rate"}
    return names.get(report.metric, "disagreement")


def _interval(report: Report, interval: tuple[float, float]) -> str:
    return f"{100 * report.confidence:g} % interval {interval[0]:.2f} to {interval[1]:.2f}"


def _sqnr(report: Report) -> str:
    if report.sqnr_db is not None:
        return f"{report.sqnr_db:.1f} dB"
    return "identical to the bit" if report.identical else "not comparable"
