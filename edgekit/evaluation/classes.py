"""Top-1 accuracy of classifiers or, without labels, how often the best class differs."""

from __future__ import annotations

import math

from edgekit.data.sample import Sample
from edgekit.evaluation.class_measures import ClassMeasures
from edgekit.evaluation.label_order import label_order
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.share_score import share_score
from edgekit.evaluation.tally import Tally
from edgekit.types import Classification, ClassScore, Result

_TOP1 = "share of samples whose best class is their label"
_DISAGREEMENT = (
    "share of samples whose best class differs from the reference's; "
    "without labels this bounds the accuracy drop from above"
)


class TopOne:
    """Scorer of ``classify``; see :class:`edgekit.evaluation.score.Scorer`.

    A change's severity is how far apart both score the reference's best class, plus 1 if the candidate's best
    class is another one.

    Args:
        labelled: whether samples have a label.
        measured: whether to take the other measures too; they keep up to a few numbers a sample, see
            :class:`edgekit.evaluation.class_measures.ClassMeasures`.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        self._labelled = labelled
        self._shares = PairedShares()
        self._changed = Tally()
        self._measures = ClassMeasures(labelled) if measured else None

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, Classification) or not isinstance(candidate, Classification):
            raise TypeError(f"expected classifications, got {type(reference)} and {type(candidate)}")
        if reference.labels != candidate.labels:
            order = label_order(reference.labels, candidate.labels)
            candidate = Classification(candidate.scores[order], reference.labels)
        best, other = reference.top(1)[0], candidate.top(1)[0]
        changed = best.index != other.index
        self._changed.add(sample.cluster, changed)
        truth = sample.truth if isinstance(sample.truth, int) else None
        if self._labelled:
            self._shares.add(sample.cluster, best.index == truth, other.index == truth)
        if self._measures is not None:
            self._measures.add(sample.cluster, truth, reference, candidate)
        gap = abs(best.score - float(candidate.scores[best.index]))
        severity = changed + (min(gap, 1.0) if math.isfinite(gap) else 1.0)
        name = None if truth is None else reference.labels[truth]
        return Change(changed, severity, _words(best), _words(other), name)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        shares = self._shares if self._labelled else None
        measures = () if self._measures is None else self._measures.measures()
        return share_score(("top1", _TOP1), _DISAGREEMENT, shares, self._changed, measures)

    def primary(self) -> TopOne:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return TopOne(self._labelled, measured=False)


def _words(best: ClassScore) -> str:
    return f"{best.label} ({best.score:.3f})"
