"""A text model with a smaller vocabulary: fewer rows in its embedding and head, all else as it was."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from edgekit.types import F32
from edgekit_export.architectures.shape import EMBEDDING, HEAD
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.sources.text_model import TextModel
from edgekit_export.vocabulary.prune import prune, prune_words


def pruned_model(model: TextModel, texts: Iterable[str], keep: int | None) -> TextModel:
    """The model with the tokens that texts need.

    Args:
        model: whole.
        texts: that it shall read and write, read once.
        keep: most tokens that stay; ``None`` for all that the texts use.

    Raises:
        ModelError: a tokenizer of another kind.
        UsageError: ``keep`` is less than any text needs.
    """
    words = model.words
    template = [words.chat_template] if words.chat_template else []
    named = [*words.ends, *([] if words.first is None else [words.first])]
    made = prune(words.tokenizer, [*template, *texts], keep=keep, named=named)

    def read(name: str) -> F32 | Blockwise:
        found = model.read(name)
        if name not in (EMBEDDING, HEAD):
            return found
        return found.rows(made.kept) if isinstance(found, Blockwise) else found[made.kept]

    before, now = model.shape.vocabulary, len(made.kept)
    said = f"vocabulary of {now:,} tokens instead of {before:,}: what other texts need is written in smaller pieces"
    return replace(
        model,
        shape=replace(model.shape, vocabulary=now),
        read=read,
        words=prune_words(words, made),
        remarks=(*model.remarks, said),
    )
