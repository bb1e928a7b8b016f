"""How an answer is made: how long it may be, how its tokens are chosen, what ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgekit.errors import UsageError
from edgekit.processing.grammar import Grammar
from edgekit.processing.sampling import Sampling

MAX_TOKENS = 256
"""Of an answer, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one answer.

    Attributes:
        max_tokens: most tokens that are made.
        sampling: how each is chosen; greedy by default.
        stop: texts that end it; they are no part of it.
        grammar: what it may look like: it always follows it to its end, within ``max_tokens``.
        cancelled: asked before each call of the model; such as ``threading.Event().is_set``.
    """

    max_tokens: int = MAX_TOKENS
    sampling: Sampling = Sampling()  # noqa: RUF009 (immutable)
    stop: tuple[str, ...] = ()
    grammar: Grammar | None = None
    cancelled: Callable[[], bool] | None = None

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise UsageError(f"max tokens: expected at least 1, got {self.max_tokens}")
        if not all(self.stop):
            raise UsageError("stop: expected a text, got an empty one", "leave it out")
