"""The accuracy report of an export: its default variant against full precision."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from edgekit.bundle.manifest import Variant
    from edgekit.engines.protocol import EngineOptions
    from edgekit.evaluation.origin import GraphOrigin
    from edgekit.evaluation.subject import Subject
    from edgekit_export.candidate import Candidate
    from edgekit_export.package import Package
    from edgekit_export.variants import Progress


def report_package(
    package: Package, folder: Path, options: EngineOptions | None, progress: Progress
) -> dict[str, Path]:
    """Writes the report of the first variant that shipped, as ``edgekit validate --report`` would.

    Args:
        package: what came of the export.
        folder: exists already.
        options: how the engine ran.
        progress: told about the layers, as they are measured.

    Returns:
        Kind → file; empty where nothing was written or nothing was measured.

    Raises:
        OutputError: a file cannot be written.
    """
    from edgekit.bundle.reader import open_bundle
    from edgekit.machine import this_machine
    from edgekit.report.accuracy import report_of
    from edgekit.report.files import write_report

    first = next((c for c in package.candidates if c.variant.name in package.shipped), None)
    reference = package.reference
    if first is None or first.evaluation is None or reference is None or package.reference_path is None:
        return {}
    report = report_of(
        first.evaluation,
        reference=_subject(package.reference_path, reference.variant, options),
        candidate=_subject(package.path, first.variant, options),
        machine=this_machine(),
        card=open_bundle(package.path).card,
        graphs=_origins(package, _files(package.reference_path, reference.variant), first, progress),
        matrix=package.matrix,
    )
    return write_report(report, folder)


def _origins(
    package: Package, reference: Mapping[str, Path], candidate: Candidate, progress: Progress
) -> dict[str, GraphOrigin]:
    """Measured on the files that shipped, with the stages that only an export knows; layers of ONNX graphs only."""
    from edgekit.evaluation.origin import GraphOrigin
    from edgekit_export.layers import layer_origins

    stages = candidate.parity or {}
    if any(model.format != "onnx" for model in candidate.variant.models.values()):
        return {role: GraphOrigin(found.samples, (), stages=found) for role, found in stages.items()}
    sides = reference, _files(package.path, candidate.variant)
    with progress(f"layers of {candidate.variant.name}", None) as advance:
        found = layer_origins(*sides, package.feeds, advance)
    return {role: replace(origin, stages=stages.get(role)) for role, origin in found.items()}


def _files(path: Path, variant: Variant) -> dict[str, Path]:
    from edgekit.bundle.reader import open_bundle

    folder = open_bundle(path).folder()
    return {role: folder / model.path for role, model in variant.models.items()}


def _subject(path: Path, variant: Variant, options: EngineOptions | None) -> Subject:
    from edgekit.bundle.reader import open_bundle
    from edgekit.evaluation.subject import subject_of
    from edgekit.tasks.registry import find_variant, load

    bundle = open_bundle(path)
    task = load(path, variant.name, options=options)
    return subject_of(bundle, find_variant(bundle.manifest, variant.name), task)
