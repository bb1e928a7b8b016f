"""From measured candidates to files: which variants ship, within the budget, or why none does and what would."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgekit.bundle.writer import writing_bundle
from edgekit.cli.values import format_size
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.evaluation.outcome import Evaluation
from edgekit_export.budget.frontier import Limits, Point, point_of, write_frontier
from edgekit_export.budget.refusal import WayOut, least_ms, way_out
from edgekit_export.budget.workshop import Searched
from edgekit_export.candidate import Candidate, summary
from edgekit_export.maker import Maker
from edgekit_export.quantize.tap import Batch
from edgekit_export.timing import Timing


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """What came of an export.

    Attributes:
        path: of the bundle.
        reference_path: of the full-precision bundle; ``None`` where there is none.
        size_bytes: of the bundle, 0 if none was written.
        shipped: names of the variants in it.
        candidates: all that may have shipped.
        reference: full precision; ``None`` for a quantised file that was wrapped without its twin.
        frontier: every candidate that was measured, trials of a search included.
        limits: what was asked for.
        refusal: why nothing was written, empty if something was.
        way_out: what would be possible; ``None`` where something was written.
        plots: ``html`` and ``png`` → where the frontier is drawn.
        matrix: how often the reference and the candidates decide alike; ``None`` without data.
        feeds: role → a few of the inputs that it was calibrated on, to look into its layers with.
        remark: what its user should know of how it was made; empty where nothing is out of the ordinary.
        target: name of the processor that it was looked into for.
    """

    path: Path
    reference_path: Path | None
    size_bytes: int
    shipped: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    reference: Candidate | None
    frontier: tuple[Point, ...]
    limits: Limits
    refusal: str = ""
    way_out: WayOut | None = None
    plots: Mapping[str, Path] = field(default_factory=dict)
    matrix: AgreementMatrix | None = None
    feeds: Mapping[str, Sequence[Batch]] = field(default_factory=dict)
    remark: str = ""
    target: str = ""

    @property
    def written(self) -> bool:
        """Whether there is a bundle."""
        return not self.refusal

    def ships(self, candidate: Candidate) -> bool:
        """Whether it is in the bundle."""
        return candidate.variant.name in self.shipped

    @property
    def warnings(self) -> list[str]:
        """What the kernel lint says of the variants that ship, a line each."""
        return [
            f"warning, {' '.join([c.variant.name, role] if len(c.warnings) > 1 else [c.variant.name])}: {said}"
            for c in self.candidates
            for role, found in c.warnings.items()
            for said in found
        ]

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` prints it."""
        listed = [c for c in self.candidates if self.ships(c) or not self.written]
        first = listed[0].evaluation if listed else None
        obj: dict[str, Any] = {
            "bundle": str(self.path) if self.written else None,
            "reference": str(self.reference_path) if self.written and self.reference_path else None,
            "size_bytes": self.size_bytes,
            "reference_bytes": None if self.reference is None else self.reference.variant.bytes,
            "max_size_bytes": self.limits.max_size_bytes,
            "max_latency_ms": self.limits.max_latency_ms,
            "variants": [c.as_json() for c in listed],
            "left_out": [c.variant.name for c in self.candidates if c not in listed],
            "drop": None if first is None else summary(first),
            "verdict": _verdict(first, written=self.written),
            "remark": self.remark,
            "target": self.target,
            "frontier": [point.as_json() for point in self.frontier],
        }
        if self.way_out is not None:
            plots = {kind: str(path) for kind, path in self.plots.items()}
            obj |= {"refusal": self.refusal, **self.way_out.as_json(), "plots": plots}
        return obj

    def rows(self) -> list[tuple[str, ...]]:
        """One row a measured variant, for a table: name, bytes, share, time, drop, agreement, SQNR, verdict."""
        full = None if self.reference is None else self.reference.variant.bytes
        return [_row(c, full, self.ships(c)) for c in self.candidates]


def _row(candidate: Candidate, full_bytes: int | None, shipped: bool) -> tuple[str, ...]:
    v, e = candidate.variant, candidate.evaluation
    share = "" if full_bytes is None else f"{v.bytes / full_bytes:.0%}"
    time = "" if candidate.timing is None else _time(candidate.timing)
    if e is None:
        return (
            v.name,
            format_size(v.bytes),
            share,
            time,
            "not measured",
            "",
            "",
            "" if shipped else "left out",
        )
    drop = f"{e.drop:+.2f} [{e.interval[0]:+.2f}, {e.interval[1]:+.2f}] {e.metric}"
    sqnr = "" if e.sqnr_db is None else f"{e.sqnr_db:.1f} dB"
    slow = "" if candidate.timing is None or candidate.timing.holds else ", too slow"
    verdict = e.verdict if shipped else f"{e.verdict}{slow}, left out"
    return v.name, format_size(v.bytes), share, time, drop, f"{e.agreement:.2f} %", sqnr, verdict


def _time(timing: Timing) -> str:
    """As a share of full precision's; without one, as it is."""
    share = timing.of_full_precision
    said = f"{timing.ms:.3g} ms" if share is None else f"x{share:.2f}"
    return said if timing.estimated_ms is None else f"{said}, about {timing.estimated_ms:.3g} ms there"


