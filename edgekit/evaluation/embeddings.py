"""Recall of embeddings or, without labels, how often a sample's nearest neighbour differs."""

from __future__ import annotations

from array import array
from functools import partial

import numpy as np

from edgekit.data.sample import Sample
from edgekit.errors import DataError, UsageError
from edgekit.evaluation.measure import in_unit, of_shares
from edgekit.evaluation.outcome import Flips, Measure
from edgekit.evaluation.paired import PairedShares
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import RatioTally, Tally, agreement, share_interval
from edgekit.statistics.rank_correlation import MOST, similarity_correlation
from edgekit.statistics.recall import answerable, nearest, ranks
from edgekit.types import F32, Array, Embedding, Result

MOST_BYTES = 64 * 2**20
"""Vectors of both sides that are kept, as float32: 16,384 samples of 512 values."""

_RECALL = (
    "share of samples with one of the same label {among} of other sources, by cosine; "
    "samples whose label no other source has are left out"
)
_DISAGREEMENT = (
    "share of samples whose nearest neighbour of other sources, by cosine, is another sample than the "
    "reference's; without labels this bounds the drop of recall at 1 from above"
)
_SPEARMAN = (
    "Spearman's rank correlation of both sides' cosines over all pairs of samples from different sources (of at most "
    f"{MOST:,} samples): 1 where they order pairs alike"
)
_COSINE = "1 - cosine of both sides' vectors of a sample, mean over samples; 0 where they point the same way"


