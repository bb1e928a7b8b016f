"""SOURCE → a bundle with its measured drop: the order of the steps, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import structs

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import Card, ClassHead, Variant
from edgekit.cli.values import MaxDrop
from edgekit.data.dataset import Dataset, open_data, refuse_overlap
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import ModelError, UsageError
from edgekit.evaluate import compare
from edgekit.evaluation.options import Options
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.evaluation.outcome import Evaluation
from edgekit.evaluation.worst import illustrate
from edgekit.predictions.side import TaskSide
from edgekit.tasks.labels import read_labels
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import default_threads, make_task
from edgekit_export.calibration import Feeds, gather
from edgekit_export.golden import GoldenInput, draw_for, golden_inputs, record, steady
from edgekit_export.layers.origin import few
from edgekit_export.lock import make_lock
from edgekit_export.locked import Locked
from edgekit_export.package import Candidate, Package, assemble
from edgekit_export.parity import parity
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.quantize.precision import Precision
from edgekit_export.quantize.tap import Batch
from edgekit_export.sources.source import Source
from edgekit_export.sources.tflite_file import AS_IT_IS, WrappedGraph, least_precise, remark_of
from edgekit_export.staging import Staging
from edgekit_export.variants import Format, Made, Plan, Progress, full_precision_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What may be asked of an export.

    Attributes:
        precisions: variants to make, the default one first.
        formats: each precision is made in each of them; full precision, to measure against, is ONNX.
        calibration: ``--data`` specifications; the source's own where empty.
        evaluation: the same, for the drop; never of samples that were calibrated on.
        max_size_bytes: of the whole ``.edge`` file.
        max_drop: gate on the upper end of the drop's interval.
        limit: measure on at most so many samples, drawn evenly.
        thumbnails: keep small pictures of the worst samples, for a report.
        engine: how the engine runs while measuring: the options that ship.
        source_options: what the command line said of the source and drew samples by, for the lock.
        locked: a bundle whose model files are to be made again, by its recipes and from its data.
    """

    precisions: tuple[Precision, ...] = ("int8", "fp16")
    formats: tuple[Format, ...] = ("onnx",)
    calibration: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()
    max_size_bytes: int | None = None
    max_drop: MaxDrop | None = None
    limit: int | None = None
    thumbnails: bool = False
    engine: EngineOptions | None = None
    source_options: Mapping[str, str] = field(default_factory=dict)
    locked: Locked | None = None


def export(source: Source, out: Path, options: ExportOptions, progress: Progress) -> Package:
    """Makes ``out`` and ``out``'s reference, or refuses.

    Raises:
        UsageError: data that is needed was not given.
        DataError, ModelError, OutputError: as their steps say.
    """
    remark = remark_of(source.files, options.formats)
    source = replace(source, card=_noted(source.card, remark))
    with tempfile.TemporaryDirectory(prefix="edgekit-export-") as folder:
        staging = Staging(Path(folder) / "members", source.assets)
        measured = _Work(source, options, progress, staging, Path(folder)).measure()
        lock = make_lock(
            source,
            options.precisions,
            options.formats,
            measured.calibration,
            measured.evaluation,
            {c.variant.name: c.recipes for c in measured.candidates},
            options.source_options,
        )
        package = assemble(
            source, lock, staging, out, measured.reference, measured.candidates, options.max_size_bytes
        )
        return replace(package, matrix=measured.matrix, feeds=measured.feeds, remark=remark)


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