def _verdict(first: Evaluation | None, *, written: bool) -> str:
    """Of the default variant; what is refused for another reason than its drop has not passed."""
    verdict = "NONE" if first is None else first.verdict
    return "FAIL" if verdict == "PASS" and not written else verdict


def assemble(
    maker: Maker,
    out: Path,
    reference: Candidate | None,
    candidates: Sequence[Candidate],
    max_size_bytes: int | None,
    searched: Searched | None = None,
) -> Package:
    """Writes the bundle with as many variants as hold and fit, in their order, and the reference; or neither.

    Where neither is written, the frontier is drawn beside ``out``.

    Args:
        maker: of bundles.
        out: the ``.edge`` file.
        reference: full precision, if there is one.
        candidates: in the order of preference.
        max_size_bytes: of the whole file.
        searched: what came of looking for a mixed allocation, if that was done.

    Raises:
        OutputError: a file cannot be written.
    """
    sizes = {c.variant.name: maker.size([c]) for c in candidates}
    limits = _limits(candidates, searched, max_size_bytes)
    reference_path = None if reference is None else out.with_suffix(".reference.edge")
    points = _points(candidates, sizes, searched)
    package = Package(out, reference_path, 0, (), tuple(candidates), reference, points, limits)
    holding = [c for c in candidates if c.holds]
    chosen = maker.fitting(holding, sizes, max_size_bytes)
    if not chosen:
        return _refused(package, maker.source.card.title, searched)
    with ExitStack() as stack:  # both lie whole on the disk before one gets its name
        stack.enter_context(writing_bundle(out, *maker.contents(chosen)))
        if reference is not None and reference_path is not None:
            stack.enter_context(writing_bundle(reference_path, *maker.contents([reference])))
    shipped = tuple(c.variant.name for c in chosen)
    return dataclasses.replace(package, size_bytes=out.stat().st_size, shipped=shipped)


def _limits(candidates: Sequence[Candidate], searched: Searched | None, max_size_bytes: int | None) -> Limits:
    """What was asked for; the drop's limit in points, as the measurements have it."""
    trials = () if searched is None else searched.trials
    evaluations = [one.evaluation for one in (*candidates, *trials) if one.evaluation is not None]
    max_ms = next((one.timing.max_ms for one in candidates if one.timing is not None), None)
    if searched is not None:
        max_ms = searched.max_ms
    if not evaluations:
        return Limits(max_size_bytes, None, "", max_ms)
    return Limits(max_size_bytes, evaluations[0].max_drop, evaluations[0].metric, max_ms)


def _points(
    candidates: Sequence[Candidate], sizes: Mapping[str, int], searched: Searched | None
) -> tuple[Point, ...]:
    trials = () if searched is None else searched.trials
    made = {(trial.candidate.variant.name, trial.candidate.variant.bytes): trial for trial in trials}
    points = []
    for candidate in candidates:
        trial = made.pop((candidate.variant.name, candidate.variant.bytes), None)
        allocation = None if trial is None else trial.allocation
        points.append(point_of(candidate, sizes[candidate.variant.name], allocation))
    points += [point_of(trial.candidate, trial.bytes, trial.allocation) for trial in made.values()]
    return tuple(points)


def _refused(package: Package, title: str, searched: Searched | None) -> Package:
    limits, points = package.limits, package.frontier
    out = way_out(points, limits, searched)
    refusal = _too_slow(package, searched) or _why(package, out.smallest_bytes)
    plots = write_frontier(package.path, title, points, limits, refusal, out.sentences(limits))
    return dataclasses.replace(package, refusal=refusal, way_out=out, plots=plots)


def _too_slow(package: Package, searched: Searched | None) -> str:
    """What to say where the latency is the reason: something keeps all else, or nothing is in time; else empty."""
    limits, points = package.limits, package.frontier
    if limits.max_latency_ms is None:
        return ""
    ms, over = least_ms(points, limits, searched), f"over {limits.max_latency_ms:g} ms"
    if ms is not None:
        return f"the latency does not hold: the fastest that keeps the other limits takes {ms:.3g} ms, {over}"
    times = [point.latency_ms for point in points if point.latency_ms is not None]
    if any(point.in_time for point in points) or not times:
        return ""
    return (
        f"neither latency nor the other limits hold: the fastest measured takes {min(times):.3g} ms, {over}"
    )


def _why(package: Package, smallest: int | None) -> str:
    """Which limit does not hold of what is in time: the size where something holds the drop, else the drop."""
    size, timely = package.limits.max_size_bytes, [point for point in package.frontier if point.in_time]
    fitting = [point for point in timely if size is None or point.bytes <= size]
    if smallest is not None and size is not None:
        drop = " that holds the drop" if package.limits.max_drop is not None else ""
        return f"the size does not hold: the smallest bundle{drop} has {smallest} bytes, over {size}"
    if not fitting and size is not None:
        least = min((point.bytes for point in timely), default=None)
        return f"neither size nor drop holds: the smallest bundle measured has {least} bytes, over {size}"
    reasons = "; ".join(_reason(c) for c in package.candidates)
    return f"the drop does not hold: {reasons or 'no allocation measured is proven to hold it'}"


def _reason(candidate: Candidate) -> str:
    return (
        f"{candidate.variant.name}: {candidate.evaluation.reason if candidate.evaluation else 'not measured'}"
    )
