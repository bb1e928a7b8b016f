"""Average precision of object detectors or, without the true boxes, how far they detect apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from edgekit.data.sample import Sample, TrueBoxes
from edgekit.errors import DataError
from edgekit.evaluation.class_precision import class_slices
from edgekit.evaluation.label_order import label_order
from edgekit.evaluation.measure import in_points
from edgekit.evaluation.outcome import Flips, Measure, Slice
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Change, IntervalAt, Score
from edgekit.evaluation.tally import RatioTally, Tally, agreement
from edgekit.statistics.average_precision import ap_drop
from edgekit.statistics.f1 import f1_drop
from edgekit.statistics.interval import Interval
from edgekit.statistics.matching import MOST_BOXES, Found, Matches, MatchTable, matches
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import FOUND_SCORE, Array, Detections, Result

LEAST_SCORE = FOUND_SCORE
"""Of boxes that count for F1, flips and disagreement."""

_AP = "COCO's average precision: mean over classes and over the overlaps (IoU) 0.50 to 0.95"
_AP50 = "average precision at an overlap (IoU) of 0.5, mean over classes"
_F1 = (
    f"objects found, 2 hits / (boxes + objects): boxes with a score of at least {LEAST_SCORE:g}, a hit has the "
    "class of an object and overlaps it by an IoU of at least 0.5"
)
_DISAGREEMENT = (
    "1 - F1 of the candidate's boxes against the reference's: those with a score of at least "
    f"{LEAST_SCORE:g}, alike if of one class with an IoU of at least 0.5; "
    "this does NOT bound the drop of average precision, which depends on the order of all scores as well"
)


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """One image with its true objects.

    Attributes:
        key: what images are put in order by: source and id.
        reference: what the reference's boxes are, and
        candidate: the candidate's.
        changed: classes of which both sides' boxes cannot be paired off.
    """

    key: tuple[str, str]
    reference: Matches
    candidate: Matches
    changed: Array


class AveragePrecision:
    """Scorer of ``detect``; see :class:`edgekit.evaluation.score.Scorer`.

    With true boxes it keeps about 20 bytes a box and object. An image is changed where the boxes of both sides
    with a score of at least ``LEAST_SCORE`` cannot be paired off, one to one, by class and an IoU of at least
    0.5; it is right where such boxes are the true objects without one too few or too many. A change's severity
    is how many more errors (boxes too many, objects missed) the candidate makes than the reference, over the
    objects; without true boxes, the share of both sides' boxes that stay alone.

    Args:
        labelled: whether samples have their true boxes.
        measured: whether to take AP50, F1 and the slices by class too.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        self._labelled = labelled
        self._measured = measured
        self._images: list[_Image] = []
        self._labels: tuple[str, ...] = ()
        self._scored: Score | None = None  # until the next sample: it takes seconds
        self._apart = RatioTally()
        self._changed, self._right = Tally(), PairedShares()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, Detections) or not isinstance(candidate, Detections):
            raise TypeError(f"expected detections, got {type(reference)} and {type(candidate)}")
        if reference.labels != candidate.labels:
            order = label_order(reference.labels, candidate.labels)
            index = np.argsort(order)[candidate.index].astype(candidate.index.dtype)
            candidate = replace(candidate, index=index, labels=reference.labels)
        self._scored = None
        found, other = _confident(reference), _confident(candidate)
        alone_by_class = _alone(found, other)
        alone = int(alone_by_class.sum())
        self._changed.add(sample.cluster, alone > 0)
        self._apart.add(sample.cluster, alone, len(found) + len(other))
        truth = sample.truth if isinstance(sample.truth, TrueBoxes) else None
        severity = alone / max(len(found) + len(other), 1)
        words = None
        if truth is not None:
            severity = self._add_true(sample, truth, reference, candidate, np.flatnonzero(alone_by_class))
            words = _words(truth.index[~truth.crowd], reference.labels)
        told = (_words(side.index, side.labels) for side in (found, other))
        return Change(alone > 0, severity, next(told), next(told), words)

    def _add_true(
        self, sample: Sample, truth: TrueBoxes, reference: Detections, candidate: Detections, changed: Array
    ) -> float:
        sides = [matches(side, truth.xyxy, truth.index, truth.crowd) for side in (reference, candidate)]
        self._images.append(_Image((sample.cluster, sample.id), sides[0], sides[1], changed))
        self._labels = reference.labels
        was, now = (_errors(side) for side in sides)
        self._right.add(sample.cluster, was == 0, now == 0)
        return max((now - was) / max(len(sides[0].objects), 1), 0.0)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        if self._scored is None:
            self._scored = self._ap_score() if self._labelled else self._apart_score()
        return self._scored

    def primary(self) -> AveragePrecision:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return AveragePrecision(self._labelled, measured=False)

    def _ap_score(self) -> Score:
        images = sorted(self._images, key=lambda image: image.key)
        sides = _table([image.reference for image in images]), _table([image.candidate for image in images])
        _, clusters = np.unique([image.key[0] for image in images], return_inverse=True)
        found = ap_drop(*sides, clusters)
        if found is None:
            raise DataError(f"no object in {len(images)} pictures", "measure on pictures with objects")
        agree, agree_interval = agreement(self._changed)
        changed, right = round(self._changed.total), self._right
        return Score(
            metric="ap",
            meaning=_AP,
            reference=found.reference.ap,
            candidate=found.candidate.ap,
            drop=found.drop,
            interval_at=partial(_within, found.interval, -1.0),
            flips=Flips(changed, right.lost, right.gained),
            agreement=agree,
            agreement_interval=agree_interval,
            clusters=len(self._changed),
            mcnemar_p=right.mcnemar_p,
            measures=(_ap50(sides, clusters), _f1(sides, clusters)) if self._measured else (),
            slices=self._by_class(images, sides, clusters) if self._measured else (),
        )

    def _by_class(
        self, images: Sequence[_Image], sides: tuple[Found, Found], clusters: Array
    ) -> tuple[Slice, ...]:
        return class_slices(sides, clusters, [image.changed for image in images], self._labels)

    def _apart_score(self) -> Score:
        n = self._changed.n
        if self._apart.weight == 0:
            raise DataError(
                f"neither side found an object with a score of at least {LEAST_SCORE:g} in {n} pictures",
                "measure on pictures with objects",
            )
        moments = self._apart.moments()
        agree, agree_interval = agreement(self._changed)
        return Score(
            metric="disagreement",
            meaning=_DISAGREEMENT,
            reference=0.0,
            candidate=moments.ratio,
            drop=moments.ratio,
            interval_at=partial(_within, moments.interval, 0.0),
            flips=Flips(round(self._changed.total), None, None),
            agreement=agree,
            agreement_interval=agree_interval,
            clusters=len(self._changed),
            mcnemar_p=None,
        )


