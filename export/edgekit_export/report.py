"""The accuracy report of an export: its default variant against full precision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.engines.protocol import EngineOptions
    from edgekit.evaluation.subject import Subject
    from edgekit_export.package import Package


def report_package(package: Package, folder: Path, options: EngineOptions | None) -> dict[str, Path]:
    """Writes the report of the first variant that shipped, as ``edgekit validate --report`` would.

    Args:
        package: what came of the export.
        folder: exists already.
        options: how the engine ran.

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
    if first is None or first.evaluation is None:
        return {}
    report = report_of(
        first.evaluation,
        reference=_subject(package.reference_path, package.reference.variant.name, options),
        candidate=_subject(package.path, first.variant.name, options),
        machine=this_machine(),
        card=open_bundle(package.path).card,
    )
    return write_report(report, folder)


def _subject(path: Path, variant: str, options: EngineOptions | None) -> Subject:
    from edgekit.bundle.reader import open_bundle
    from edgekit.evaluation.subject import subject_of
    from edgekit.tasks.registry import find_variant, load

    bundle = open_bundle(path)
    return subject_of(bundle, find_variant(bundle.manifest, variant), load(path, variant, options=options))
