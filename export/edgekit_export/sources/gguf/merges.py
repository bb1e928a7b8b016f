"""Merges of a sentencepiece BPE vocabulary (Kudo and Richardson 2018), which knows scores of tokens alone.

tokenizers wants pairs. Every way to cut a token into two others would do, and transformers writes them all: 515,000
for Gemma 3. One a token is enough. Where a token comes about in a text, no merge crossed its bounds, so that what
happened between them is what happens to its own text alone: its last merge is always the same. The others never run.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise


def merges_of(ranks: Mapping[str, int]) -> list[tuple[str, str]]:
    """The one last merge of each token that merging can give, those of the first rank first.

    Args:
        ranks: text → place by falling score; lower merges first.
    """
    found = (
        (text, _last_merge(text, ranks)) for text in sorted(ranks, key=ranks.__getitem__) if len(text) > 1
    )
    return [pair for _, pair in found if pair is not None]


def _last_merge(text: str, ranks: Mapping[str, int]) -> tuple[str, str] | None:
    cuts = [i for i in range(1, len(text)) if text[:i] in ranks and text[i:] in ranks]
    if len(cuts) < 2:
        return (text[: cuts[0]], text[cuts[0] :]) if cuts else None
    parts, never = list(text), len(ranks)
    while len(parts) > 2:
        places = [ranks.get(left + right, never) for left, right in pairwise(parts)]
        first = min(places)
        if first == never:
            return None
        at = places.index(first)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    return parts[0], parts[1]
