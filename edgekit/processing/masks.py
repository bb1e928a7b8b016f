"""Which tokens a grammar allows next, so that what comes out always follows it to its end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edgekit.errors import BundleError, UsageError
from edgekit.processing.grammar import DEAD, Grammar
from edgekit.processing.token_bytes import TokenBytes

_Ids = npt.NDArray[np.int64]
_States = npt.NDArray[np.int16]


class Masks:
    """Of one grammar and one vocabulary. What was found for a state is kept.

    Args:
        grammar: what the answer may look like.
        vocabulary: what the tokens are.

    Raises:
        UsageError: a byte that the grammar needs is no token of its own.
    """

    def __init__(self, grammar: Grammar, vocabulary: TokenBytes) -> None:
        self.grammar, self._vocabulary = grammar, vocabulary
        self._some = np.flatnonzero(vocabulary.lengths)
        self._found: dict[int, tuple[_Ids, _States]] = {}
        single = vocabulary.data[vocabulary.starts[vocabulary.lengths == 1]]
        missing = np.setdiff1d(np.flatnonzero((grammar.table != DEAD).any(axis=0)), single)
        missing = missing[missing < 0x80]  # of the others a whole character may be a token
        if missing.size:
            raise UsageError(
                f"choices and fields: the tokenizer has no token for {chr(int(missing[0]))!r} alone",
                "leave them out",
            )

    @property
    def least(self) -> int:
        """Tokens within which an answer can always end."""
        return int(self.grammar.distance[0])

    def is_whole(self, state: int) -> bool:
        """Whether the answer can only end here."""
        return bool(self.grammar.accepting[state] and (self.grammar.table[state] == DEAD).all())

    def allowed(self, state: int, left: int) -> _Ids:
        """Ids of the tokens that may come next, rising.

        Args:
            state: of the grammar.
            left: tokens that may still be made; those behind which the answer could not end in time are left out.

        Raises:
            BundleError: there is none.
        """
        ids, after = self._walk(state)
        ids = ids[self.grammar.distance[after] < left]
        if not ids.size and not self.grammar.accepting[state]:
            raise BundleError("choices and fields: no token of the tokenizer goes on", "leave them out")
        return ids

    def after(self, state: int, token: int) -> int:
        """The state behind a token."""
        for byte in self._vocabulary.of(token):
            state = int(self.grammar.table[state, byte])
        return state

    def _walk(self, state: int) -> tuple[_Ids, _States]:
        """All tokens that the grammar can read from here, and the states behind them: byte by byte, all at once."""
        if state not in self._found:
            words, table = self._vocabulary, self.grammar.table
            alive = self._some
            states = np.full(alive.size, state, np.int16)
            ids, after, depth = [], [], 0
            while alive.size:
                states = table[states, words.data[words.starts[alive] + depth]]
                keep = states != DEAD
                alive, states = alive[keep], states[keep]
                depth += 1
                done = words.lengths[alive] == depth
                ids.append(alive[done])
                after.append(states[done])
                alive, states = alive[~done], states[~done]
            found, behind = np.concatenate(ids), np.concatenate(after)
            order = np.argsort(found)
            self._found[state] = found[order], behind[order]
        return self._found[state]
