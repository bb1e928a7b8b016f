"""A checkpoint with a smaller vocabulary: the rows that stay, nothing else of it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from edgekit.errors import ModelError
from edgekit.types import F32
from edgekit_export.architectures.shape import EMBEDDING, HEAD
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.text_model import TextModel
from edgekit_export.vocabulary.prune import Pruned, prune, prune_words

Read = Callable[[str], F32 | Blockwise]


def prune_model(
    model: TextModel,
    corpus: Iterable[str],
    *,
    keep: int | None = None,
    words: Mapping[str, float] | None = None,
) -> tuple[TextModel, Pruned]:
    """The checkpoint with the tokens that texts need, and which these are; see :func:`prune`.

    Rows are taken as they are, in codes where they are in codes. Tokens that the model begins and ends with stay.

    Args:
        model: the whole one.
        corpus: texts, read once.
        keep, words: see :func:`prune`.

    Raises:
        ModelError: a tokenizer that cannot be pruned, or one with more tokens than the model has rows.
        UsageError: ``keep`` is too few.
    """
    named = {*model.words.ends, *(() if model.words.first is None else (model.words.first,))}
    pruned = prune(model.words.tokenizer, corpus, keep=keep, words=words, named=named)
    rows = model.shape.vocabulary
    if len(pruned.kept) and int(pruned.kept[-1]) >= rows:
        raise ModelError(
            f"{model.origin}: its tokenizer has a token {int(pruned.kept[-1])}, the embedding {rows} rows",
            "take the tokenizer that belongs to these weights",
        )
    smaller = replace(
        model,
        shape=replace(model.shape, vocabulary=len(pruned.kept)),
        read=partial(_read, model.read, pruned),
        words=prune_words(model.words, pruned),
    )
    return smaller, pruned


def _read(read: Read, pruned: Pruned, name: str) -> F32 | Blockwise:
    found = read(name)
    if name not in (EMBEDDING, HEAD):
        return found
    return found.rows(pruned.kept) if isinstance(found, Blockwise) else found[pruned.kept]
