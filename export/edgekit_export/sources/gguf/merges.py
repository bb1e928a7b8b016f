"""Merges of a sentencepiece BPE vocabulary (Kudo and Richardson 2018), which knows scores of tokens alone."""

from __future__ import annotations

from collections.abc import Iterable

from edgekit_export.vocabulary.compact import Pair, last_merges


def merges_of(texts: Iterable[str]) -> list[Pair]:
    """Pairs that the tokenizers library merges as sentencepiece does: one for each token that merging can give.

    Args:
        texts: of tokens, the highest score first.
    """
    known = dict.fromkeys(texts)
    cuts = ((text, i) for text in known for i in range(1, len(text)))
    return last_merges((text[:i], text[i:]) for text, i in cuts if text[:i] in known and text[i:] in known)
