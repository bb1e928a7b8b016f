"""Byte-pair encoding as ``tokenizer.json`` has it: which tokens a token is merged of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from edgekit.errors import ModelError

MOST_TOKENS = 2**21
"""Of a vocabulary: eight times the largest that is in use."""


class _Model(msgspec.Struct):
    """The keys of a ``BPE`` model that pruning depends on; others are passed through."""

    vocab: dict[str, int]
    merges: list[tuple[str, str] | str]
    type: str = "BPE"
    dropout: float | None = None
    unk_token: str | None = None
    continuing_subword_prefix: str | None = None
    end_of_word_suffix: str | None = None
    byte_fallback: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class BytePairs:
    """A vocabulary with its merges, in the order of their ranks (Sennrich et al. 2016, algorithm 1).

    Attributes:
        ids: token → id.
        merges: pairs, the first merged first; several may give the same token.
        unknown: token of what cannot be written otherwise; ``None`` for none.
        byte_fallback: characters that are no token are written in tokens ``<0x00>`` to ``<0xFF>``.
    """

    ids: dict[str, int]
    merges: tuple[tuple[str, str], ...]
    unknown: str | None
    byte_fallback: bool
    _rank: dict[tuple[str, str], int] = field(init=False)

    def __post_init__(self) -> None:
        rank = {pair: i for i, pair in reversed(tuple(enumerate(self.merges)))}
        object.__setattr__(self, "_rank", rank)

    def pieces(self, token: str) -> frozenset[str] | None:
        """All tokens on the way from a token's characters to it; ``None`` where merges do not lead to it.

        Merges within a token never depend on what stands around it: had a pair that reaches beyond it been
        merged before, the token would not be there. So these are the pieces in every text.
        """
        symbols = list(token)
        found = set(symbols)
        while len(symbols) > 1:
            rank, at = min((self._rank.get(pair, MOST_TOKENS * 4), i) for i, pair in _pairs(symbols))
            if rank == MOST_TOKENS * 4:
                return None
            symbols[at : at + 2] = [symbols[at] + symbols[at + 1]]
            found.add(symbols[at])
        return frozenset(found) if found <= self.ids.keys() else None


def _pairs(symbols: list[str]) -> Iterator[tuple[int, tuple[str, str]]]:
    return enumerate(itertools.pairwise(symbols))


def read_byte_pairs(model: Any) -> BytePairs:  # noqa: ANN401 (JSON)
    """The ``model`` of a ``tokenizer.json``, checked.

    Raises:
        ModelError: no byte-pair encoding, one of a kind that cannot be pruned, or ids and merges do not fit.
    """
    kind = model.get("type", "BPE") if isinstance(model, dict) else None
    if kind != "BPE":
        raise ModelError(f"tokenizer: the model is {kind!r}, expected 'BPE'", "leave the vocabulary as it is")
    try:
        read = msgspec.convert(model, _Model)
    except msgspec.ValidationError as error:
        raise ModelError(f"tokenizer: model: {error}") from error
    marks = read.continuing_subword_prefix, read.end_of_word_suffix, read.dropout
    if any(marks):
        raise ModelError(
            f"tokenizer: subword prefix, word suffix and dropout are {marks}, expected none of them",
            "leave the vocabulary as it is",
        )
    if not 0 < len(read.vocab) <= MOST_TOKENS or len(set(read.vocab.values())) != len(read.vocab):
        raise ModelError(
            f"tokenizer: expected 1 to {MOST_TOKENS:,} tokens with an id each, got {len(read.vocab):,} "
            f"with {len(set(read.vocab.values())):,} ids"
        )
    merges = tuple(map(_pair, read.merges))
    for first, second in merges:
        if not {first, second, first + second} <= read.vocab.keys():
            raise ModelError(f"tokenizer: merges {first!r} and {second!r}, of which one or both are no token")
    if read.unk_token is not None and read.unk_token not in read.vocab:
        raise ModelError(f"tokenizer: the unknown token {read.unk_token!r} is not in the vocabulary")
    return BytePairs(read.vocab, merges, read.unk_token, read.byte_fallback)


def _pair(merge: tuple[str, str] | str) -> tuple[str, str]:
    if isinstance(merge, tuple):
        return merge
    first, space, second = merge.partition(" ")
    if not (first and space and second) or " " in second:
        raise ModelError(f"tokenizer: merge {merge!r}: expected two tokens with a space between them")
    return first, second
