"""What is made of an answer so far: tokens, text, and whether it ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgekit.errors import UsageError
from edgekit.processing.masks import Masks
from edgekit.processing.pieces import Pieces, Stops
from edgekit.processing.sampling import choose
from edgekit.processing.words import Words
from edgekit.tasks.settings import Settings
from edgekit.types import F32, Array, Finish


class Answer:
    """One answer.

    Args:
        words: decodes tokens.
        ends: tokens that end an answer.
        settings: how it is made.
        prompt: tokens before it.
        room: tokens that the context has room for behind the prompt.
        masks: of the grammar, if the answer follows one.

    Attributes:
        tokens: made, those that end it not among them.
        text: told so far.
        finish: why it ends; None while it does not.

    Raises:
        UsageError: fewer tokens may be made than the grammar's shortest answer may need.
    """

    def __init__(
        self,
        words: Words,
        ends: Sequence[int],
        settings: Settings,
        prompt: Sequence[int],
        room: int,
        masks: Masks | None,
    ) -> None:
        self.tokens: list[int] = []
        self.text = ""
        self.finish: Finish | None = None
        self._settings, self._prompt = settings, prompt
        self._ends = np.array(sorted(set(ends)), np.int64)
        self._most = min(settings.max_tokens, room)
        self._rng = settings.sampling.rng()
        self._pieces, self._stops = Pieces(words.decode), Stops(settings.stop)
        self._masks, self._state = masks, 0
        if masks is not None and masks.least > self._most:
            raise UsageError(
                f"choices and fields: the answer may need {masks.least} tokens, {self._most} may be made",
                "allow more tokens, or give a shorter prompt",
            )

    def add(self, scores: F32) -> str:
        """Chooses the next token; what can be told with it.

        Args:
            scores: ``(vocabulary,)`` float32.

        Raises:
            BundleError: the tokenizer has no token that the grammar could go on with.
        """
        seen = [*self._prompt, *self.tokens]
        token = choose(scores, seen, self._settings.sampling, self._rng, self._allowed())
        if token in self._ends:
            self.finish = "end"
            return ""
        self.tokens.append(token)
        piece = self._stops.add(self._pieces.add(token))
        self.text += piece
        if self._stops.found:
            self.finish = "stop"
        elif self._masks is not None:
            self._state = self._masks.after(self._state, token)
            self.finish = "end" if self._masks.is_whole(self._state) else None
        if self.finish is None and len(self.tokens) >= self._most:
            self.finish = "length" if len(self.tokens) >= self._settings.max_tokens else "context"
        return piece

    def rest(self) -> str:
        """What was held back for a stop string that did not come."""
        held = self._stops.rest()
        self.text += held
        return held

    def _allowed(self) -> Array | None:
        if self._masks is None:
            return None
        ids = self._masks.allowed(self._state, self._most - len(self.tokens))
        return np.union1d(ids, self._ends) if self._masks.grammar.accepting[self._state] else ids
