"""Kullback-Leibler divergence of next-token probabilities: of all tokens, or a bound from the likeliest alone."""

from __future__ import annotations

import numpy as np

from edgekit.types import F32, Array, TokenScores

LEAST_LOGPROB = -100.0
"""A token's log-probability counts as at least this, a broken model's NaN as this."""

MOST_PAIRS = 2**22
"""Pairs of likeliest tokens that are compared at once."""

_LEAST_REST = 1e-6  # float32 probabilities sum to 1 only up to this


def log_probabilities(scores: F32) -> F32:
    """``(n, vocabulary)`` float32 natural logarithms of the softmax of each row."""
    most = scores.max(axis=1, keepdims=True)
    total = np.log(np.exp(scores - most).sum(axis=1, keepdims=True, dtype=np.float64)) + most
    found: F32 = (scores - total).astype(np.float32)
    return found


def exact_divergence(reference: F32, candidate: F32) -> float:
    """Σ p (ln p − ln q) in nats over the whole vocabulary, summed over places.

    Args:
        reference, candidate: ``(n, vocabulary)`` log-probabilities of the same tokens; of a candidate's -inf and NaN
            see :data:`LEAST_LOGPROB`.
    """
    if reference.shape != candidate.shape:
        raise ValueError(f"expected the same tokens, got {reference.shape} and {candidate.shape}")
    log_q = np.maximum(np.nan_to_num(candidate, nan=LEAST_LOGPROB), np.float32(LEAST_LOGPROB))
    log_p = np.maximum(np.nan_to_num(reference, nan=LEAST_LOGPROB), np.float32(LEAST_LOGPROB))
    by_place = (np.exp(log_p) * (log_p - log_q)).sum(axis=1, dtype=np.float64)
    return float(np.maximum(by_place, 0.0).sum())


def divergence(reference: TokenScores, candidate: TokenScores) -> float:
    """Kullback-Leibler divergence in nats, summed over the places of a text: a lower bound.

    At each place the tokens that both count among their likeliest stand for themselves, and all others
    together for one: a coarser distribution diverges less (the log sum inequality: Cover & Thomas, Elements
    of Information Theory, 2006, theorem 2.7.1). It is exact where all tokens of the vocabulary are given.
    """
    step = max(MOST_PAIRS // (reference.top_index.shape[1] * candidate.top_index.shape[1]), 1)
    sides = reference.top_index, reference.top_logprob, candidate.top_index, candidate.top_logprob
    starts = range(0, len(reference.top_index), step)
    return sum(_divergence(*(side[at : at + step] for side in sides)) for at in starts)


def _divergence(index: Array, logprob: Array, other_index: Array, other_logprob: Array) -> float:
    same = index[:, :, None] == other_index[:, None, :]
    both = same.any(2)
    log_p = finite(logprob)
    log_q = np.take_along_axis(finite(other_logprob), same.argmax(2), 1)
    p, q = np.where(both, np.exp(log_p), 0.0), np.where(both, np.exp(log_q), 0.0)
    known = np.where(both & (p > 0), p * (log_p - log_q), 0.0).sum(1)
    rest_p, rest_q = np.clip(1 - p.sum(1), _LEAST_REST, 1.0), np.clip(1 - q.sum(1), _LEAST_REST, 1.0)
    return float(np.maximum(known + rest_p * np.log(rest_p / rest_q), 0.0).sum())


def finite(logprob: Array) -> Array:
    """The same in float64, at least :data:`LEAST_LOGPROB`."""
    return np.maximum(np.nan_to_num(logprob.astype(np.float64), nan=LEAST_LOGPROB), LEAST_LOGPROB)
