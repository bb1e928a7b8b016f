"""From measured candidates to files: which variants ship, within the budget, or why none does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from edgekit.bundle.manifest import FORMAT, VERSION, Golden, Lock, Manifest, Variant
from edgekit.bundle.writer import bundle_bytes, writing_bundle
from edgekit.cli.values import format_size
from edgekit.evaluation.origin import AgreementMatrix, Stages
from edgekit.evaluation.outcome import Evaluation
from edgekit.machine import Machine, this_machine
from edgekit_export.quantize.recipe import Recipe
from edgekit_export.quantize.tap import Batch
from edgekit_export.sources.source import Source
from edgekit_export.staging import Staging


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A variant, staged and measured.

    Attributes:
        variant: its manifest entry, without a drop.
        golden: what it makes of the golden inputs.
        members: what ``golden`` names, pictures included.
        engine: engine and version that measured it.
        evaluation: against full precision; ``None`` for the reference, or without data.
        parity: role → its stages, where there were feeds.
        layers: role → what the quantiser reports.
        recipes: role → recipe as applied; empty for what was not quantised.
    """

    variant: Variant
    golden: tuple[Golden, ...]
    members: Mapping[str, bytes]
    engine: str
    evaluation: Evaluation | None = None
    parity: Mapping[str, Stages] | None = None
    layers: Mapping[str, Any] | None = None
    recipes: Mapping[str, Recipe] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """No gate was asked for, or it is proven to hold."""
        return self.evaluation is None or self.evaluation.holds

    def entry(self) -> Variant:
        """The manifest entry with the measured drop."""
        return (
            self.variant if self.evaluation is None else replace(self.variant, drop=self.evaluation.as_drop())
        )

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` lists variants."""
        formats = {model.format for model in self.variant.models.values()}
        return {
            "name": self.variant.name,
            "format": formats.pop(),
            "recipe": self.variant.recipe,
            "bytes": self.variant.bytes,
            "drop": None if self.evaluation is None else summary(self.evaluation),
            "parity": msgspec.to_builtins(self.parity or {}),
            "layers": dict(self.layers or {}),
        }


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """The core of an evaluation, with the keys of ``edgekit validate --json``."""
    return {
        "metric": evaluation.metric,
        "n": evaluation.n,
        "clusters": evaluation.clusters,
        "reference": evaluation.reference,
        "candidate": evaluation.candidate,
        "drop": evaluation.drop,
        "interval": list(evaluation.interval),
        "agreement": evaluation.agreement,
        "sqnr_db": evaluation.sqnr_db,
        "verdict": evaluation.verdict,
        "reason": evaluation.reason,
        "needed_n": evaluation.needed_n,
    }


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """What came of an export.

    Attributes:
        path: of the bundle.
        reference_path: of the full-precision bundle; ``None`` where there is none.
        size_bytes: of the bundle, 0 if none was written.
        shipped: names of the variants in it.
        candidates: all that were measured.
        reference: full precision; ``None`` for a quantised file that was wrapped without its twin.
        frontier: variant → bytes of a bundle that holds it alone.
        max_size_bytes: the budget.
        refusal: why nothing was written, empty if something was.
        matrix: how often the reference and the candidates decide alike; ``None`` without data.
        feeds: role → a few of the inputs that it was calibrated on, to look into its layers with.
        remark: what its user should know of how it was made; empty where nothing is out of the ordinary.
    """

    path: Path
    reference_path: Path | None
    size_bytes: int
    shipped: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    reference: Candidate | None
    frontier: Mapping[str, int]
    max_size_bytes: int | None
    refusal: str = ""
    matrix: AgreementMatrix | None = None
    feeds: Mapping[str, Sequence[Batch]] = field(default_factory=dict)
    remark: str = ""

    @property
    def written(self) -> bool:
        """Whether there is a bundle."""
        return not self.refusal

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit export --json`` prints it."""
        listed = [c for c in self.candidates if c.variant.name in self.shipped or not self.written]
        first = listed[0].evaluation
        obj: dict[str, Any] = {
            "bundle": str(self.path) if self.written else None,
            "reference": str(self.reference_path) if self.written and self.reference_path else None,
            "size_bytes": self.size_bytes,
            "reference_bytes": None if self.reference is None else self.reference.variant.bytes,
            "max_size_bytes": self.max_size_bytes,
            "variants": [c.as_json() for c in listed],
            "left_out": [c.variant.name for c in self.candidates if c not in listed],
            "drop": None if first is None else summary(first),
            "verdict": "NONE" if first is None else first.verdict,
            "remark": self.remark,
        }
        if not self.written:
            obj |= self._way_out()
        return obj

    def _way_out(self) -> dict[str, Any]:
        judged = [c for c in self.candidates if c.evaluation is not None]
        uppers = [c.evaluation.interval[1] for c in judged if c.evaluation is not None]
        holding = [self.frontier[c.variant.name] for c in self.candidates if c.holds]
        return {
            "refusal": self.refusal,
            "smallest_bytes": min(holding, default=None),
            "smallest_drop": min(uppers, default=None),
            "frontier": [
                {
                    "variant": c.variant.name,
                    "bytes": self.frontier[c.variant.name],
                    "drop_upper": None if c.evaluation is None else c.evaluation.interval[1],
                }
                for c in self.candidates
            ],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """One row a measured variant, for a table: name, bytes, share, drop, agreement, SQNR, verdict."""
        full = None if self.reference is None else self.reference.variant.bytes
        return [_row(c, full, c.variant.name in self.shipped) for c in self.candidates]


def _row(candidate: Candidate, full_bytes: int | None, shipped: bool) -> tuple[str, ...]:
    v, e = candidate.variant, candidate.evaluation
    share = "" if full_bytes is None else f"{v.bytes / full_bytes:.0%}"
    if e is None:
        return v.name, format_size(v.bytes), share, "not measured", "", "", "" if shipped else "left out"
    drop = f"{e.drop:+.2f} [{e.interval[0]:+.2f}, {e.interval[1]:+.2f}] {e.metric}"
    sqnr = "" if e.sqnr_db is None else f"{e.sqnr_db:.1f} dB"
    verdict = e.verdict if shipped else f"{e.verdict}, left out"
    return v.name, format_size(v.bytes), share, drop, f"{e.agreement:.2f} %", sqnr, verdict


def assemble(
    source: Source,
    lock: Lock,
    staging: Staging,
    out: Path,
    reference: Candidate | None,
    candidates: Sequence[Candidate],
    max_size_bytes: int | None,
) -> Package:
    """Writes the bundle with as many variants as hold and fit, in their order, and the reference; or neither.

    Args:
        source: name, task and card.
        lock: what it was made from.
        staging: holds the model files.
        out: the ``.edge`` file.
        reference: full precision, if there is one.
        candidates: in the order of preference.
        max_size_bytes: of the whole file.

    Raises:
        OutputError: a file cannot be written.
    """
    maker = _Maker(source, lock, staging, this_machine())
    frontier = {c.variant.name: maker.size([c]) for c in candidates}
    reference_path = None if reference is None else out.with_suffix(".reference.edge")
    package = Package(out, reference_path, 0, (), tuple(candidates), reference, frontier, max_size_bytes)
    holding = [c for c in candidates if c.holds]
    if not holding:
        why = "; ".join(_reason(c) for c in candidates)
        return dataclasses.replace(package, refusal=f"the drop does not hold: {why}")
    chosen = maker.fitting(holding, frontier, max_size_bytes)
    if not chosen:
        smallest = min(frontier[c.variant.name] for c in holding)
        why = f"the smallest bundle that holds the drop is {smallest} bytes, over {max_size_bytes}"
        return dataclasses.replace(package, refusal=f"the size does not hold: {why}")
    with ExitStack() as stack:  # both lie whole on the disk before one gets its name
        stack.enter_context(writing_bundle(out, *maker.contents(chosen)))
        if reference is not None and reference_path is not None:
            stack.enter_context(writing_bundle(reference_path, *maker.contents([reference])))
    shipped = tuple(c.variant.name for c in chosen)
    return dataclasses.replace(package, size_bytes=out.stat().st_size, shipped=shipped)


def _reason(candidate: Candidate) -> str:
    return (
        f"{candidate.variant.name}: {candidate.evaluation.reason if candidate.evaluation else 'not measured'}"
    )


def _of_those(lock: Lock, chosen: Sequence[Candidate]) -> Lock:
    """With the recipes of the variants that ship, and no others."""
    names = {candidate.variant.name for candidate in chosen}
    return replace(lock, recipes={name: roles for name, roles in lock.recipes.items() if name in names})


@dataclass(frozen=True, slots=True)
class _Maker:
    """Writes bundles of any choice of variants."""

    source: Source
    lock: Lock
    staging: Staging
    machine: Machine

    def contents(self, chosen: Sequence[Candidate]) -> tuple[Manifest, dict[str, bytes | Path]]:
        """Manifest and members of a bundle of these variants."""
        members: dict[str, bytes | Path] = dict(self.staging.members(tuple(c.variant for c in chosen)))
        for candidate in chosen:
            members.update(candidate.members)
        judged = [(c, c.evaluation) for c in chosen if c.evaluation is not None]
        manifest = Manifest(
            format=FORMAT,
            version=VERSION,
            name=self.source.name,
            task=self.source.task,
            files=(),
            variants=tuple(c.entry() for c in chosen),
            card=self.source.card,
            lock=_of_those(self.lock, chosen),
            golden=tuple(golden for c in chosen for golden in c.golden),
            evidence=tuple(e.as_evidence(c.variant.name, c.engine, self.machine) for c, e in judged),
        )
        return manifest, members

    def size(self, chosen: Sequence[Candidate]) -> int:
        """Exact bytes of a bundle of these variants."""
        return bundle_bytes(*self.contents(chosen))

    def fitting(
        self, holding: Sequence[Candidate], frontier: Mapping[str, int], max_size_bytes: int | None
    ) -> list[Candidate]:
        """The longest beginning of ``holding`` that fits, else the first single variant that does, else none."""
        if max_size_bytes is None:
            return list(holding)
        for n in range(len(holding), 0, -1):
            if self.size(holding[:n]) <= max_size_bytes:
                return list(holding[:n])
        return [c for c in holding if frontier[c.variant.name] <= max_size_bytes][:1]
