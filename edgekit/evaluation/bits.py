"""Bits per byte of language models that cut texts into other tokens, such as one with a pruned vocabulary."""

from __future__ import annotations

import math
from functools import partial

from edgekit.data.sample import Sample
from edgekit.errors import UsageError
from edgekit.evaluation.divergence import finite
from edgekit.evaluation.measure import in_unit
from edgekit.evaluation.outcome import Flips, Measure
from edgekit.evaluation.parting import common
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import RatioTally, Tally, agreement
from edgekit.statistics.interval import Interval
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import Result, TokenScores

_BITS = (
    "negative log-likelihood in bits, over the bytes of the texts in UTF-8; both sides cut texts into other tokens; "
    "the drop is the candidate's rise over the reference's, in percent of the latter"
)
_TOKENS = "tokens that texts are cut into, over their bytes in UTF-8"


class BitsPerByte:
    """Scorer of language models with other tokens each; see :class:`edgekit.evaluation.score.Scorer`.

    Next-token probabilities cannot be compared. Decisions are how each side greedily goes on behind the beginning of
    a text, up to where the shorter answer ends. A change's severity is the rise in bits per byte.

    Args:
        measured: whether to count tokens too.
    """

    def __init__(self, measured: bool = True) -> None:
        self._measured = measured
        self._nats = [0.0, 0.0]  # reference, candidate
        self._bytes = 0
        self._rise, self._tokens = RatioTally(), RatioTally()
        self._counts = [0, 0]
        self._changed = Tally()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, TokenScores) or not isinstance(candidate, TokenScores):
            raise TypeError(f"expected token scores, got {type(reference)} and {type(candidate)}")
        _check(sample, reference, candidate)
        text_bytes = reference.text_bytes
        was, now = (-float(finite(side.logprob).sum()) for side in (reference, candidate))
        changed = _parted(reference.answer_text, candidate.answer_text)
        self._nats = [self._nats[0] + was, self._nats[1] + now]
        self._bytes += text_bytes
        self._rise.add(sample.cluster, now - was, was)
        self._changed.add(sample.cluster, changed)
        if self._measured:
            counts = len(reference.logprob), len(candidate.logprob)
            self._counts = [total + n for total, n in zip(self._counts, counts, strict=True)]
            self._tokens.add(sample.cluster, counts[1] - counts[0], text_bytes)
        before, after = (nats / math.log(2) / text_bytes for nats in (was, now))
        return Change(changed, max(after - before, 0.0), _words(before), _words(after), None)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        was, now = (nats / math.log(2) / self._bytes for nats in self._nats)
        agree, agree_interval = agreement(self._changed)
        return Score(
            metric="bits_per_byte",
            meaning=_BITS,
            reference=was,
            candidate=now,
            drop=self._rise.moments().ratio,
            interval_at=partial(_interval, self._rise),
            flips=Flips(round(self._changed.total), None, None),
            agreement=agree,
            agreement_interval=agree_interval,
            clusters=len(self._changed),
            mcnemar_p=None,
            measures=self._measures() if self._measured else (),
            percent=False,
        )

    def primary(self) -> BitsPerByte:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return BitsPerByte(measured=False)

    def _measures(self) -> tuple[Measure, ...]:
        was, now = (count / self._bytes for count in self._counts)
        rise = self._tokens.moments()
        return (in_unit("tokens_per_byte", _TOKENS, "tokens", was, now, rise.ratio, rise.dense_interval()),)


def _interval(rise: RatioTally, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
    return rise.moments().dense_interval(scale, confidence)


def _check(sample: Sample, reference: TokenScores, candidate: TokenScores) -> None:
    if reference.text_bytes != candidate.text_bytes:
        raise UsageError(
            f"{sample.id}: reference and candidate were given other texts: of {reference.text_bytes} and "
            f"{candidate.text_bytes} bytes",
            "record both on the same data",
        )
    if not reference.answer_text and not candidate.answer_text:
        raise UsageError(
            f"{sample.id}: reference and candidate cut the text differently, and neither says how it goes on",
            "record them again, or compare variants of the same model",
        )


def _parted(first: str, second: str) -> bool:
    """Whether one goes on otherwise than the other, up to the end of the shorter one; nothing at all parts."""
    shorter = min(len(first), len(second))
    return common(first, second) < shorter or not shorter


def _words(bits: float) -> str:
    return f"{bits:.3f} bits per byte"
