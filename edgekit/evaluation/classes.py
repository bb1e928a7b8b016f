"""Top-1 accuracy of classifiers or, without labels, how often the best class differs."""

from __future__ import annotations

from edgekit.data.sample import Sample
from edgekit.errors import UsageError
from edgekit.evaluation.outcome import Flips
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import Tally, share_interval
from edgekit.statistics.interval import Interval
from edgekit.statistics.paired import mcnemar_exact, tango
from edgekit.types import Classification, ClassScore, Result

_TOP1 = "share of pictures whose best class is their label"
_DISAGREEMENT = (
    "share of pictures whose best class differs from the reference's; "
    "without labels this bounds the accuracy drop from above"
)


class TopOne:
    """Scorer of ``classify``; see :class:`edgekit.evaluation.score.Scorer`.

    A change's severity is how far apart both score the reference's best class, plus 1 if the candidate's best
    class is another one.

    Args:
        labelled: whether samples have a label.
    """

    def __init__(self, labelled: bool) -> None:
        self._labelled = labelled
        self._right = [0, 0]  # reference, candidate
        self._lost = self._gained = 0
        self._differences, self._changed = Tally(), Tally()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, Classification) or not isinstance(candidate, Classification):
            raise TypeError(f"expected classifications, got {type(reference)} and {type(candidate)}")
        if reference.labels != candidate.labels:
            raise UsageError(
                f"reference and candidate differ in their labels: {len(reference.labels)} and "
                f"{len(candidate.labels)}, or others",
                "compare variants of the same model",
            )
        best, other = reference.top(1)[0], candidate.top(1)[0]
        changed = best.index != other.index
        self._changed.add(sample.cluster, changed)
        truth = sample.truth if isinstance(sample.truth, int) else None
        if self._labelled:
            self._add_labelled(sample.cluster, best.index == truth, other.index == truth)
        lost_score = abs(best.score - float(candidate.scores[best.index]))
        name = None if truth is None else reference.labels[truth]
        return Change(changed, changed + min(lost_score, 1.0), _words(best), _words(other), name)

    def _add_labelled(self, cluster: str, was_right: bool, is_right: bool) -> None:
        self._right[0] += was_right
        self._right[1] += is_right
        self._lost += was_right and not is_right
        self._gained += is_right and not was_right
        self._differences.add(cluster, was_right - is_right)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        n = self._changed.clustering().n
        changed = round(self._changed.total)
        independent = len(self._changed) == n
        labelled = self._labelled
        return Score(
            metric="top1" if labelled else "disagreement",
            meaning=_TOP1 if labelled else _DISAGREEMENT,
            reference=self._right[0] / n if labelled else 0.0,
            candidate=(self._right[1] if labelled else changed) / n,
            drop=(self._lost - self._gained if labelled else changed) / n,
            interval_at=self._drop_interval if labelled else self._changed_interval,
            flips=Flips(changed, self._lost if labelled else None, self._gained if labelled else None),
            agreement=1 - changed / n,
            agreement_interval=_complement(self._changed_interval()),
            clusters=len(self._changed),
            mcnemar_p=mcnemar_exact(self._lost, self._gained) if labelled and independent else None,
        )

    def _drop_interval(self, scale: float = 1.0) -> Interval:
        clusters = self._differences.clustering()
        n = clusters.effective_n(scale)
        return tango(self._lost / clusters.n * n, self._gained / clusters.n * n, n)

    def _changed_interval(self, scale: float = 1.0) -> Interval:
        return share_interval(self._changed, scale)


def _complement(share: Interval) -> Interval:
    return Interval(1 - share.high, 1 - share.low)


def _words(best: ClassScore) -> str:
    return f"{best.label} ({best.score:.3f})"