def _within(
    interval_at: IntervalAt, least: float, scale: float = 1.0, confidence: float = CONFIDENCE
) -> Interval:
    return interval_at(scale, confidence).clipped(least, 1.0)


def _confident(found: Detections) -> Detections:
    """The boxes that count as found: by their score, and not more than ``MOST_BOXES`` of a class."""
    kept = np.flatnonzero(found.score >= LEAST_SCORE)
    order = kept[np.lexsort((-found.score[kept], found.index[kept]))]
    classes = found.index[order]
    rank = np.arange(len(order)) - np.searchsorted(classes, classes)
    best = np.sort(order[rank < MOST_BOXES])
    return Detections(found.xyxy[best], found.score[best], found.index[best], found.labels)


def _alone(found: Detections, other: Detections) -> Array:
    """``(classes,)`` boxes of either side that are not paired with one of the other."""
    pairs = matches(other, found.xyxy, found.index, np.zeros(len(found), bool))
    n = len(found.labels)
    both = np.bincount(found.index, minlength=n) + np.bincount(other.index, minlength=n)
    return both - 2 * np.bincount(pairs.index[pairs.hit & 1 == 1], minlength=n)


def _counts(image: Matches) -> tuple[int, int, int]:
    """Hits, boxes that count, objects; at ``LEAST_SCORE`` and an overlap of 0.5."""
    counted = (image.score >= LEAST_SCORE) & (image.ignored & 1 == 0)
    return int(np.count_nonzero(image.hit[counted] & 1)), int(counted.sum()), len(image.objects)


def _errors(image: Matches) -> int:
    hits, boxes, objects = _counts(image)
    return boxes + objects - 2 * hits


def _table(images: Sequence[Matches]) -> Found:
    table = MatchTable()
    for image in images:
        table.add(image)
    return table.found()


def _ap50(sides: tuple[Found, Found], clusters: Array) -> Measure:
    found = ap_drop(*sides, clusters, overlaps=(0,))
    assert found is not None  # there are objects, as for AP
    first, second = found.reference.ap, found.candidate.ap
    return in_points("ap50", _AP50, first, second, found.drop, _within(found.interval, -1.0))


def _f1(sides: tuple[Found, Found], clusters: Array) -> Measure:
    found = f1_drop(*sides, clusters, LEAST_SCORE)
    assert found is not None  # there are objects, as for AP
    first, second = found.reference, found.candidate
    return in_points("f1", _F1, first, second, first - second, _within(found.moments.interval, -1.0))


def _words(index: Array, labels: tuple[str, ...]) -> str:
    counts = Counter(int(i) for i in index)
    return ", ".join(f"{counts[i]} {labels[i]}" for i in sorted(counts)) or "nothing"
