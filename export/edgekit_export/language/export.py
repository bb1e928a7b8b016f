"""A text model → a bundle with its measured drop: the order of the steps, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path

from edgekit.bundle.manifest import Lock, Variant
from edgekit.cli.values import MaxDrop
from edgekit.data.dataset import Dataset, open_data, refuse_overlap
from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import engine_for
from edgekit.errors import ModelError, UsageError
from edgekit.evaluate import compare
from edgekit.evaluation.options import Options
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.machine import this_machine
from edgekit.predictions.language import LanguageSide
from edgekit.tasks.generate import Generate
from edgekit.tasks.registry import default_threads, make_task
from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.budget.frontier import Limits
from edgekit_export.budget.refusal import WayOut
from edgekit_export.candidate import Candidate
from edgekit_export.golden import GoldenInput, draw_for, golden_inputs, record
from edgekit_export.language.making import BESIDE_BYTES, check_recipe, plan_of
from edgekit_export.language.plans import TextRecipe, default_recipes, full_precision, widened
from edgekit_export.language.staged import Plan, TextStaging, stage_text
from edgekit_export.lock import text_lock
from edgekit_export.maker import Maker
from edgekit_export.package import Package, assemble
from edgekit_export.quantize.text_widths import smallest_bytes, too_small
from edgekit_export.sources.packages import file_sha256
from edgekit_export.sources.source import Source
from edgekit_export.sources.text_model import TextModel
from edgekit_export.sources.text_source import TextSource
from edgekit_export.target import target_here
from edgekit_export.variants import Format, Progress
from edgekit_export.vocabulary.model import prune_model

TASK = "generate"
DEFAULT_CONTEXT = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """What may be asked of the export of a text model.

    Attributes:
        recipes: variants to make, the default one first; empty for what the source suggests.
        formats: each of them in each of these; the reference is ONNX in any case.
        context: most tokens, of prompt and answer together; position tables are cut to it.
        calibration: ``--data`` specifications; the source's own where empty.
        evaluation: the same, for the drop; never of texts that were calibrated on, or pruned to.
        vocabulary: ``--data`` specifications of texts that the vocabulary is pruned to; empty for all of it.
        keep_tokens: most tokens that stay then; ``None`` for all that the texts use.
        max_size_bytes: of the whole ``.edge`` file.
        max_drop: gate on the upper end of the drop's interval.
        limit: measure on at most so many texts, drawn evenly.
        engine: how the engine runs while measuring: the options that ship.
        source_options: what the command line said of the source, for the lock.
    """

    recipes: tuple[TextRecipe, ...] = ()
    formats: tuple[Format, ...] = ("onnx",)
    context: int = DEFAULT_CONTEXT
    calibration: tuple[str, ...] = ()
    evaluation: tuple[str, ...] = ()
    vocabulary: tuple[str, ...] = ()
    keep_tokens: int | None = None
    max_size_bytes: int | None = None
    max_drop: MaxDrop | None = None
    limit: int | None = None
    engine: EngineOptions | None = None
    source_options: dict[str, str] = field(default_factory=dict)


def export_text(source: TextSource, out: Path, options: TextOptions, progress: Progress) -> Package:
    """Makes ``out`` and ``out``'s reference, or refuses.

    Raises:
        UsageError: data that is needed was not given, or a context that the model does not have.
        EnvironmentLacks: no engine here runs one of the formats.
        DataError, ModelError, OutputError: as their steps say.
    """
    if source.model.eyes is not None:
        raise ModelError(
            f"{source.model.origin}: also looks at pictures, which is not exported yet",
            "export a GGUF file of it, which holds the text half alone",
        )
    _check_context(source.model, options.context)
    for recipe in options.recipes:
        has_texts = bool(options.calibration or source.calibration)
        check_recipe(recipe, source.model, has_texts=has_texts, has_size=options.max_size_bytes is not None)
    if not options.vocabulary:  # what is left of one is known only when it was pruned
        refused = _too_small(source.model, out, options, spare_bytes=BESIDE_BYTES)
        if refused is not None:
            return refused
    for wanted in options.formats:
        engine_for(wanted)
    with tempfile.TemporaryDirectory(prefix="edgekit-export-") as folder:
        return _Work(
            source, options, progress, TextStaging(Path(folder) / "members", source.model.notices)
        ).package(out)


def _too_small(model: TextModel, out: Path, options: TextOptions, spare_bytes: int = 0) -> Package | None:
    """A refusal where no codes are so narrow, told before anything is made; ``None`` elsewhere.

    Args:
        model: as it will be, of its vocabulary too.
        out: of the bundle.
        options: with the limit.
        spare_bytes: how far above it the estimate may be.
    """
    limit, beside = options.max_size_bytes, _beside_bytes(model, options.context)
    if limit is None or smallest_bytes(model.shape) + beside - spare_bytes <= limit:
        return None
    least = smallest_bytes(model.shape) + beside
    reason, remedy = too_small(model.shape, limit, beside)
    way = WayOut(least, None, f"{remedy}.", reason)
    refusal = f"the size does not hold: the smallest bundle has about {least:,} bytes, over {limit:,}"
    return Package(out, None, 0, (), (), None, (), Limits(limit, None, ""), refusal=refusal, way_out=way)


def _beside_bytes(model: TextModel, context: int) -> int:
    """Bytes of a bundle beside its codes, near enough: tokenizer, vectors in float32, graphs, golden vectors."""
    shape = model.shape
    tables = len(set(shape.ropes)) * shape.head_dim * 4 * context
    norms = 4 * sum(prod(size) for size in tensor_shapes(shape).values() if len(size) == 1)
    return len(model.words.tokenizer) + tables + norms + BESIDE_BYTES


def _check_context(model: TextModel, context: int) -> None:
    if not 2 <= context <= model.shape.context:
        raise UsageError(
            f"--context {context}: {model.card.title} was made for 2 to {model.shape.context} tokens"
        )


@dataclass(frozen=True, slots=True)
class _Work:
    """One export on its way."""

    source: TextSource
    options: TextOptions
    progress: Progress
    staging: TextStaging

    def package(self, out: Path) -> Package:
        """Stages the reference and the candidates, measures them and writes what holds."""
        model, options = self.source.model, self.options
        calibration, evaluation, vocabulary = self._data()
        reference = self._staged(model, Plan("fp32", "full_precision", "fp32", full_precision(model)))
        task = self._load(reference)
        inputs = golden_inputs(task, draw_for(task))
        recipes = options.recipes or default_recipes(model)
        slim = self._slim(model, vocabulary)
        too_small = _too_small(slim, out, options)
        if too_small is not None and "mixed" in recipes:
            return too_small
        staged = [
            self._recorded(self._fitting(slim, self._plan(one, slim, calibration), wanted), inputs)
            for one in recipes
            for wanted in options.formats
        ]
        mixable = not options.recipes and calibration is not None and too_small is None
        if mixable and not any(map(self._fits, staged)):
            mixed = self._plan("mixed", slim, calibration)
            staged += [self._recorded(self._staged(slim, mixed, one), inputs) for one in options.formats]
        candidates, matrix = self._judged(staged, task, evaluation)
        full = self._recorded(reference, inputs)
        told = options.source_options
        if vocabulary is not None:
            told = {**told, "vocabulary": vocabulary.sha256, "vocabulary-tokens": str(slim.shape.vocabulary)}
        lock = text_lock(model, recipes, options.formats, calibration, evaluation, told)
        package = assemble(self._maker(lock), out, full, candidates, options.max_size_bytes)
        if too_small is not None and not package.written:
            package = replace(package, refusal=too_small.refusal, way_out=too_small.way_out)
        target = target_here(this_machine()).name
        remarks = (*slim.remarks, *self._hints(package, calibration))
        return replace(package, matrix=matrix, target=target, remark="; ".join(remarks))

    def _hints(self, package: Package, calibration: Dataset | None) -> tuple[str, ...]:
        """What was not tried where the size did not hold."""
        options = self.options
        if package.written or options.max_size_bytes is None or options.recipes or calibration is not None:
            return ()
        return ("add --calib TEXTS: then each matrix gets the width that the size leaves it (mixed)",)

    def _slim(self, model: TextModel, texts: Dataset | None) -> TextModel:
        """With the vocabulary that these texts need."""
        if texts is None:
            return model
        with self.progress("prune the vocabulary", len(texts)) as advance:
            slim, _ = prune_model(model, _told(texts, advance), keep=self.options.keep_tokens)
        before, now = model.shape.vocabulary, slim.shape.vocabulary
        said = f"{now:,} of {before:,} tokens stay: what other texts need is written in smaller pieces"
        return replace(slim, remarks=(*slim.remarks, said))

    def _data(self) -> tuple[Dataset | None, Dataset | None, Dataset | None]:
        """What to calibrate on, to measure on, and to prune the vocabulary to."""
        options = self.options
        calibration = self._open(options.calibration or self.source.calibration)
        evaluation = self._open(options.evaluation or self.source.evaluation)
        if evaluation is None and options.max_drop is not None:
            raise UsageError(
                f"{self.source.model.origin}: --max-drop needs data to measure on", "add --eval DATA"
            )
        vocabulary = self._open(options.vocabulary)
        for what, seen in (("calibration", calibration), ("vocabulary", vocabulary)):
            if seen is not None and evaluation is not None:
                refuse_overlap(seen.digests, evaluation.digests, what)
        if evaluation is not None and options.limit is not None:
            evaluation = evaluation.limited(options.limit)
        return calibration, evaluation, vocabulary

    def _open(self, specs: Sequence[str]) -> Dataset | None:
        return open_data(specs, TASK, (), "text") if specs else None

    def _plan(self, recipe: TextRecipe, model: TextModel, calibration: Dataset | None) -> Plan:
        limit = self.options.max_size_bytes
        left = None if limit is None else limit - _beside_bytes(model, self.options.context)
        return plan_of(recipe, model, calibration, left, self.progress)

    def _fits(self, candidate: Candidate) -> bool:
        limit = self.options.max_size_bytes
        return limit is None or self._files_bytes(candidate.variant) + BESIDE_BYTES <= limit

    def _files_bytes(self, variant: Variant) -> int:
        members = self.staging.members((variant,)).values()
        return sum(path.stat().st_size for path in members if isinstance(path, Path))

    def _fitting(self, model: TextModel, plan: Plan, wanted: Format) -> Variant:
        """Codes as the engine takes them, or as wide as they are where the limit of size asks for it."""
        limit = self.options.max_size_bytes
        if wanted != "onnx":
            return self._staged(model, plan, wanted)
        wide = self._staged(model, widened(plan))
        if limit is None or self._files_bytes(wide) + BESIDE_BYTES <= limit:
            return wide
        return self._staged(model, plan)

    def _staged(self, model: TextModel, plan: Plan, wanted: Format = "onnx") -> Variant:
        stage = stage_text
        if wanted == "tflite":  # its file's classes come with an extra
            from edgekit_export.tflite.staged_text import stage_tflite_text

            stage = stage_tflite_text
        with self.progress(f"write {plan.name}", model.shape.layers + 1) as advance:
            return stage(self.staging, model, plan, self.options.context, advance)

    def _load(self, variant: Variant) -> Generate:
        options = self.options.engine or EngineOptions(threads=default_threads())
        task = make_task(TASK, self.source.model.name, variant, self.staging.folder, options=options)
        assert isinstance(task, Generate)
        return task

    def _recorded(self, variant: Variant, inputs: list[GoldenInput]) -> Candidate:
        task = self._load(variant)
        golden, members = record(task, variant, inputs, {})
        return Candidate(variant, golden, members, task.engine)

    def _judged(
        self, candidates: Sequence[Candidate], reference: Generate, data: Dataset | None
    ) -> tuple[list[Candidate], AgreementMatrix | None]:
        """All candidates on the same texts: the reference runs once."""
        if data is None or not candidates:
            return list(candidates), None
        gate = self.options.max_drop
        options = Options(
            max_drop=None if gate is None else gate.points, relative=gate is not None and gate.relative
        )
        sides = [self._side(reference), *(self._side(self._load(one.variant)) for one in candidates)]
        with self.progress(
            f"measure {', '.join(one.variant.name for one in candidates)}", len(data)
        ) as advance:
            found = compare(sides[0], sides[1:], data, options, advance=advance)
        judged = zip(candidates, found.evaluations, strict=True)
        return [replace(one, evaluation=evaluation) for one, evaluation in judged], found.matrix

    def _side(self, task: Generate) -> LanguageSide:
        return LanguageSide(task, file_sha256(self.staging.folder / task.tokenizer))

    def _maker(self, lock: Lock) -> Maker:
        model = self.source.model
        card = model.card
        source = Source(model.name, model.origin, TASK, card, graphs={}, assets={})
        return Maker(source, lock, self.staging, this_machine())


def _told(texts: Dataset, advance: Callable[[], None]) -> Iterator[str]:
    for sample in texts:
        yield str(sample.content)
        advance()
