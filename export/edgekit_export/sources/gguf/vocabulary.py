"""The tokens of a GGUF file: ``tokenizer.ggml.*``, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgekit.errors import ModelError
from edgekit_export.architectures.settings import Settings
from edgekit_export.sources.text_model import TURN_ENDS

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
"""``llama_token_type`` of llama.h."""

MAX_TOKEN_CHARACTERS = 1024
"""The longest of real vocabularies are runs of some hundred spaces; the work on a token grows with its square."""

_PREFIX = "tokenizer.ggml."


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a GGUF file says of its tokens.

    Attributes:
        model: ``gpt2`` (bytes, merges) or ``llama`` (sentencepiece's BPE, scores).
        pre: how text is cut before: ``tokenizer.ggml.pre``.
        tokens: text by id.
        types: kind by id.
        scores: by id, higher merges first; empty for ``gpt2``.
        merges: ``"left right"`` in their order; empty for ``llama``.
        space_prefix: a space is put before each text.
        first: id that each text begins with.
        ends: ids that end an answer.
        special: ``bos``, ``eos``, ``unk``, ``pad`` → id.
    """

    model: str
    pre: str
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    scores: tuple[float, ...]
    merges: tuple[str, ...]
    space_prefix: bool
    first: int | None
    ends: tuple[int, ...]
    special: Mapping[str, int]


def read_vocabulary(metadata: Mapping[str, Any], where: str) -> Vocabulary:
    """The vocabulary of a file.

    Raises:
        ModelError: it has none, or one of another kind, damaged, or with tokens twice.
    """
    said = Settings({k.removeprefix(_PREFIX): v for k, v in metadata.items() if k.startswith(_PREFIX)}, where)
    model = said.values.get("model")
    if model not in ("gpt2", "llama"):
        raise ModelError(
            f"{where}: tokenizer.ggml.model: expected gpt2 or llama, got {str(model)[:80]!r}",
            "export from the Hugging Face folder of the model, which has a tokenizer.json",
        )
    tokens = _texts(said, "tokens")
    if len(set(tokens)) != len(tokens):
        raise ModelError(f"{where}: tokenizer.ggml.tokens: some of its {len(tokens)} texts are there twice")
    longest = max(map(len, tokens))
    if longest > MAX_TOKEN_CHARACTERS:
        raise ModelError(
            f"{where}: tokenizer.ggml.tokens: one has {longest} characters, expected at most {MAX_TOKEN_CHARACTERS}"
        )
    types = tuple(_numbers(said, "token_type", len(tokens), int)) or (NORMAL,) * len(tokens)
    spaced = model == "llama"
    special = {
        short: _token(said, f"{name}_token_id", len(tokens))
        for short, name in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))
        if said.has(f"{name}_token_id")
    }
    return Vocabulary(
        model=model,
        pre=str(said.values.get("pre") or "default"),
        tokens=tokens,
        types=types,
        scores=tuple(_numbers(said, "scores", len(tokens), float)) if spaced else (),
        merges=() if spaced else _texts(said, "merges"),
        space_prefix=said.flag("add_space_prefix", spaced),
        first=special.get("bos") if said.flag("add_bos_token", spaced) else None,
        ends=_ends(said, tokens, types, special),
        special=special,
    )


def _ends(
    said: Settings, tokens: tuple[str, ...], types: tuple[int, ...], special: Mapping[str, int]
) -> tuple[int, ...]:
    found = {special["eos"]} if "eos" in special else set()
    found |= {_token(said, key, len(tokens)) for key in ("eot_token_id", "eom_token_id") if said.has(key)}
    found |= {i for i, text in enumerate(tokens) if types[i] == CONTROL and text in TURN_ENDS}
    if not found:
        raise ModelError(f"{said.where}: tokenizer.ggml.eos_token_id is missing: no token ends an answer")
    return tuple(sorted(found))


def _token(said: Settings, key: str, count: int) -> int:
    value = said.values[key]
    if type(value) is not int or not 0 <= value < count:
        raise ModelError(
            f"{said.where}: {_PREFIX}{key}: expected one of {count} tokens, got {str(value)[:80]}"
        )
    return value


def _texts(said: Settings, key: str) -> tuple[str, ...]:
    found = said.values.get(key)
    if not isinstance(found, list) or not found or not all(isinstance(text, str) for text in found):
        raise ModelError(
            f"{said.where}: {_PREFIX}{key}: expected a list of texts, got {type(found).__name__}"
        )
    return tuple(found)


def _numbers(said: Settings, key: str, count: int, kind: type) -> list[Any]:
    """One number a token; none where the file has none and can do without."""
    found = said.values.get(key)
    if found is None and key == "token_type":
        return []
    if not isinstance(found, list) or len(found) != count or not all(type(one) is kind for one in found):
        raise ModelError(f"{said.where}: {_PREFIX}{key}: expected {count} numbers, one a token")
    if not all(map(math.isfinite, found)):
        raise ModelError(f"{said.where}: {_PREFIX}{key}: expected finite numbers")
    return found
