"""How one candidate stands against its reference: everything that is kept of it while samples come in."""

from __future__ import annotations

from collections.abc import Callable

from edgekit.data.sample import Sample
from edgekit.errors import UsageError
from edgekit.evaluation.activity import FrameAgreement
from edgekit.evaluation.answers import ExactMatch
from edgekit.evaluation.boxes import AveragePrecision
from edgekit.evaluation.classes import TopOne
from edgekit.evaluation.embeddings import Recall
from edgekit.evaluation.judgement import judge
from edgekit.evaluation.language import language_scorer
from edgekit.evaluation.measure import rounded
from edgekit.evaluation.noise import OutputNoise
from edgekit.evaluation.options import Options
from edgekit.evaluation.outcome import Data, Evaluation, Look
from edgekit.evaluation.score import Score, Scorer
from edgekit.evaluation.slices import Slices, parts_of
from edgekit.evaluation.text import CharacterErrors, WordErrors
from edgekit.evaluation.worst import WorstSamples
from edgekit.statistics.gate import least_n
from edgekit.statistics.interval import Interval
from edgekit.types import Result

SCORERS: dict[str, Callable[[bool], Scorer]] = {
    "activity": FrameAgreement,
    "classify": TopOne,
    "ocr": CharacterErrors,
    "detect": AveragePrecision,
    "transcribe": WordErrors,
    "vision_language": ExactMatch,
    "embed": Recall,
    "generate": language_scorer,
}
"""Task name → its scorer, which is told whether samples have a truth."""


class Standing:
    """Scores, slices, noise and worst samples of one candidate.

    Args:
        task: name of the task.
        labelled: whether samples have a truth.
        options: gate and conditions.

    Raises:
        UsageError: a task without a metric.
    """

    def __init__(self, task: str, labelled: bool, options: Options) -> None:
        if task not in SCORERS:
            raise UsageError(f"validate: no metric for the task {task!r}", f"tasks: {', '.join(SCORERS)}")
        self._task = task
        self._options = options
        self._scorer = SCORERS[task](labelled)
        self._slices = Slices(self._scorer.primary)
        self._noise = OutputNoise()
        self._worst = WorstSamples(options.worst)
        self._looks: list[Look] = []
        self._n = 0

    def add(
        self,
        number: int,
        condition: str,
        sample: Sample,
        reference: Result,
        candidate: Result,
        noise: tuple[float, float] | None,
    ) -> None:
        """Adds one sample; under a condition it counts for that condition's slice only."""
        changes = [
            self._slices.add(kind, name, sample, reference, candidate)
            for kind, name in parts_of(sample, reference, condition)
        ]
        if condition:
            change = changes[0]
        else:
            self._n += 1
            change = self._scorer.add(sample, reference, candidate)
            if noise is not None:
                self._noise.add(*noise)
        if change is not None:
            self._worst.add(number, condition, sample, change)

    def look(self, confidence: float) -> bool:
        """Looks at the gate with this confidence; whether the verdict is clear."""
        score = self._scorer.score()
        judgement = judge(score, self._n, self._limit(score), confidence)
        interval = _percents(score.interval_at(1.0, confidence))
        self._looks.append(Look(self._n, confidence, interval, judgement.verdict))
        return judgement.verdict in ("PASS", "FAIL")

    def evaluation(self, data: Data) -> Evaluation:
        """What was found, by the confidence of the last look."""
        score, look = self._scorer.score(), self._looks[-1]
        limit = self._limit(score)
        judgement = judge(score, self._n, limit, look.confidence)
        return Evaluation(
            task=self._task,
            metric=score.metric,
            meaning=score.meaning,
            n=self._n,
            clusters=score.clusters,
            unit="sample" if score.clusters == self._n else "source",
            reference=_percent(score.reference) if score.percent else rounded(score.reference),
            candidate=_percent(score.candidate) if score.percent else rounded(score.candidate),
            drop=_percent(score.drop),
            interval=look.interval,
            confidence=look.confidence,
            flips=score.flips,
            agreement=_percent(score.agreement),
            agreement_interval=_percents(score.agreement_interval),
            mcnemar_p=score.mcnemar_p,
            sqnr_db=self._noise.sqnr.db,
            sqnr_n=self._noise.sqnr.samples,
            identical=self._noise.sqnr.identical,
            verdict=judgement.verdict,
            reason=judgement.reason,
            max_drop=None if limit is None else rounded(limit),
            needed_n=judgement.needed_n,
            least_n=least_n(limit / 100, look.confidence) if limit is not None and score.percent else None,
            data=data,
            worst=self._worst.worst(),
            measures=score.measures,
            slices=(*self._slices.slices(look.confidence), *score.slices),
            untold=self._slices.untold,
            looks=tuple(self._looks),
        )

    def _limit(self, score: Score) -> float | None:
        limit = self._options.max_drop
        if limit is None or not self._options.relative or not score.percent:
            return limit
        return limit * score.reference


def _percents(interval: Interval) -> tuple[float, float]:
    return _percent(interval.low), _percent(interval.high)


def _percent(fraction: float) -> float:
    return rounded(100 * fraction)
