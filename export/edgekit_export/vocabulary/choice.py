"""Which tokens stay: those that must, then the most frequent ones with all that they are merged of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from edgekit.errors import UsageError
from edgekit_export.vocabulary.byte_pairs import BytePairs

PLACEHOLDER = re.compile(r"<[|]?(unused|reserved|extra_id)[a-z_]*_?-?\d+[|]?>")
"""Added tokens that stand for nothing yet: Gemma has 6,242 of them."""

_ALPHABET = ((0x0, 0x24F), (0x2010, 0x2030), (0x20A0, 0x20BF), (0x2581, 0x2581))
"""Characters that stay where they are tokens: Latin script, dashes and quotes, currencies, the mark of a space."""


def choose(
    pairs: BytePairs,
    added: Mapping[str, int],
    named: Iterable[int],
    counts: Mapping[int, float],
    *,
    keep: int | None,
    spare: Mapping[int, float] | None = None,
) -> list[int]:
    """Ids of the tokens to keep, rising.

    Always kept are: tokens that the tokenizer ``named``, added tokens but unused placeholders, the unknown
    token, tokens of bytes, and single characters (all of them, but where bytes can stand for them: then those
    of the Latin script and its punctuation). Then tokens by falling count, equal ones by rising id, each with
    its pieces, as long as all fit; then those of ``spare`` in the same way.

    Args:
        pairs: the vocabulary.
        added: added tokens → ids.
        named: ids that post-processing or a caller needs.
        counts: id → how often the texts have it.
        keep: most tokens; ``None`` for all of ``counts``.
        spare: what fills up where ``keep`` leaves room; nothing else is taken.

    Raises:
        UsageError: not even those fit that are always kept.
    """
    text_of = {i: token for token, i in pairs.ids.items()}
    kept: set[int] = set()
    for i in sorted({*named, *_always(pairs), *_used_added(added, counts)}):
        kept |= _with_pieces(pairs, text_of.get(i), i)
    if keep is not None and len(kept) > keep:
        raise UsageError(
            f"vocabulary: {keep:,} tokens, but {len(kept):,} are needed for any text",
            f"keep {len(kept):,} or more",
        )
    for i in (*_falling(counts), *(() if keep is None else _falling(spare or {}))):
        if i in kept:
            continue
        if keep is not None and len(kept) >= keep:
            break
        more = _with_pieces(pairs, text_of.get(i), i) - kept
        if keep is None or len(kept) + len(more) <= keep:
            kept |= more
    return sorted(kept)


def _falling(counts: Mapping[int, float]) -> list[int]:
    return sorted(counts, key=lambda i: (-counts[i], i))


def _with_pieces(pairs: BytePairs, token: str | None, i: int) -> set[int]:
    """A token without pieces is one that only added tokens or whole words give: it needs none."""
    pieces = None if token is None else pairs.pieces(token)
    return {i} | {pairs.ids[piece] for piece in pieces or ()}


def _always(pairs: BytePairs) -> set[int]:
    found = {i for token, i in pairs.ids.items() if len(token) == 1 and _kept_character(pairs, token)}
    if pairs.byte_fallback:
        found |= {i for n in range(256) if (i := pairs.ids.get(f"<0x{n:02X}>", -1)) >= 0}
    if pairs.unknown is not None:
        found.add(pairs.ids[pairs.unknown])
    return found


def _kept_character(pairs: BytePairs, character: str) -> bool:
    return not pairs.byte_fallback or any(low <= ord(character) <= high for low, high in _ALPHABET)


def _used_added(added: Mapping[str, int], counts: Mapping[int, float]) -> set[int]:
    return {i for token, i in added.items() if i in counts or not PLACEHOLDER.fullmatch(token)}
