"""Looking for a mixed allocation within one export: when, with what, and what comes of it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgekit.bundle.cache import cache_root
from edgekit.data.dataset import Dataset
from edgekit.evaluation.origin import AgreementMatrix
from edgekit.evaluation.outcome import Evaluation
from edgekit.machine import this_machine
from edgekit.tasks.protocol import Task
from edgekit_export.budget.allocation import Modes
from edgekit_export.budget.mixing import Mixing, mixing
from edgekit_export.budget.search import Found, Trial, holds_again, search
from edgekit_export.budget.steps import Steps
from edgekit_export.budget.trials import BundleTrials
from edgekit_export.calibration import Feeds
from edgekit_export.candidate import Candidate
from edgekit_export.golden import GoldenInput
from edgekit_export.lock import tools_here
from edgekit_export.stopwatch import Stopwatch
from edgekit_export.variants import Format, FullPrecision, Made
from edgekit_export.work import Work

LOOKS = 4
"""At the gate, while a trial is measured: most are clear early."""
_SCHEMA = 2
"""Of the steps: one more when what they hold, or how it comes about, changes within a version of edgekit."""


@dataclass(slots=True, eq=False)
class Job:
    """What an export has in hand when it begins to look.

    Attributes:
        work: the export.
        full: graphs in full precision.
        reference: their task, loaded.
        feeds: role → calibration data.
        inputs: golden inputs.
        judged: candidates that were measured already.
        steps: what was come to so far.
        calibration: what was calibrated on.
        evaluation: what drops are measured on, if anything.
        formats: of the variants to make.
        stopwatch: times them.
    """

    work: Work
    full: FullPrecision
    reference: Task
    feeds: dict[str, Feeds]
    inputs: list[GoldenInput]
    judged: Sequence[Candidate]
    steps: Steps
    calibration: Dataset
    evaluation: Dataset | None
    formats: tuple[Format, ...]
    stopwatch: Stopwatch


@dataclass(frozen=True, slots=True, eq=False)
class Searched:
    """What came of looking.

    Attributes:
        candidates: the mixed variants that hold, in the order of formats; none if the search failed.
        trials: all that were measured.
        smallest_bytes: of the bundle that a search found to hold the drop; ``None`` if it found none.
        least_bytes: of any bundle, each weight as narrow as it gets.
        weights: numbers in all layers.
        max_ms: limit of time that it was to keep, if any.
        least_ms: of all that were written and timed, whatever their drop; ``None`` where no time was limited.
        matrix: agreement of the chosen one with full precision.
    """

    candidates: tuple[Candidate, ...]
    trials: tuple[Trial, ...]
    smallest_bytes: int | None
    least_bytes: int
    weights: int
    max_ms: float | None = None
    least_ms: float | None = None
    matrix: AgreementMatrix | None = None

    def beside(self, others: Sequence[Candidate], precisions: Sequence[str]) -> list[Candidate]:
        """The mixed variants where they were asked for, else before all others."""
        place = precisions.index("mixed") if "mixed" in precisions else 0
        formats = max(len(others) // max(len([p for p in precisions if p != "mixed"]), 1), 1)
        return [*others[: place * formats], *self.candidates, *others[place * formats :]]


def wants_mixed(
    work: Work, judged: Sequence[Candidate], calibration: Dataset, evaluation: Dataset | None
) -> bool:
    """Whether a mixed allocation is to be looked for: it was asked for, or nothing else keeps within the limits."""
    options = work.options
    if options.locked is not None:
        return False
    if "mixed" in options.precisions:
        return True
    if not options.search or not options.limited:
        return False
    if options.max_latency_ms is not None and "tflite" in options.formats:
        return False  # times are told of ONNX kernels
    maker = work.maker(judged, calibration, evaluation)
    most = options.max_size_bytes
    return not any(c.holds and (most is None or maker.size([c]) <= most) for c in judged)


def look_for_mixed(job: Job) -> Searched:
    """Measures the choices, searches, and makes what holds."""
    shop = _Shop.open(job)
    options = job.work.options
    trials = BundleTrials(shop.mixing.tables, shop, options.max_latency_ms)
    gated, most = options.max_drop is not None, options.max_size_bytes
    if options.max_latency_ms is not None and not gated and most is None:
        most = trials.largest_bytes  # all that counts is time: the least noise within it
    span = trials.smallest_bytes, trials.largest_bytes, most
    found = search(trials, *span, gated=gated, known_bytes=_known(job, shop))
    weights = sum(graph.weights for graph in shop.mixing.tables.graphs.values())
    least_ms = trials.least_ms if math.isfinite(trials.least_ms) else None
    searched = Searched(
        candidates=(),
        trials=tuple(found.trials),
        smallest_bytes=found.smallest_bytes,
        least_bytes=span[0],
        weights=weights,
        max_ms=options.max_latency_ms,
        least_ms=least_ms,
    )
    for trial in _in_order(found):
        candidate = trials.again(trial)
        final = trial.evaluation if shop.final is trial.evaluation else shop.judge(candidate, final=True)
        if final is None or final.holds:
            timing = trial.candidate.timing
            first = shop.checked(replace(candidate, evaluation=final, timing=timing))
            made = [first, *map(shop.checked, shop.others(trial))]
            made = job.stopwatch.timed(made) if timing is None else made
            return replace(searched, candidates=tuple(made), matrix=shop.matrix)
    if found.chosen is not None:  # what was clear early did not hold on all data
        return replace(searched, smallest_bytes=_known(job, shop))
    return searched


def _known(job: Job, shop: _Shop) -> int | None:
    """Bytes of the smallest bundle of those measured already that will hold the drop on other samples too."""
    return min(
        (
            shop.size(c)
            for c in job.judged
            if c.evaluation is not None and c.holds and holds_again(c.evaluation, shop.samples)
        ),
        default=None,
    )


def _in_order(found: Found) -> list[Trial]:
    """What may ship, the best first: the one chosen, then larger ones that held."""
    if found.chosen is None:
        return []
    larger = [t for t in found.trials if t.holds and t.bytes > found.chosen.bytes]
    return [found.chosen, *sorted(larger, key=lambda t: t.bytes)]


@dataclass(slots=True, eq=False)
class _Shop:
    """Writes candidates and measures them; see :class:`edgekit_export.budget.trials.Workshop`."""

    job: Job
    mixing: Mixing
    matrix: AgreementMatrix | None = None
    final: Evaluation | None = None
    made: dict[str, Made] = field(default_factory=dict)

    @classmethod
    def open(cls, job: Job) -> _Shop:
        """With every choice measured."""
        limited = job.work.options.max_latency_ms is not None
        clocks = job.stopwatch.clocks(job.reference.threads) if limited else {}
        measured = mixing(job.full, job.feeds, job.steps, job.work.progress, clocks, job.formats[0])
        return cls(job, measured)

    @property
    def samples(self) -> int:
        """That there are to measure on."""
        return 0 if self.job.evaluation is None else len(self.job.evaluation)

    def make(self, modes: Modes) -> Candidate:
        """The candidate of an allocation, in the first format."""
        return self._made(modes, self.job.formats[:1])[0]

    def others(self, trial: Trial) -> list[Candidate]:
        """The same allocation in the other formats, measured."""
        if len(self.job.formats) == 1:
            return []
        candidates = self._made(trial.allocation.modes, self.job.formats)[1:]
        judged, _ = self.job.work.judged(
            candidates, self.job.reference, self.job.evaluation, steps=self.job.steps
        )
        return judged

    def _made(self, modes: Modes, formats: tuple[Format, ...]) -> list[Candidate]:
        job = self.job
        made = self.mixing.make(modes, formats, job.feeds, job.work.progress)
        self.made = {one.name: one for one in made}
        return [job.work.candidate(one, {}, job.inputs) for one in made]

    def checked(self, candidate: Candidate) -> Candidate:
        """With its stages' parity, which only what ships is asked for."""
        made = self.made[candidate.variant.name]
        return replace(candidate, parity=self.job.work.stages(made, self.job.feeds))

    def size(self, candidate: Candidate) -> int:
        """Bytes of a bundle that holds it alone."""
        return self.job.work.maker([candidate], self.job.calibration, self.job.evaluation).size([candidate])

    def time(self, candidate: Candidate) -> tuple[Candidate, float]:
        """The candidate with its time, and the milliseconds that count."""
        (timed,) = self.job.stopwatch.timed([candidate])
        assert timed.timing is not None
        return timed, timed.timing.counted_ms

    def judge(self, candidate: Candidate, *, final: bool) -> Evaluation | None:
        """Its drop; on all data if ``final``."""
        job = self.job
        judged, matrix = job.work.judged(
            [candidate], job.reference, job.evaluation, looks=1 if final else LOOKS, steps=job.steps
        )
        evaluation = judged[0].evaluation
        if final:
            self.final, self.matrix = evaluation, matrix
        return evaluation


def steps_of(work: Work, full: FullPrecision, calibration: Dataset | None) -> Steps | None:
    """Where an export that has limits to keep puts what it has come to; others are short, and keep nothing.

    Raises:
        OutputError: the folder cannot be made.
    """
    options = work.options
    if calibration is None or not options.limited:
        return None
    graphs = {role: model.SerializeToString(deterministic=True) for role, model in full.onnx.items()}
    identity = {
        "schema": _SCHEMA,
        "task": work.source.task,
        "graphs": _digests(graphs),
        "specs": {role: repr(graph.spec) for role, graph in full.graphs.items()},
        "assets": _digests(work.source.assets),
        "calibration": calibration.sha256,
        "engine": repr(options.engine),
        "tools": tools_here(options.formats),
        "features": list(this_machine().features),
    }
    return Steps(cache_root() / "export", identity, resume=options.resume)


def _digests(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}
