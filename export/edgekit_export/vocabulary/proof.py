"""That a pruned tokenizer loses no text: what goes in comes out as it did before, whatever the text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgekit.errors import ModelError
from edgekit_export.vocabulary.counts import library_faults


def prove(before: Any, after: Any, new_of: dict[int, int], texts: Iterable[str]) -> int:  # noqa: ANN401
    """Number of texts whose tokens all stayed, after all were found to be as they should.

    Args:
        before, after: the tokenizers library's objects.
        new_of: old id → new id.
        texts: to try it on.

    Raises:
        ModelError: a token has another id than planned, a text comes back otherwise than before, or a text
            of kept tokens alone is cut otherwise.
    """
    wanted = {token: new_of[i] for token, i in before.get_vocab().items() if i in new_of}
    if (got := after.get_vocab()) != wanted:
        differ = sorted(set(got.items()) ^ set(wanted.items()))
        raise ModelError(f"pruned tokenizer: expected other ids, first {differ[0]}, {len(differ)} in all")
    whole = 0
    for text in texts:
        with library_faults():  # of what it can read, such as a template of tokens that it does not name
            ids, pruned = (side.encode(text).ids for side in (before, after))
            back, again = (
                side.decode(i, skip_special_tokens=False) for side, i in ((before, ids), (after, pruned))
            )
        if back != again:
            raise ModelError(f"pruned tokenizer: {text!r} comes back as {again!r}, expected {back!r}")
        if new_of.keys() >= set(ids):
            whole += 1
            if pruned != [new_of[i] for i in ids]:
                raise ModelError(f"pruned tokenizer: {text!r} is made of kept tokens and cut otherwise")
    return whole
