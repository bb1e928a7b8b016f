"""A ``tokenizer.json`` in fewer bytes that gives the same ids, and loads faster.

Sentencepiece's vocabularies have scores of tokens alone; converters write a merge for every way to cut a token in two,
515,000 for Gemma 3. One a token is enough. Where a token comes about in a text, no merge crossed its bounds, so that
what happened between them is what happens to its own text alone: its last merge is always the same. Others never run.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import msgspec

from edgekit.errors import ModelError
from edgekit_export.vocabulary.byte_pairs import read_byte_pairs

Pair = tuple[str, str]


def compact(tokenizer: bytes) -> bytes:
    """The same tokenizer without merges that never run, and without spaces.

    Other models than byte pairs lose the spaces only.

    Args:
        tokenizer: a ``tokenizer.json``.

    Raises:
        ModelError: no JSON object, or a byte-pair model that is damaged.
    """
    try:
        parsed = msgspec.json.decode(tokenizer, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"tokenizer: is no JSON: {error}") from error
    model = parsed.get("model")
    if isinstance(model, dict) and model.get("type", "BPE") == "BPE":  # files of 2020 do not say
        merges = last_merges(read_byte_pairs(model).merges)
        parsed = {**parsed, "model": {**model, "merges": merge_lines(merges)}}
    return msgspec.json.encode(parsed)


def merge_lines(merges: list[Pair]) -> list[str] | list[Pair]:
    """Merges as texts, ``"a b"``, which load faster than pairs; as pairs where a token has a space in it."""
    if any(" " in left or " " in right for left, right in merges):
        return merges
    return [f"{left} {right}" for left, right in merges]


def last_merges(merges: Iterable[Pair]) -> list[Pair]:
    """Those that run: of several that give the same token, the one that ends the merging of its text alone.

    Args:
        merges: the first merged first.
    """
    ranks: dict[Pair, int] = {}
    ways: dict[str, list[Pair]] = {}
    for rank, pair in enumerate(merges):
        if ranks.setdefault(pair, rank) == rank:
            ways.setdefault("".join(pair), []).append(pair)
    kept = (way[0] if len(way) == 1 else _last(text, ranks) for text, way in ways.items())
    return sorted((pair for pair in kept if pair is not None), key=ranks.__getitem__)


def _last(text: str, ranks: dict[Pair, int]) -> Pair | None:
    """The merge that gives ``text``; ``None`` where its characters are merged otherwise."""
    parts, never = list(text), len(ranks) + 1
    while len(parts) > 2:
        places = [ranks.get(pair, never) for pair in pairwise(parts)]
        first = min(places)
        if first == never:
            return None
        at = places.index(first)
        parts[at : at + 2] = [parts[at] + parts[at + 1]]
    pair = parts[0], parts[1]
    return pair if pair in ranks else None
