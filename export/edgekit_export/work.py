"""What every step of an export needs: its data, its graphs loaded and run, candidates written and measured."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onnx
from msgspec import structs

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import ClassHead, Variant
from edgekit.cli.values import MaxDrop, format_size
from edgekit.data.dataset import Dataset, open_data, refuse_overlap
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import ModelError, UsageError
from edgekit.evaluate import check_relative, compare
from edgekit.evaluation.options import Options
from edgekit.evaluation.origin import AgreementMatrix, Stages
from edgekit.evaluation.outcome import Evaluation
from edgekit.evaluation.worst import illustrate
from edgekit.machine import this_machine
from edgekit.predictions.side import TaskSide
from edgekit.tasks.labels import read_labels
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import default_threads, make_task
from edgekit_export.budget.latency import estimated
from edgekit_export.budget.steps import Steps
from edgekit_export.calibration import Feeds, gather
from edgekit_export.candidate import Candidate
from edgekit_export.golden import GoldenInput, record
from edgekit_export.layers.origin import few
from edgekit_export.lint import lint_variant
from edgekit_export.lock import make_lock
from edgekit_export.locked import Locked
from edgekit_export.maker import Maker
from edgekit_export.parity import parity
from edgekit_export.quantize.choose import recipe_for
from edgekit_export.quantize.precision import Precision
from edgekit_export.sources.source import Source
from edgekit_export.staging import Staging
from edgekit_export.stopwatch import Stopwatch
from edgekit_export.target import Target, target_here
from edgekit_export.variants import Format, Made, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What may be asked of an export.

    Attributes:
        precisions: variants to make, the default one first.
        formats: each precision is made in each of them; full precision, to measure against, is ONNX.
        calibration: ``--data`` specifications; the source's own where empty.
        evaluation: the same, for the drop; never of samples that were calibrated on.
        max_size_bytes: of the whole ``.edge`` file.
        max_latency_ms: of the graphs for one input, one call of each; estimated where ``target`` is not this machine's.
        max_drop: gate on the upper end of the drop's interval.
        limit: measure on at most so many samples, drawn evenly.
        thumbnails: keep small pictures of the worst samples, for a report.
        engine: how the engine runs while measuring: the options that ship.
        source_options: what the command line said of the source and drew samples by, for the lock.
        locked: a bundle whose model files are to be made again, by its recipes and from its data.
        search: look for a mixed allocation where the precisions asked for do not keep within the limits.
        resume: use what an earlier export of the same came to.
        target: the processor that the bundle is for; ``None`` for the one of this machine.
    """

    precisions: tuple[Precision, ...] = ("int8", "fp16")
    formats: tuple[Format, ...] = ("onnx",)
    calibration: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()
    max_size_bytes: int | None = None
    max_latency_ms: float | None = None
    max_drop: MaxDrop | None = None
    limit: int | None = None
    thumbnails: bool = False
    engine: EngineOptions | None = None
    source_options: Mapping[str, str] = field(default_factory=dict)
    locked: Locked | None = None
    search: bool = False
    resume: bool = True
    target: Target | None = None

    @property
    def limited(self) -> bool:
        """Whether there is a limit to keep."""
        return (self.max_size_bytes, self.max_drop, self.max_latency_ms) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Work:
    """One export on its way.

    Attributes:
        source: what is exported.
        options: what was asked for.
        progress: told about the work.
        staging: holds the files that may ship.
        folder: for everything else; temporary.
    """

    source: Source
    options: ExportOptions
    progress: Progress
    staging: Staging
    folder: Path

    def recorded(self, variant: Variant, task: Task, inputs: list[GoldenInput]) -> Candidate:
        """A staged variant with what it makes of the golden inputs."""
        golden, members = record(task, variant, inputs, {})
        return Candidate(variant, golden, members, task.engine)

    def data(self) -> tuple[Dataset | None, Dataset | None]:
        """Opens both data sets; refuses overlap."""
        calibration = self._open(self.options.calibration or self.source.calibration)
        self._check_mixed(calibration)
        evaluation = self.judging(self.options.evaluation or self.source.evaluation)
        asked = "int8" in self.options.precisions and self.options.locked is None
        if calibration is None and asked and self._needs_data():
            raise UsageError(f"{self.source.origin}: int8 needs data to calibrate on", "add --calib DATA")
        if calibration is not None and evaluation is not None:
            refuse_overlap(calibration.digests, evaluation.digests)
        evaluation = self.limited(evaluation)
        if self.options.locked is not None:
            self.options.locked.check_data(calibration, evaluation)
        return calibration, evaluation

    def _check_mixed(self, calibration: Dataset | None) -> None:
        options = self.options
        if "mixed" not in options.precisions or options.locked is not None:
            return
        if not options.limited:
            raise UsageError(
                "recipe mixed: has no limit to keep", "add --max-size, --max-drop or --max-latency"
            )
        if options.max_latency_ms is not None and "tflite" in options.formats:
            raise UsageError(
                "recipe mixed: --max-latency chooses among kernels of ONNX only", "use --format onnx"
            )
        if calibration is None:
            raise UsageError(f"{self.source.origin}: mixed needs data to calibrate on", "add --calib DATA")

    def judging(self, specs: tuple[str, ...]) -> Dataset | None:
        """The data to measure on, all of it."""
        data, gate = self._open(specs), self.options.max_drop
        if data is None and gate is not None:
            raise UsageError(f"{self.source.origin}: --max-drop needs data to measure on", "add --eval DATA")
        if data is not None:
            check_relative(gate is not None and gate.relative, self.source.task, data)
        return data

    def limited(self, data: Dataset | None) -> Dataset | None:
        """As many samples as shall be measured on."""
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

    def load(self, variant: Variant) -> Task:
        """The task of a staged variant, by the options that ship."""
        options = self.options.engine or EngineOptions(threads=default_threads())
        return make_task(self.source.task, self.source.name, variant, self.staging.folder, options=options)

    def feeds(self, task: Task, calibration: Dataset | None) -> dict[str, Feeds]:
        """Role → what each graph is given on the calibration data; empty without.

        Raises:
            ModelError: a graph was never called.
        """
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

    def candidate(self, made: Made, feeds: dict[str, Feeds], inputs: list[GoldenInput]) -> Candidate:
        """Stages a variant, and records it beside its stages' parity on feeds, if there are any."""
        variant = self.staging.add(made.name, made.recipe, made.precision, made.models, self.source.graphs)
        task = self.load(variant)
        golden, members = record(task, variant, inputs, made.exact)
        return Candidate(
            variant,
            golden,
            members,
            task.engine,
            parity=self.stages(made, feeds),
            layers=made.layers,
            recipes=made.recipes,
            modes=made.modes,
        )

    def stages(self, made: Made, feeds: Mapping[str, Feeds]) -> dict[str, Stages]:
        """Role → framework, export and reduction side by side."""
        return {
            role: parity(self.source.graphs[role], made.full[role], made.models[role], few(given))
            for role, given in feeds.items()
        }

    def judged(
        self,
        candidates: Sequence[Candidate],
        reference: Task,
        data: Dataset | None,
        looks: int = 1,
        steps: Steps | None = None,
    ) -> tuple[list[Candidate], AgreementMatrix | None]:
        """All candidates on the same samples: the reference runs once.

        Args:
            candidates: staged.
            reference: in full precision.
            data: to measure on; ``None`` leaves the candidates as they are.
            looks: at the gate, to stop early.
            steps: keep the predictions, so that a measurement that was killed goes on.
        """
        if data is None or not candidates:
            return list(candidates), None
        gate = self.options.max_drop
        options = Options(
            max_drop=None if gate is None else gate.points,
            relative=gate is not None and gate.relative,
            looks=looks,
        )
        sides = [TaskSide(reference), *(TaskSide(self.load(candidate.variant)) for candidate in candidates)]
        named = ", ".join(f"{c.variant.name} of {format_size(c.variant.bytes)}" for c in candidates)
        with ExitStack() as stack:
            advance = stack.enter_context(self.progress(f"measure {named}", len(data)))
            journal = None
            if steps is not None:
                measurement = self._measurement(candidates, data, options)
                journal = stack.enter_context(
                    closing(steps.journal(measurement, [side.labels for side in sides]))
                )
            found = compare(sides[0], sides[1:], data, options, journal=journal, advance=advance)
        judged = zip(candidates, found.evaluations, strict=True)
        return [replace(c, evaluation=self._pictured(e, data)) for c, e in judged], found.matrix

    def _measurement(
        self, candidates: Sequence[Candidate], data: Dataset, options: Options
    ) -> Mapping[str, Any]:
        """Everything that predictions and the order of samples follow from; full precision is the steps' own."""
        members = self.staging.members(tuple(candidate.variant for candidate in candidates))
        files = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in members.items()}
        return {
            "variants": [repr(candidate.variant) for candidate in candidates],
            "files": files,
            "data": data.sha256,
            "picked": list(data.numbers),
            "options": repr(options),
            "engine": repr(self.options.engine),
        }

    def maker(
        self, candidates: Sequence[Candidate], calibration: Dataset | None, evaluation: Dataset | None
    ) -> Maker:
        """What writes bundles of these candidates."""
        options = self.options
        recipes = {candidate.variant.name: candidate.recipes for candidate in candidates}
        asked = options.precisions, options.formats
        lock = make_lock(self.source, *asked, calibration, evaluation, recipes, options.source_options)
        return Maker(self.source, lock, self.staging, this_machine())

    @property
    def target(self) -> Target:
        """The processor that the bundle is for."""
        return self.options.target or target_here(this_machine())

    def stopwatch(
        self,
        reference: Task | None,
        inputs: Sequence[GoldenInput],
        full: Mapping[str, onnx.ModelProto],
        feeds: Mapping[str, Feeds],
    ) -> Stopwatch:
        """What times candidates, by the options that ship.

        Args:
            reference: full precision, if there is any.
            inputs: golden inputs.
            full: role → normalised float graph, to estimate another processor's time by.
            feeds: role → what it was given.
        """
        target, elsewhere = self.target, {}
        if target is not target_here(this_machine()):
            threads = None if self.options.engine is None else self.options.engine.threads
            elsewhere = {
                role: estimated(full[role], feeds[role][0], target, threads)
                for role in full
                if len(feeds[role])
            }
        contents = [one.content for one in inputs]
        return Stopwatch(self.load, reference, contents, elsewhere, self.options.max_latency_ms)

    def linted(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """With what the kernel lint has to say of the staged files."""
        found = []
        with self.progress("lint", len(candidates)) as advance:
            for one in candidates:
                said = lint_variant(one.variant, self.staging.folder, self.target, one.parity or {})
                found.append(replace(one, warnings=said))
                advance()
        return tuple(found)

    def _pictured(self, evaluation: Evaluation, data: Dataset) -> Evaluation:
        if not self.options.thumbnails:
            return evaluation
        return structs.replace(evaluation, worst=illustrate(evaluation.worst, data))
