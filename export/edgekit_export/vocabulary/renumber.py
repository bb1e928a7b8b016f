"""A ``tokenizer.json`` with fewer tokens, numbered anew."""

from __future__ import annotations

from typing import Any

from edgekit.errors import ModelError
from edgekit_export.vocabulary.byte_pairs import BytePairs


def named_ids(parsed: dict[str, Any]) -> set[int]:
    """Ids that post-processing and padding name.

    Raises:
        ModelError: one of them is no number.
    """
    found: set[int] = set()
    _renumber_rest(parsed, _Seen(found))
    return found


def renumbered(parsed: dict[str, Any], pairs: BytePairs, new_of: dict[int, int]) -> dict[str, Any]:
    """The tokenizer with these tokens alone.

    Args:
        parsed: a ``tokenizer.json``; it is left as it is.
        pairs: its model.
        new_of: old id → new id of every token that stays.

    Raises:
        ModelError: post-processing or padding names a token that does not stay.
    """
    vocabulary = sorted((new_of[i], token) for token, i in pairs.ids.items() if i in new_of)
    tokens = {token for _, token in vocabulary}
    merges = [
        pair for pair in pairs.merges if pair[0] in tokens and pair[1] in tokens and "".join(pair) in tokens
    ]
    model = {**parsed["model"], "vocab": {token: i for i, token in vocabulary}, "merges": merges}
    added = [
        {**token, "id": new_of[token["id"]]}
        for token in parsed.get("added_tokens") or ()
        if token["id"] in new_of
    ]
    return {**parsed, **_renumber_rest(parsed, new_of), "added_tokens": added, "model": model}


class _Seen(dict[int, int]):
    """Notes what is looked up and gives it back."""

    def __init__(self, seen: set[int]) -> None:
        super().__init__()
        self._seen = seen

    def __missing__(self, key: int) -> int:
        self._seen.add(key)
        return key


def _renumber_rest(parsed: dict[str, Any], new_of: dict[int, int]) -> dict[str, Any]:
    """Post-processor and padding with new ids; truncation names none.

    Raises:
        ModelError: not the structure that the tokenizers library writes, or an id that does not stay.
    """
    try:
        padding = parsed.get("padding")
        return {
            "post_processor": _processor(parsed.get("post_processor"), new_of),
            "padding": padding and {**padding, "pad_id": new_of[padding["pad_id"]]},
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"tokenizer: post-processing or padding: {type(error).__name__}: {error}") from error


def _processor(given: dict[str, Any] | None, new_of: dict[int, int]) -> dict[str, Any] | None:
    if given is None:
        return None
    kind = given["type"]
    if kind == "ByteLevel":
        return given
    if kind == "Sequence":
        return {**given, "processors": [_processor(part, new_of) for part in given["processors"]]}
    if kind in ("BertProcessing", "RobertaProcessing"):
        ends = {name: [given[name][0], new_of[given[name][1]]] for name in ("sep", "cls")}
        return {**given, **ends}
    if kind == "TemplateProcessing":
        special = {
            name: {**token, "ids": [new_of[i] for i in token["ids"]]}
            for name, token in given["special_tokens"].items()
        }
        return {**given, "special_tokens": special}
    raise ModelError(
        f"tokenizer: the post-processor {kind!r} cannot be renumbered", "leave the vocabulary as it is"
    )