@dataclass(frozen=True, slots=True)
class _Work:
    """One export on its way."""

    source: Source
    options: ExportOptions
    progress: Progress
    staging: Staging
    folder: Path

    def measure(self) -> _Measured:
        """Converts, calibrates, reduces and measures."""
        if self.source.files and "onnx" not in self.options.formats:
            return self._measure_wrapped()
        calibration, evaluation = self._data()
        made_here: tuple[Format, ...] = ("onnx",) if self.source.files else self.options.formats
        plans = self._plans(made_here)
        full = full_precision_of(self.source.graphs, made_here, self.progress)
        reference = self.staging.add("fp32", "full_precision", "fp32", full.onnx, self.source.graphs)
        task = self._load(reference)
        inputs = golden_inputs(task, draw_for(task))
        feeds = self._feeds(task, calibration)
        seen = feeds or gather(
            task,
            ((one.path, one.content) for one in inputs),
            self.source.graphs,
            self.folder / "golden",
            lambda: None,
        )
        candidates = [
            self._candidate(made, seen, inputs)
            for plan in plans
            for made in full.variants(plan, feeds, self.progress)
        ]
        if self.source.files and "tflite" in self.options.formats:
            wrapped = self._wrap(self.source.files, "-tflite")
            candidates.append(self._recorded(wrapped, self._load(wrapped), inputs))
        judged, matrix = self._judged(candidates, task, evaluation)
        judged = [_comparable(one, reference) for one in judged]
        full_precision = self._recorded(reference, task, inputs)
        samples = {role: few(given) for role, given in seen.items()}
        return _Measured(full_precision, judged, matrix, samples, calibration, evaluation)

    def _plans(self, formats: tuple[Format, ...]) -> list[Plan]:
        """What to make, in order: a lock names it all."""
        if self.options.locked is not None:
            return self.options.locked.plans_in(formats, wraps=bool(self.source.files))
        return [Plan(precision, formats) for precision in self.options.precisions]

    def _measure_wrapped(self) -> _Measured:
        """Files as they are, against their twin in full precision where there is one; a float file is its own."""
        variant, asked = self._wrap(self.source.files), self.options.evaluation
        twin = self._wrap(self.source.twin) if self.source.twin else variant
        compares = twin.precision != "int8"
        if not compares and (asked or self.options.max_drop):
            raise UsageError(
                f"{self.source.origin}: int8, wrapped as it is, has nothing to be measured against",
                "add --reference FILE.tflite, the same network in float",
            )
        known = self.source.evaluation if self.source.twin else ()
        evaluation = self._limited(self._judging(asked or known))
        if self.options.locked is not None:
            self.options.locked.check_data(None, evaluation)
        task = self._load(variant)
        inputs = golden_inputs(task, draw_for(task))
        wrapped = self._recorded(variant, task, inputs)
        if variant.precision == "int8" and task.name == "classify":  # each library's kernels round otherwise
            inputs = steady(inputs, wrapped.golden)
            wrapped = self._recorded(variant, task, inputs)
        if not compares:
            return _Measured(None, [wrapped], None, {}, None, None)
        full = self._load(twin)
        judged, matrix = self._judged([wrapped], full, evaluation)
        return _Measured(self._recorded(twin, full, inputs), judged, matrix, {}, None, evaluation)

    def _wrap(self, files: Mapping[str, WrappedGraph], suffix: str = "") -> Variant:
        """Stages files as a variant that is named for what they are."""
        precision = least_precise([graph.file.precision for graph in files.values()])
        return self.staging.wrap(precision + suffix, AS_IT_IS, precision, files)

    def _recorded(self, variant: Variant, task: Task, inputs: list[GoldenInput]) -> Candidate:
        golden, members = record(task, variant, inputs, {})
        return Candidate(variant, golden, members, task.engine)

    def _data(self) -> tuple[Dataset | None, Dataset | None]:
        """Opens both data sets; refuses overlap."""
        calibration = self._open(self.options.calibration or self.source.calibration)
        evaluation = self._judging(self.options.evaluation or self.source.evaluation)
        asked = "int8" in self.options.precisions and self.options.locked is None
        if calibration is None and asked and self._needs_data():
            raise UsageError(f"{self.source.origin}: int8 needs data to calibrate on", "add --calib DATA")
        if calibration is not None and evaluation is not None:
            refuse_overlap(calibration.digests, evaluation.digests)
        evaluation = self._limited(evaluation)
        if self.options.locked is not None:
            self.options.locked.check_data(calibration, evaluation)
        return calibration, evaluation

    def _judging(self, specs: tuple[str, ...]) -> Dataset | None:
        """The data to measure on, all of it."""
        data = self._open(specs)
        if data is None and self.options.max_drop is not None:
            raise UsageError(f"{self.source.origin}: --max-drop needs data to measure on", "add --eval DATA")
        return data

    def _limited(self, data: Dataset | None) -> Dataset | None:
        limit = self.options.limit
        return data if data is None or limit is None else data.limited(limit)

    def _needs_data(self) -> bool:
        """Whether int8 of any graph does, so that this is told before anything is converted."""
        graphs = self.source.graphs.values() if self.source.accepts == "picture" else ()
        return any(recipe_for(graph.model, graph.spec.quantize).needs_data for graph in graphs)

    def _open(self, specs: tuple[str, ...]) -> Dataset | None:
        return open_data(specs, self.source.task, self._labels(), self.source.accepts) if specs else None

    def _labels(self) -> tuple[str, ...]:
        heads = [spec.head for spec in self.source.specs]
        members = [head.labels for head in heads if isinstance(head, ClassHead | DetectHead)]
        return read_labels(self.staging.folder / members[0]) if members else ()

    def _load(self, variant: Variant) -> Task:
        options = self.options.engine or EngineOptions(threads=default_threads())
        return make_task(self.source.task, self.source.name, variant, self.staging.folder, options=options)

    def _feeds(self, task: Task, calibration: Dataset | None) -> dict[str, Feeds]:
        if calibration is None:
            return {}
        inputs = ((sample.cluster, sample.content) for sample in calibration)
        with self.progress("calibration data", len(calibration)) as advance:
            feeds = gather(task, inputs, self.source.graphs, self.folder / "feeds", advance)
        for role, given in feeds.items():
            if not len(given):
                raise ModelError(
                    f"graph {role} was never called on the calibration data", "give it other data"
                )
        return feeds

    def _candidate(self, made: Made, feeds: dict[str, Feeds], inputs: list[GoldenInput]) -> Candidate:
        variant = self.staging.add(made.name, made.recipe, made.precision, made.models, self.source.graphs)
        task = self._load(variant)
        golden, members = record(task, variant, inputs, made.exact)
        stages = {
            role: parity(self.source.graphs[role], made.full[role], made.models[role], few(given))
            for role, given in feeds.items()
        }
        return Candidate(
            variant, golden, members, task.engine, parity=stages, layers=made.layers, recipes=made.recipes
        )

    def _judged(
        self, candidates: Sequence[Candidate], reference: Task, data: Dataset | None
    ) -> tuple[list[Candidate], AgreementMatrix | None]:
        """All candidates on the same samples: the reference runs once."""
        if data is None:
            return list(candidates), None
        gate = self.options.max_drop
        options = Options(
            max_drop=None if gate is None else gate.points, relative=gate is not None and gate.relative
        )
        sides = [TaskSide(self._load(candidate.variant)) for candidate in candidates]
        with self.progress("measure " + ", ".join(c.variant.name for c in candidates), len(data)) as advance:
            found = compare(TaskSide(reference), sides, data, options, advance=advance)
        judged = zip(candidates, found.evaluations, strict=True)
        return [replace(c, evaluation=self._pictured(e, data)) for c, e in judged], found.matrix

    def _pictured(self, evaluation: Evaluation, data: Dataset) -> Evaluation:
        if not self.options.thumbnails:
            return evaluation
        return structs.replace(evaluation, worst=illustrate(evaluation.worst, data))
