"""SOURCE → a bundle with its measured drop: the order of the steps, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from edgekit.bundle.manifest import Card, Variant
from edgekit.data.dataset import Dataset
from edgekit.errors import UsageError
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.machine import this_machine
from edgekit_export.budget.workshop import Job, Searched, look_for_mixed, steps_of, wants_mixed
from edgekit_export.calibration import gather
from edgekit_export.candidate import Candidate
from edgekit_export.golden import draw_for, golden_inputs, steady
from edgekit_export.layers.origin import few
from edgekit_export.package import Package, assemble
from edgekit_export.quantize.tap import Batch
from edgekit_export.sources.source import Source
from edgekit_export.sources.tflite_file import AS_IT_IS, WrappedGraph, least_precise, remark_of
from edgekit_export.staging import Staging
from edgekit_export.target import target_here
from edgekit_export.variants import Format, Plan, Progress, full_precision_of
from edgekit_export.work import ExportOptions, Work


def export(source: Source, out: Path, options: ExportOptions, progress: Progress) -> Package:
    """Makes ``out`` and ``out``'s reference, or refuses.

    Raises:
        UsageError: data that is needed was not given, or a limit that cannot be told.
        DataError, ModelError, OutputError: as their steps say.
    """
    _check_latency(options)
    remark = remark_of(source.files, options.formats)
    source = replace(source, card=_noted(source.card, remark))
    with tempfile.TemporaryDirectory(prefix="edgekit-export-") as folder:
        staging = Staging(Path(folder) / "members", source.assets)
        work = Work(source, options, progress, staging, Path(folder))
        wraps = source.files and "onnx" not in options.formats
        measured = _measure_wrapped(work) if wraps else _measure(work)
        maker = work.maker(measured.candidates, measured.calibration, measured.evaluation)
        package = assemble(
            maker, out, measured.reference, measured.candidates, options.max_size_bytes, measured.found
        )
        shipped = {
            c.variant.name: c for c in work.linted([c for c in package.candidates if package.ships(c)])
        }
        candidates = tuple(shipped.get(c.variant.name, c) for c in package.candidates)
        target = work.target.name
        return replace(
            package,
            candidates=candidates,
            matrix=measured.matrix,
            feeds=measured.feeds,
            remark=remark,
            target=target,
        )


def _check_latency(options: ExportOptions) -> None:
    """Refuses a limit that nothing here could tell: an estimate knows kernels of ONNX only."""
    elsewhere = options.target not in (None, target_here(this_machine()))
    if options.max_latency_ms is not None and elsewhere and "tflite" in options.formats:
        raise UsageError(
            "--max-latency: another processor's time is estimated of ONNX graphs only",
            "use --format onnx, or export on the device itself, without --target",
        )


def _comparable(candidate: Candidate, reference: Variant) -> Candidate:
    """Without a ratio of signal to noise where heads differ: one graph gives logits, the other probabilities."""
    pairs = ((model.head, reference.models[role].head) for role, model in candidate.variant.models.items())
    if candidate.evaluation is None or all(one == other for one, other in pairs):
        return candidate
    return replace(candidate, evaluation=structs.replace(candidate.evaluation, sqnr_db=None, sqnr_n=0))


def _noted(card: Card, remark: str) -> Card:
    return structs.replace(card, notes=" ".join(filter(None, (card.notes, remark))))


@dataclass(frozen=True, slots=True)
class _Measured:
    """Reference and candidates, and the data that they were made and judged on."""

    reference: Candidate | None
    candidates: list[Candidate]
    matrix: AgreementMatrix | None
    feeds: dict[str, list[Batch]]
    calibration: Dataset | None
    evaluation: Dataset | None
    found: Searched | None = None


def _measure(work: Work) -> _Measured:
    """Converts, calibrates, reduces and measures; looks for a mixed allocation where that is wanted."""
    source, options = work.source, work.options
    calibration, evaluation = work.data()
    made_here: tuple[Format, ...] = ("onnx",) if source.files else options.formats
    plans = _plans(work, made_here)
    full = full_precision_of(source.graphs, made_here, work.progress)
    reference = work.staging.add("fp32", "full_precision", "fp32", full.onnx, source.graphs)
    task = work.load(reference)
    inputs = golden_inputs(task, draw_for(task))
    feeds = work.feeds(task, calibration)
    seen = feeds or gather(
        task,
        ((one.path, one.content) for one in inputs),
        source.graphs,
        work.folder / "golden",
        lambda: None,
    )
    candidates = [
        work.candidate(made, seen, inputs)
        for plan in plans
        for made in full.variants(plan, feeds, work.progress)
    ]
    if source.files and "tflite" in options.formats:
        wrapped = _wrap(work, source.files, "-tflite")
        candidates.append(work.recorded(wrapped, work.load(wrapped), inputs))
    steps = steps_of(work, full, calibration)
    judged, matrix = work.judged(candidates, task, evaluation, steps=steps)
    stopwatch = work.stopwatch(task, inputs, full.onnx, seen)
    judged = stopwatch.timed(judged)
    found = None
    if calibration is not None and steps is not None and wants_mixed(work, judged, calibration, evaluation):
        job = Job(
            work, full, task, feeds, inputs, judged, steps, calibration, evaluation, made_here, stopwatch
        )
        found = look_for_mixed(job)
        judged, matrix = found.beside(judged, options.precisions), found.matrix or matrix
    if steps is not None:
        steps.close()
    judged = [_comparable(one, reference) for one in judged]
    full_precision = work.recorded(reference, task, inputs)
    samples = {role: few(given) for role, given in seen.items()}
    return _Measured(full_precision, judged, matrix, samples, calibration, evaluation, found)


def _plans(work: Work, formats: tuple[Format, ...]) -> list[Plan]:
    """What to make, in order: a lock names it all; a mixed variant is looked for."""
    if work.options.locked is not None:
        return work.options.locked.plans_in(formats, wraps=bool(work.source.files))
    return [Plan(precision, formats) for precision in work.options.precisions if precision != "mixed"]


def _measure_wrapped(work: Work) -> _Measured:
    """Files as they are, against their twin in full precision where there is one; a float file is its own."""
    variant, asked = _wrap(work, work.source.files), work.options.evaluation
    twin = _wrap(work, work.source.twin) if work.source.twin else variant
    compares = twin.precision != "int8"
    if not compares and (asked or work.options.max_drop):
        raise UsageError(
            f"{work.source.origin}: int8, wrapped as it is, has nothing to be measured against",
            "add --reference FILE.tflite, the same network in float",
        )
    known = work.source.evaluation if work.source.twin else ()
    evaluation = work.limited(work.judging(asked or known))
    if work.options.locked is not None:
        work.options.locked.check_data(None, evaluation)
    task = work.load(variant)
    inputs = golden_inputs(task, draw_for(task))
    wrapped = work.recorded(variant, task, inputs)
    if variant.precision == "int8" and task.name == "classify":  # each library's kernels round otherwise
        inputs = steady(inputs, wrapped.golden)
        wrapped = work.recorded(variant, task, inputs)
    if not compares:
        alone = work.stopwatch(None, inputs, {}, {}).timed([wrapped])
        return _Measured(None, alone, None, {}, None, None)
    full = work.load(twin)
    judged, matrix = work.judged([wrapped], full, evaluation)
    judged = work.stopwatch(full, inputs, {}, {}).timed(judged)
    return _Measured(work.recorded(twin, full, inputs), judged, matrix, {}, None, evaluation)


def _wrap(work: Work, files: Mapping[str, WrappedGraph], suffix: str = "") -> Variant:
    """Stages files as a variant that is named for what they are."""
    precision = least_precise([graph.file.precision for graph in files.values()])
    return work.staging.wrap(precision + suffix, AS_IT_IS, precision, files)
