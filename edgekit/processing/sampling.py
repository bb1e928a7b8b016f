"""The next token from its scores: greedy, or drawn after a repetition penalty, temperature, top-k and top-p.

Rules and their order are those of transformers' logits processors (``generation/logits_process.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.errors import UsageError
from edgekit.types import F32, Array

MAX_SEED = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a token is chosen.

    Attributes:
        temperature: scores are divided by it; 0 takes the best token, always.
        top_k: only the so many best tokens are drawn from; 0 for all.
        top_p: only the fewest best tokens that together have this probability are drawn from; 1 for all.
        repetition_penalty: above 1 makes tokens that were there already less likely; 1 for none.
        seed: of the draws. The same seed gives the same text.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        _within("temperature", self.temperature, 0 <= self.temperature <= 100, "0 to 100")
        _within("top-k", self.top_k, self.top_k >= 0, "0 (all) or more")
        _within("top-p", self.top_p, 0 < self.top_p <= 1, "above 0, up to 1")
        _within(
            "repetition penalty",
            self.repetition_penalty,
            0 < self.repetition_penalty <= 100,
            "above 0 to 100",
        )
        _within("seed", self.seed, 0 <= self.seed <= MAX_SEED, f"0 to {MAX_SEED}")

    def rng(self) -> np.random.Generator | None:
        """What the draws of one answer take their numbers from; None where nothing is drawn."""
        return np.random.Generator(np.random.PCG64(self.seed)) if self.temperature else None


def _within(name: str, value: float, holds: bool, expected: str) -> None:
    if not holds:
        raise UsageError(f"{name}: expected {expected}, got {value}")


def choose(
    scores: F32,
    seen: Sequence[int],
    sampling: Sampling,
    rng: np.random.Generator | None,
    allowed: Array | None = None,
) -> int:
    """The next token.

    Args:
        scores: ``(vocabulary,)`` float32, of the next token.
        seen: tokens of prompt and answer so far, for the repetition penalty.
        sampling: how to choose.
        rng: gives one number a draw; see :meth:`Sampling.rng`.
        allowed: ``(n,)`` ids of the only tokens that may be chosen, rising; ``None`` for all.

    Returns:
        Its id; of equally good ones the lowest.
    """
    if sampling.repetition_penalty != 1:
        scores = penalize(scores, seen, sampling.repetition_penalty)
    ids = None if allowed is None else np.asarray(allowed)
    left = scores if ids is None else scores[ids]
    if sampling.temperature == 0 or rng is None:
        place = int(left.argmax())
    else:
        kept = np.arange(left.size)
        left = left.astype(np.float64) / sampling.temperature
        if 0 < sampling.top_k < left.size:
            kept = top_k(left, sampling.top_k)
        if sampling.top_p < 1:
            kept = kept[top_p(left[kept], sampling.top_p)]
        place = int(kept[draw(left[kept], rng)])
    return place if ids is None else int(ids[place])


def penalize(scores: F32, seen: Sequence[int], penalty: float) -> F32:
    """Divides positive scores of seen tokens by the penalty, multiplies negative ones.

    Keskar et al. 2019, CTRL, section 4.1, as transformers applies it: to the tokens of prompt and answer, each once.

    Args:
        scores: ``(vocabulary,)`` float32.
        seen: token ids.
        penalty: above 0.
    """
    ids = np.unique(np.asarray(seen, np.int64))
    made = scores.copy()
    hit = made[ids]
    made[ids] = np.where(hit < 0, hit * np.float32(penalty), hit / np.float32(penalty))
    return made


def top_k(scores: Array, k: int) -> Array:
    """Places of the ``k`` best scores, rising, and of those that equal the last of them.

    Args:
        scores: ``(n,)``.
        k: 1 to ``n``.
    """
    least = np.partition(scores, -k)[-k]
    return np.flatnonzero(scores >= least)


def top_p(scores: Array, p: float) -> Array:
    """Places, rising, of the fewest best scores whose probability together is at least ``p``.

    The nucleus of Holtzman et al. 2020, section 3.1. Of equal scores at its border the higher places are kept.

    Args:
        scores: ``(n,)`` natural logarithms, up to a constant.
        p: above 0, below 1.
    """
    probability = softmax(scores)
    # All of the unlikeliest together have at most 1 - p, so they are out and need no sorting.
    near = np.flatnonzero(probability >= (1 - p) / probability.size)
    order = near[np.argsort(probability[near], kind="stable")]
    rising = probability[order]
    outside = (1 - rising.sum()) + rising.cumsum() <= 1 - p
    outside[-1] = False  # the best always stays
    return np.sort(order[~outside])


def draw(scores: Array, rng: np.random.Generator) -> int:
    """A place, with the probability that the softmax of its score is; one number of ``rng`` decides.

    Args:
        scores: ``(n,)`` natural logarithms, up to a constant.
        rng: gives a number in [0, 1).
    """
    ends = softmax(scores).cumsum()
    return min(int(np.searchsorted(ends, rng.random() * ends[-1], side="right")), scores.size - 1)


def softmax(scores: Array) -> Array:
    """Probabilities, float64, of scores ``(n,)``."""
    risen = np.exp(scores.astype(np.float64) - scores.max())
    return np.asarray(risen / risen.sum())