class Recall:
    """Scorer of ``embed``; see :class:`edgekit.evaluation.score.Scorer`.

    It keeps the vectors of both sides, 8 bytes a value, and compares each sample with all others: the time
    grows with the square of their number. A sample's decision is its nearest neighbour, which shows only among
    all of them: a :class:`Change` is never ``changed``, but flips and agreement count it. Severity is 1 minus
    the cosine of both vectors.

    Args:
        labelled: whether samples have a label.
        measured: whether to take recall at 5 and 10, the order of similarities and the distance of both vectors too.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        self._labelled = labelled
        self._measured = measured
        self._values = array("f"), array("f")
        self._keys: list[tuple[str, str]] = []
        self._labels = array("l")
        self._distances = RatioTally()
        self._scored: Score | None = None  # until the next sample: it takes seconds

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`.

        Raises:
            DataError: more vectors than are kept.
        """
        if not isinstance(reference, Embedding) or not isinstance(candidate, Embedding):
            raise TypeError(f"expected embeddings, got {type(reference)} and {type(candidate)}")
        vectors = reference.vector, candidate.vector
        self._check(*vectors)
        self._scored = None
        for values, vector in zip(self._values, vectors, strict=True):
            values.frombytes(np.nan_to_num(vector).astype(np.float32).tobytes())
        self._keys.append((sample.cluster, sample.id))
        self._labels.append(sample.truth if isinstance(sample.truth, int) else 0)
        distance = 1 - _cosine(*vectors)
        self._distances.add(sample.cluster, distance, 1.0)
        words = f"label {sample.truth}" if self._labelled else None
        return Change(False, distance, "", f"cosine {1 - distance:.4f}", words)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`.

        Raises:
            DataError: no sample that could find its like in another source.
        """
        if self._scored is None:
            self._scored = self._score()
        return self._scored

    def _score(self) -> Score:
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        names = [self._keys[i][0] for i in order]
        sources = np.unique(names, return_inverse=True)[1]
        labels = np.array(self._labels)[order]
        sides = [np.frombuffer(v, np.float32).reshape(len(order), -1)[order] for v in self._values]
        changed = Tally()
        neighbours = [nearest(side, sources) for side in sides]
        for name, differs in zip(names, neighbours[0] != neighbours[1], strict=True):
            changed.add(name, bool(differs))
        if (neighbours[0] < 0).all():
            raise DataError(f"all {len(names)} samples are of one source", "measure on several sources")
        if not self._labelled:
            return self._apart_score(changed, self._beside(sides, sources))
        asked = answerable(labels, sources)
        if not asked.any():
            raise DataError(
                f"no two of {len(set(names))} sources have a label in common",
                "measure on data with several samples of a class",
            )
        found = [ranks(side, labels, sources)[asked] for side in sides]
        kept_names = [n for n, kept in zip(names, asked, strict=True) if kept]
        return self._recall_score(changed, kept_names, found, self._beside(sides, sources))

    def _recall_score(
        self, changed: Tally, names: list[str], found: list[Array], beside: tuple[Measure, ...]
    ) -> Score:
        at = {k: _shares(names, found[0] < k, found[1] < k) for k in (1, 5, 10)}
        agree, agree_interval = agreement(changed)
        measures = [of_shares(f"recall_at_{k}", _meaning(k), at[k]) for k in (5, 10)]
        return Score(
            metric="recall_at_1",
            meaning=_meaning(1),
            reference=at[1].reference,
            candidate=at[1].candidate,
            drop=at[1].drop,
            interval_at=at[1].interval,
            flips=Flips(round(changed.total), at[1].lost, at[1].gained),
            agreement=agree,
            agreement_interval=agree_interval,
            clusters=len(changed),
            mcnemar_p=at[1].mcnemar_p,
            measures=(*measures, *beside) if self._measured else (),
        )

    def _apart_score(self, changed: Tally, beside: tuple[Measure, ...]) -> Score:
        agree, agree_interval = agreement(changed)
        return Score(
            metric="disagreement",
            meaning=_DISAGREEMENT,
            reference=0.0,
            candidate=changed.total / changed.n,
            drop=changed.total / changed.n,
            interval_at=partial(share_interval, changed),
            flips=Flips(round(changed.total), None, None),
            agreement=agree,
            agreement_interval=agree_interval,
            clusters=len(changed),
            mcnemar_p=None,
            measures=beside,
        )

    def _beside(self, sides: list[Array], sources: Array) -> tuple[Measure, ...]:
        """Measures of the vectors themselves."""
        if not self._measured:
            return ()
        found = similarity_correlation(sides[0], sides[1], sources)
        if found is None:
            return (self._distance(),)
        interval = found.moments.dense_interval().clipped(0.0, 2.0)
        order = in_unit("similarity_spearman", _SPEARMAN, "rho", 1.0, found.rho, 1 - found.rho, interval)
        return order, self._distance()

    def _distance(self) -> Measure:
        moments = self._distances.moments()
        interval = moments.dense_interval().clipped(0.0, 2.0)
        return in_unit("cosine_distance", _COSINE, "1 - cosine", None, None, moments.ratio, interval)

    def _check(self, reference: F32, candidate: F32) -> None:
        if len(reference) != len(candidate):
            raise UsageError(
                f"reference and candidate give vectors of {len(reference)} and {len(candidate)} values",
                "compare variants of the same model",
            )
        if 8 * (len(self._values[0]) + len(reference)) > MOST_BYTES:
            most = MOST_BYTES // (8 * len(reference))
            raise DataError(
                f"embeddings: expected at most {most:,} samples of {len(reference)} values, got more",
                f"draw some of them: --limit {most}",
            )

    def primary(self) -> Recall:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return Recall(self._labelled, measured=False)


def _meaning(k: int) -> str:
    return _RECALL.format(among="as their nearest" if k == 1 else f"among their {k} nearest")


def _shares(names: list[str], was_right: Array, is_right: Array) -> PairedShares:
    shares = PairedShares()
    for name, was, now in zip(names, was_right.tolist(), is_right.tolist(), strict=True):
        shares.add(name, was, now)
    return shares


def _cosine(first: F32, second: F32) -> float:
    """Cosine of two vectors, -1 to 1; 0 where one is zero or broken."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if not (0 < lengths < np.inf):
        return 0.0
    return float(np.clip(a @ b / lengths, -1.0, 1.0))
