"""A language model → a bundle with its measured drop: the order of the steps, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

from edgekit.bundle.manifest import Lock, Variant
from edgekit.cli.values import MaxDrop
from edgekit.data.dataset import Dataset, open_data, refuse_overlap
from edgekit.engines.protocol import EngineOptions
from edgekit.engines.registry import engine_for
from edgekit.errors import UsageError
from edgekit.evaluate import compare
from edgekit.evaluation.options import Options
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.machine import this_machine
from edgekit.predictions.language import LanguageSide
from edgekit.predictions.question import QuestionSide
from edgekit.predictions.side import Side
from edgekit.tasks.generate import Generate
from edgekit.tasks.registry import default_threads, make_task
from edgekit.tasks.vision_language import VisionLanguage
from edgekit_export.architectures.vision import image_tokens
from edgekit_export.candidate import Candidate
from edgekit_export.golden import GoldenInput, draw_for, golden_inputs, record
from edgekit_export.language.calibrated import Calibrated, of_questions, of_texts
from edgekit_export.language.making import BESIDE_BYTES, check_recipe, plain_bytes, plan_of
from edgekit_export.language.plans import TextRecipe, default_recipes, full_precision, widened
from edgekit_export.language.refusal import beside_bytes, refused_size
from edgekit_export.language.staged import Plan, TextStaging, stage_text
from edgekit_export.lock import text_lock
from edgekit_export.maker import Maker
from edgekit_export.package import Package, assemble
from edgekit_export.sources.packages import file_sha256
from edgekit_export.sources.source import Source
from edgekit_export.sources.text_model import TextModel
from edgekit_export.sources.text_source import TextSource
from edgekit_export.target import target_here
from edgekit_export.variants import Format, Progress
from edgekit_export.vision.staged import stage_towers, with_towers
from edgekit_export.vocabulary.model import prune_model

DEFAULT_CONTEXT = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """What may be asked of the export of a language model.

    Attributes:
        recipes: variants to make, the default one first; empty for what the source suggests.
        formats: each of them in each of these; the reference is ONNX in any case.
        context: most tokens, of prompt and answer together; position tables are cut to it.
        image_sizes: of a model that looks at pictures, sides of a tile in pixels, a variant each; the processor's own
            where empty.
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
    image_sizes: tuple[int, ...] = ()
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
        UsageError: data that is needed was not given, a context or size of picture that the model does not have, or
            what models that look at pictures are not exported with.
        EnvironmentLacks: no engine here runs one of the formats.
        DataError, ModelError, OutputError: as their steps say.
    """
    _check_context(source.model, options.context)
    _check_eyes(source.model, options)
    for recipe in options.recipes:
        has_texts = bool(options.calibration or source.calibration)
        check_recipe(recipe, source.model, has_texts=has_texts, has_size=options.max_size_bytes is not None)
    if not options.vocabulary:  # what is left of one is known only when it was pruned
        limit, made = options.max_size_bytes, (options.context, options.image_sizes)
        refused = refused_size(source.model, out, limit, *made, spare_bytes=BESIDE_BYTES)
        if refused is not None:
            return refused
    for wanted in options.formats:
        engine_for(wanted)
    with tempfile.TemporaryDirectory(prefix="edgekit-export-") as folder:
        return _Work(
            source, options, progress, TextStaging(Path(folder) / "members", source.model.notices)
        ).package(out)


def _check_context(model: TextModel, context: int) -> None:
    if not 2 <= context <= model.shape.context:
        raise UsageError(
            f"--context {context}: {model.card.title} was made for 2 to {model.shape.context} tokens"
        )


def _check_eyes(model: TextModel, options: TextOptions) -> None:
    if model.eyes is None:
        if options.image_sizes:
            raise UsageError(f"--image-size: {model.card.title} looks at no pictures", "leave it out")
        return
    for size in options.image_sizes or (model.eyes.tiles.size,):
        tokens = image_tokens(model.eyes.shape, size)
        if tokens >= options.context:
            raise UsageError(
                f"--context {options.context}: a picture of {size} pixels takes {tokens} tokens",
                "choose a longer context, or a smaller --image-size",
            )
    if options.vocabulary:
        raise UsageError(f"--vocabulary: {model.card.title} looks at pictures", "leave it out")


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
        reference = self._staged(model, full_precision(model))[0]
        task = self._load(reference)
        with self.progress("golden inputs", None):
            inputs = golden_inputs(task, draw_for(task))
        recipes = options.recipes or self._recipes(model)
        slim = self._slim(model, vocabulary)
        too_small = refused_size(slim, out, options.max_size_bytes, *self._made_for)
        if too_small is not None and "mixed" in recipes:
            return too_small
        calibrated = lru_cache(maxsize=1)(lambda: self._calibrated(slim, task, calibration))
        staged = [
            self._recorded(variant, inputs)
            for plan in (self._plan(one, slim, calibrated) for one in recipes)
            for wanted in options.formats
            for variant in self._fitting(slim, plan, wanted)
        ]
        data = calibration is not None or model.eyes is not None
        mixable = data and not options.recipes and too_small is None and "mixed" not in recipes
        if mixable and not any(map(self._fits, staged)):
            mixed = self._plan("mixed", slim, calibrated)
            made = [variant for one in options.formats for variant in self._staged(slim, mixed, one)]
            staged += [self._recorded(variant, inputs) for variant in made]
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

    def _recipes(self, model: TextModel) -> tuple[TextRecipe, ...]:
        """The default ones; where it is known that one width is too large and another can be chosen, that."""
        limit = self.options.max_size_bytes
        if limit is None or model.eyes is None:
            return default_recipes(model)
        return ("mixed",) if plain_bytes(model, "int8") > limit else default_recipes(model)

    def _hints(self, package: Package, calibration: Dataset | None) -> tuple[str, ...]:
        """What was not tried where the size did not hold."""
        options = self.options
        asked = options.max_size_bytes is not None and not options.recipes
        if package.written or not asked or calibration is not None or self.source.model.eyes is not None:
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
        seen = self.source.model.eyes is not None
        return open_data(specs, self._task, (), "question" if seen else "text") if specs else None

    @property
    def _task(self) -> str:
        return "generate" if self.source.model.eyes is None else "vision_language"

    def _calibrated(self, model: TextModel, task: Generate, calibration: Dataset | None) -> Calibrated | None:
        """What weights are fitted to; ``None`` without data."""
        if calibration is None:
            return None
        if not isinstance(task, VisionLanguage) or model.eyes is None:
            return of_texts(model, calibration)
        patches = (task.vision.input.size // model.eyes.shape.patch) ** 2
        with self.progress("ask the calibration's questions", None) as advance:
            return of_questions(task, calibration, patches, advance)

    def _plan(
        self, recipe: TextRecipe, model: TextModel, calibrated: Callable[[], Calibrated | None]
    ) -> Plan:
        limit = self.options.max_size_bytes
        left = None if limit is None else limit - beside_bytes(model, *self._made_for)
        fitted = None if recipe == "stored" else calibrated()
        return plan_of(recipe, model, fitted, left, self.progress)

    @property
    def _made_for(self) -> tuple[int, tuple[int, ...]]:
        return self.options.context, self.options.image_sizes

    def _fits(self, candidate: Candidate) -> bool:
        return self._small((candidate.variant,))

    def _small(self, variants: tuple[Variant, ...]) -> bool:
        limit = self.options.max_size_bytes
        members = self.staging.members(variants).values()
        size = sum(path.stat().st_size for path in members if isinstance(path, Path))
        return limit is None or size + BESIDE_BYTES <= limit

    def _fitting(self, model: TextModel, plan: Plan, wanted: Format) -> tuple[Variant, ...]:
        """Codes as the engine takes them, or as wide as they are where the limit of size asks for it."""
        if wanted != "onnx":
            return self._staged(model, plan, wanted)
        wide = self._staged(model, widened(plan))
        return wide if self._small(wide) else self._staged(model, plan)

    def _staged(self, model: TextModel, plan: Plan, wanted: Format = "onnx") -> tuple[Variant, ...]:
        """Of a model that looks at pictures a variant for each size of them."""
        stage, stage_eyes = stage_text, stage_towers
        if wanted == "tflite":  # its file's classes come with an extra
            from edgekit_export.tflite.staged_text import stage_tflite_text, stage_tflite_towers

            stage, stage_eyes = stage_tflite_text, stage_tflite_towers
        eyes, steps = model.eyes, model.shape.layers + 1
        if eyes is None:
            with self.progress(f"write {plan.name}", steps) as advance:
                return (stage(self.staging, model, plan, self.options.context, advance),)
        sizes = self.options.image_sizes or (eyes.tiles.size,)
        with self.progress(f"write {plan.name}", steps + len(sizes) * (eyes.shape.layers + 1)) as advance:
            variant = stage(self.staging, model, plan, self.options.context, advance)
            towers = stage_eyes(self.staging.folder, eyes, plan, sizes, advance)
            return with_towers(self.staging.folder, variant, sizes, towers)

    def _load(self, variant: Variant) -> Generate:
        options = self.options.engine or EngineOptions(threads=default_threads())
        task = make_task(self._task, self.source.model.name, variant, self.staging.folder, options=options)
        assert isinstance(task, Generate)
        return task

    def _recorded(self, variant: Variant, inputs: list[GoldenInput]) -> Candidate:
        with self.progress(f"record {variant.name}", None):
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

    def _side(self, task: Generate) -> Side:
        if isinstance(task, VisionLanguage):
            return QuestionSide(task)
        return LanguageSide(task, file_sha256(self.staging.folder / task.tokenizer))

    def _maker(self, lock: Lock) -> Maker:
        model = self.source.model
        card = model.card
        source = Source(model.name, model.origin, self._task, card, graphs={}, assets={})
        return Maker(source, lock, self.staging, this_machine())


def _told(texts: Dataset, advance: Callable[[], None]) -> Iterator[str]:
    for sample in texts:
        yield str(sample.content)
        advance()
