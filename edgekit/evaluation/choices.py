"""Multiple choice: the share of questions whose likeliest answer is the right one."""

from __future__ import annotations

from edgekit.data.sample import Sample
from edgekit.errors import DataError
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.share_score import share_score
from edgekit.evaluation.tally import Tally
from edgekit.types import ChoiceScores, Result

_ACCURACY = (
    "share of questions whose right answer is the likeliest of those to choose from, by the logarithm of its "
    "probability behind the question over its bytes"
)


class MultipleChoice:
    """Scorer of language models on questions; see :class:`edgekit.evaluation.score.Scorer`.

    The likelihood of an answer over its length: ``acc_norm`` of EleutherAI's lm-evaluation-harness. A change's
    severity is 2 where a right answer became wrong, 1 where another wrong one was chosen or it became right.
    """

    def __init__(self) -> None:
        self._shares, self._changed = PairedShares(), Tally()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, ChoiceScores) or not isinstance(candidate, ChoiceScores):
            raise TypeError(f"expected choice scores, got {type(reference)} and {type(candidate)}")
        n = len(reference.scores)
        if len(candidate.scores) != n or not isinstance(sample.truth, int) or not 0 <= sample.truth < n:
            raise DataError(
                f"{sample.id}: the right answer is number {sample.truth} of {n} and {len(candidate.scores)}",
                "record both on the same data",
            )
        was, now, right = reference.best, candidate.best, sample.truth
        self._shares.add(sample.cluster, was == right, now == right)
        self._changed.add(sample.cluster, was != now)
        severity = 0.0 if was == now else 2.0 if was == right else 1.0
        return Change(was != now, severity, _words(reference), _words(candidate), f"answer {right + 1}")

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        return share_score(("choice_accuracy", _ACCURACY), "", self._shares, self._changed, ())

    def primary(self) -> MultipleChoice:
        """A new one; see :class:`edgekit.evaluation.score.Scorer`."""
        return MultipleChoice()


def _words(scores: ChoiceScores) -> str:
    best = scores.best
    return f"answer {best + 1} ({float(scores.scores[best]):.3f} a byte)"
