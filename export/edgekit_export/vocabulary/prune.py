"""Prunes a vocabulary to what texts need: tokenizer and rows; what goes in still comes back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from edgekit.errors import ModelError, UsageError
from edgekit.types import Array
from edgekit_export.sources.huggingface.tokenizer import strange_texts
from edgekit_export.sources.text_model import Words
from edgekit_export.vocabulary.byte_pairs import BytePairs, read_byte_pairs
from edgekit_export.vocabulary.choice import choose
from edgekit_export.vocabulary.counts import count_tokens, count_words, read_library
from edgekit_export.vocabulary.proof import prove
from edgekit_export.vocabulary.renumber import named_ids, renumbered
from edgekit_export.vocabulary.spellings import other_spellings, punctuation

ROLES = (
    "system",
    "user",
    "assistant",
    "model",
    "developer",
    "tool",
    "system\n",
    "user\n",
    "assistant\n",
    "model\n",
)
"""Who speaks, right behind a special token as chat templates have it; texts have a space before these words."""


@dataclass(frozen=True, slots=True, eq=False)
class Pruned:
    """A smaller vocabulary.

    Attributes:
        tokenizer: a ``tokenizer.json`` with the tokens that stay, numbered from 0 in their old order.
        kept: ``(n,)`` int64, old id by new id, rising: rows of the embedding and the head to keep.
        of: tokens there were.
        coverage: share of the given texts' tokens that stay (0–1); 1 where no text was given.
    """

    tokenizer: bytes
    kept: Array
    of: int
    coverage: float

    def new(self, old: int) -> int:
        """New id of an old one.

        Raises:
            UsageError: it did not stay.
        """
        at = int(np.searchsorted(self.kept, old))
        if at == len(self.kept) or self.kept[at] != old:
            raise UsageError(f"vocabulary: token {old} was dropped", "name it as one to keep")
        return at


def prune(
    tokenizer: bytes,
    corpus: Iterable[str],
    *,
    keep: int | None = None,
    least: int = 1,
    words: Mapping[str, float] | None = None,
    always: Iterable[str] = ROLES,
    named: Iterable[int] = (),
) -> Pruned:
    """Drops the tokens that texts do not need; see :func:`edgekit_export.vocabulary.choice.choose` for what stays.

    Every text stays writable. A text that the old tokenizer writes in tokens that stay is written in the very
    same ones; this and the way back is tried on a few hundred strange texts each time.

    Args:
        tokenizer: a ``tokenizer.json`` with a byte-pair model, with tokens of bytes or bytes as characters.
        corpus: texts, read once; longer than a few MB each they want much memory.
        keep: most tokens that may stay; ``None`` for all that the texts use. Where they use fewer, punctuation
            and other spellings of their words fill up (:mod:`edgekit_export.vocabulary.spellings`).
        least: fewest times that texts use a token that stays.
        words: word → share of running text (0–1), beside the texts and as heavy as they are.
        always: texts whose tokens stay, whatever the corpus says.
        named: ids that stay.

    Raises:
        ModelError: a tokenizer that cannot be read, of another kind, or that does not come out as it should.
        UsageError: ``keep`` is less than what is needed for any text.
    """
    parsed, pairs, added = _read(tokenizer)
    library = read_library(tokenizer)
    counts = count_tokens(library, corpus)
    total = sum(counts.values())
    wanted: dict[int, float] = dict(counts)
    for i, more in count_words(library, words or {}, total).items():
        wanted[i] = wanted.get(i, 0.0) + more
    kept = choose(
        pairs,
        added,
        {*named, *named_ids(parsed), *count_tokens(library, always)},
        {i: n for i, n in wanted.items() if n >= least},
        keep=keep,
        spare={**other_spellings(pairs.ids, wanted), **dict.fromkeys(punctuation(pairs.ids), math.inf)},
    )
    new_of = {old: new for new, old in enumerate(kept)}
    written = msgspec.json.encode(renumbered(parsed, pairs, new_of))
    prove(library, read_library(written), new_of, strange_texts())
    covered = sum(n for i, n in counts.items() if i in new_of)
    everything = {*pairs.ids.values(), *added.values()}
    return Pruned(written, np.array(kept, np.int64), len(everything), covered / total if total else 1.0)


def prune_words(words: Words, pruned: Pruned) -> Words:
    """A model's words with the pruned vocabulary; its template and the texts of special tokens stay as they are.

    Raises:
        UsageError: the first token or one that ends an answer was dropped: name them to :func:`prune`.
    """
    first = None if words.first is None else pruned.new(words.first)
    return replace(words, tokenizer=pruned.tokenizer, first=first, ends=tuple(map(pruned.new, words.ends)))


def _read(tokenizer: bytes) -> tuple[dict[str, Any], BytePairs, dict[str, int]]:
    try:
        parsed = msgspec.json.decode(tokenizer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"tokenizer: is no JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise ModelError(f"tokenizer: expected a JSON object, got {type(parsed).__name__}")
    pairs = read_byte_pairs(parsed.get("model"))
    try:
        tokens = msgspec.convert(parsed.get("added_tokens") or [], list[_Added])
    except msgspec.ValidationError as error:
        raise ModelError(f"tokenizer: added_tokens: {error}") from error
    added = {token.content: token.id for token in tokens}
    moved = [text for text, i in added.items() if pairs.ids.get(text, i) != i]
    if moved or len(set(added.values())) != len(tokens):
        raise ModelError(
            f"tokenizer: added tokens have two ids, or share one: {(moved or sorted(added))[0]!r}"
        )
    return parsed, pairs, added


class _Added(msgspec.Struct):
    id: int
    content: str
