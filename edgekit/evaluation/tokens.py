"""Perplexity of language models over given texts."""

from __future__ import annotations

import math

import numpy as np

from edgekit.data.sample import Sample
from edgekit.errors import UsageError
from edgekit.evaluation.divergence import divergence, finite
from edgekit.evaluation.measure import in_points, in_unit
from edgekit.evaluation.outcome import Flips, Measure
from edgekit.evaluation.parting import Parting
from edgekit.evaluation.score import Change, Score
from edgekit.evaluation.tally import RatioTally, Tally
from edgekit.statistics.interval import Interval
from edgekit.statistics.quantiles import CONFIDENCE
from edgekit.types import Result, TokenScores

_PERPLEXITY = (
    "exp of the mean negative log-likelihood of a token; "
    "the drop is the candidate's rise over the reference's, in percent of the latter"
)
_BITS = "negative log-likelihood in bits, over the bytes of the texts in UTF-8"
_KL = (
    "Kullback-Leibler divergence of the candidate's next-token probabilities from the reference's over the whole "
    "vocabulary, mean over tokens"
)
_KL_AT_LEAST = (
    "Kullback-Leibler divergence of the candidate's next-token probabilities from the reference's, mean over "
    "tokens; a lower bound: tokens that are not among the likeliest of both count as one"
)
_TOKENS = "share of places at which the likeliest next token differs"
_AGAIN = "compare variants of the same model"
_MOST_NATS = 700.0  # exp of more is no float64


class Perplexity:
    """Scorer of language models that cut texts alike; see :class:`edgekit.evaluation.score.Scorer`.

    Texts are their own truth. Decisions are the likeliest next tokens: ``agreement`` is their share of equal
    ones, and ``flips.changed`` counts texts in which one differs. A change's severity is the rise of the mean
    negative log-likelihood in nats.

    Args:
        labelled: ignored.
        measured: whether to take divergence and bits per byte too.
    """

    def __init__(self, labelled: bool, measured: bool = True) -> None:
        self._measured = measured
        self._loss = [0.0, 0.0]  # reference, candidate
        self._rise, self._bits = RatioTally(), RatioTally()
        self._divergence, self._tokens = RatioTally(), RatioTally()
        self._exact = True  # of every divergence so far
        self._parting = Parting()
        self._changed = Tally()

    def add(self, sample: Sample, reference: Result, candidate: Result) -> Change:
        """Adds one sample; see :class:`edgekit.evaluation.score.Scorer`."""
        if not isinstance(reference, TokenScores) or not isinstance(candidate, TokenScores):
            raise TypeError(f"expected token scores, got {type(reference)} and {type(candidate)}")
        tokens = len(reference.logprob)
        if tokens != len(candidate.logprob) or reference.text_bytes != candidate.text_bytes:
            raise UsageError(
                f"{sample.id}: reference and candidate cut the text differently: "
                f"{tokens} and {len(candidate.logprob)} tokens, {reference.text_bytes} and "
                f"{candidate.text_bytes} bytes",
                _AGAIN,
            )
        was, now = (-float(finite(side.logprob).sum()) for side in (reference, candidate))
        self._loss[0] += was
        self._loss[1] += now
        differ = int(np.count_nonzero(reference.top_index[:, 0] != candidate.top_index[:, 0]))
        self._rise.add(sample.cluster, now - was, tokens)
        self._tokens.add(sample.cluster, differ, tokens)
        self._changed.add(sample.cluster, differ > 0)
        if self._measured:
            self._bits.add(sample.cluster, (now - was) / math.log(2), reference.text_bytes)
            exact = candidate.divergence
            self._exact = self._exact and exact is not None
            diverged = divergence(reference, candidate) if exact is None else exact
            self._divergence.add(sample.cluster, diverged, tokens)
            self._parting.add(sample.cluster, reference, candidate)
        severity = max((now - was) / tokens, 0.0)
        return Change(differ > 0, severity, _words(was / tokens), _words(now / tokens), None)

    def score(self) -> Score:
        """The result so far; see :class:`edgekit.evaluation.score.Scorer`."""
        tokens = self._rise.weight
        different = self._tokens.moments()
        interval = different.dense_interval().clipped(0.0, 1.0)
        return Score(
            metric="perplexity",
            meaning=_PERPLEXITY,
            reference=_exp(self._loss[0] / tokens),
            candidate=_exp(self._loss[1] / tokens),
            drop=_expm1(self._rise.moments().ratio),
            interval_at=self._interval,
            flips=Flips(round(self._changed.total), None, None),
            agreement=1 - different.ratio,
            agreement_interval=Interval(1 - interval.high, 1 - interval.low),
            clusters=len(self._changed),
            mcnemar_p=None,
            measures=self._measures() if self._measured else (),
            percent=False,
        )

    def primary(self) -> Perplexity:
        """Without measures; see :class:`edgekit.evaluation.score.Scorer`."""
        return Perplexity(True, measured=False)

    def _interval(self, scale: float = 1.0, confidence: float = CONFIDENCE) -> Interval:
        found = self._rise.moments().dense_interval(scale, confidence)
        return Interval(_expm1(found.low), _expm1(found.high))

    def _measures(self) -> tuple[Measure, ...]:
        text_bytes = self._bits.weight * math.log(2)
        was, now = (loss / text_bytes for loss in self._loss)
        bits, kl, tokens = self._bits.moments(), self._divergence.moments(), self._tokens.moments()
        kl_interval = kl.dense_interval().clipped(0.0, math.inf)
        differ = tokens.dense_interval().clipped(0.0, 1.0)
        told = ("kl", _KL) if self._exact else ("kl_at_least", _KL_AT_LEAST)
        return (
            in_unit("bits_per_byte", _BITS, "bits", was, now, bits.ratio, bits.dense_interval()),
            in_unit(*told, "nats", None, None, kl.ratio, kl_interval),
            in_points("token_disagreement", _TOKENS, None, None, tokens.ratio, differ),
            *self._parting.measures(),
        )


def _words(nats: float) -> str:
    return f"perplexity {_exp(nats):.2f}"


def _exp(nats: float) -> float:
    return math.exp(min(nats, _MOST_NATS))


def _expm1(nats: float) -> float:
    return math.expm1(min(nats, _MOST_NATS))
