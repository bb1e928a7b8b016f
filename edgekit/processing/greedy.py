"""Text from a decoder by always taking the best next token."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from edgekit.bundle.step_input import TokenHead
from edgekit.errors import BundleError
from edgekit.types import F32

Step = Callable[[Sequence[int]], F32]
"""Gives the decoder tokens; scores of the next one, ``(vocabulary,)``."""


def greedy(step: Step, head: TokenHead) -> list[int]:
    """Tokens of a text, those of the prompt not among them.

    The rules of transformers' ``generate`` without beams: the best of the languages follows the prompt, suppressed
    tokens are never taken, of equal scores the lower id is.

    Args:
        step: the decoder, fresh.
        head: prompt, what is suppressed, and where it ends.

    Raises:
        BundleError: a token that the decoder has no score for.
    """
    given = list(head.prompt)
    if head.languages:
        scores = step(given)
        language = max(head.languages, key=lambda token: (_score(scores, token), -token))
        told = [language, *head.task]
        scores, given = step(told), given + told
    else:
        given += head.task
        scores = step(given)
    _score(scores, max((head.end, *head.suppress, *head.suppress_first)))
    made: list[int] = []
    never = np.array(head.suppress, np.int64)
    first = np.array((*head.suppress, *head.suppress_first), np.int64)
    while len(given) + len(made) < head.max_tokens:
        allowed = scores.copy()
        allowed[never if made else first] = -np.inf
        token = int(allowed.argmax())
        if token == head.end:
            break
        made.append(token)
        if len(given) + len(made) < head.max_tokens:
            scores = step([token])
    return made


def _score(scores: F32, token: int) -> float:
    if token >= len(scores):
        raise BundleError(f"token head: names token {token}, the decoder has {len(scores)}")
    return float(scores[token])
