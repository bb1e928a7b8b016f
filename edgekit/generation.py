"""What a language model gives: an answer and its pace, and how likely it finds texts. See :mod:`edgekit.types`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from edgekit.arrays import F32, Array
from edgekit.errors import DataError

Finish: TypeAlias = Literal["end", "stop", "length", "context", "cancelled"]
"""Why an answer ends: the model or its grammar ended it, a stop string came, it has as many tokens as it may, the
context is full, or somebody cancelled it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Where the time of an answer went; what whoever read it took is not counted.

    Attributes:
        prompt_tokens: given ones.
        reused_tokens: those of them that were remembered from before.
        prefill_ms: the other given ones' way through the model.
        first_token_ms: from the call to the first token of the answer; the times before it are part of it. 0 where it
            was cancelled before.
        answer_tokens: made ones.
        decode_ms: of all behind the first: those that were made, and the one that ends the answer.
        decode_calls: how many those are.
        tiles: of the given pictures; 0 where there are none.
        encoded_tiles: those of them whose features were not known from before.
        prepare_ms: texts to tokens, and pictures to tiles.
        encode_ms: tiles to features.
    """

    prompt_tokens: int
    reused_tokens: int
    prefill_ms: float
    first_token_ms: float
    answer_tokens: int
    decode_ms: float
    decode_calls: int
    tiles: int = 0
    encoded_tiles: int = 0
    prepare_ms: float = 0.0
    encode_ms: float = 0.0

    @property
    def prefill_tokens_per_s(self) -> float | None:
        """None where nothing was given, or not all of it."""
        given = self.prompt_tokens - self.reused_tokens
        whole = given and self.prefill_ms > 0 and self.first_token_ms > 0
        return given / self.prefill_ms * 1e3 if whole else None

    @property
    def decode_tokens_per_s(self) -> float | None:
        """The one that ends the answer counts as well; None where nothing came behind the first."""
        return self.decode_calls / self.decode_ms * 1e3 if self.decode_ms > 0 else None

    def as_json(self) -> dict[str, Any]:
        """Counts and milliseconds, and what follows from them; of pictures only where there are some."""
        speeds = (self.prefill_tokens_per_s, self.decode_tokens_per_s)
        prefill, decode = (None if speed is None else round(speed, 2) for speed in speeds)
        return {
            "prompt_tokens": self.prompt_tokens,
            "reused_tokens": self.reused_tokens,
            "answer_tokens": self.answer_tokens,
            "prefill_ms": round(self.prefill_ms, 3),
            "first_token_ms": round(self.first_token_ms, 3),
            "decode_ms": round(self.decode_ms, 3),
            "prefill_tokens_per_s": prefill,
            "decode_tokens_per_s": decode,
            **(self._of_pictures() if self.tiles else {}),
        }

    def _of_pictures(self) -> dict[str, Any]:
        return {
            "tiles": self.tiles,
            "encoded_tiles": self.encoded_tiles,
            "prepare_ms": round(self.prepare_ms, 3),
            "encode_ms": round(self.encode_ms, 3),
        }


@dataclass(frozen=True, slots=True)
class Generation:
    """Text that was made of the input: an answer, a transcript.

    Attributes:
        text: the whole of it.
        tokens: ids that it was made of, those that end it not among them; none of a transcript.
        finish: why it ends; None of a transcript.
        pace: where the time went; None of a transcript.
    """

    text: str
    tokens: tuple[int, ...] = ()
    finish: Finish | None = None
    pace: Pace | None = None

    def as_json(self) -> dict[str, Any]:
        """Text, and of an answer why it ends and where the time went, as ``edgekit run --json`` prints it."""
        if self.finish is None:
            return {"text": self.text}
        pace = {} if self.pace is None else {"pace": self.pace.as_json()}
        return {"text": self.text, "finish": self.finish, "tokens": len(self.tokens), **pace}


@dataclass(frozen=True, slots=True, eq=False)
class TokenScores:
    """How likely a language model finds a given text, token by token.

    Attributes:
        logprob: ``(t,)`` float32, natural logarithm of the probability of each token after those before it.
        top_index: ``(t, k)`` int32, the ``k`` likeliest tokens at each place, likeliest first; ``k`` at least 1.
        top_logprob: ``(t, k)`` float32, theirs.
        text_bytes: length of the text in UTF-8.
        tokenizer: digest of what the text was cut into tokens with; empty where that is not known. Numbers of
            tokens mean the same on both sides only where this is the same.
        divergence: of these scores from those of a reference over the whole vocabulary, in nats, summed over all
            places; ``None`` where no reference ran beside this model.
        answer: tokens that the model greedily goes on with behind the beginning of the text; empty for none.
        answer_text: the same as text.
    """

    logprob: F32
    top_index: Array
    top_logprob: F32
    text_bytes: int
    tokenizer: str = ""
    divergence: float | None = None
    answer: tuple[int, ...] = ()
    answer_text: str = ""

    def __post_init__(self) -> None:
        t = len(self.logprob)
        shape = self.top_index.shape
        if len(shape) != 2 or shape[0] != t or shape[1] < 1 or self.top_logprob.shape != shape:
            raise DataError(
                f"token scores: expected top_index and top_logprob ({t}, k), k at least 1, "
                f"got {self.top_index.shape} and {self.top_logprob.shape}"
            )
        if self.logprob.shape != (t,) or t == 0 or not self.text_bytes > 0:
            raise DataError(
                f"token scores: expected at least one token and byte, got {t} and {self.text_bytes}"
            )

    def as_json(self) -> dict[str, Any]:
        """Sum and number, in short."""
        return {"tokens": len(self.logprob), "logprob": float(self.logprob.sum()), "bytes": self.text_bytes}


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceScores:
    """How likely a language model finds each of several answers to a question.

    Attributes:
        scores: ``(n,)`` float32, natural logarithm of each answer's probability behind the question, over its length
            in bytes of UTF-8; 2 answers at least.
    """

    scores: F32

    def __post_init__(self) -> None:
        if self.scores.ndim != 1 or len(self.scores) < 2:
            raise DataError(f"choice scores: expected 2 answers at least, got the shape {self.scores.shape}")

    @property
    def best(self) -> int:
        """The likeliest answer; of equal ones the first, and a broken model's NaN is no answer."""
        return int(np.nan_to_num(self.scores.astype(np.float64), nan=-np.inf).argmax())

    def as_json(self) -> dict[str, Any]:
        """The best one and all scores."""
        return {"best": self.best, "scores": [float(v) for v in self.scores]}
