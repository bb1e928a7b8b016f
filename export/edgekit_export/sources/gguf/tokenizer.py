"""A ``tokenizer.json`` of the tokenizers library, made of a GGUF file's vocabulary.

Built here and not by transformers, whose conversion sets beginnings and spaces by the architecture's name.
"""

from __future__ import annotations

import json
from typing import Any

from edgekit.errors import ModelError
from edgekit_export.sources.gguf.merges import merges_of
from edgekit_export.sources.gguf.vocabulary import CONTROL, NORMAL, UNKNOWN, USER_DEFINED, Vocabulary
from edgekit_export.vocabulary.compact import Pair, merge_lines

_BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_CUTS: dict[str, list[dict[str, Any]]] = {
    "gpt-2": [_BYTE_LEVEL],
    "smollm": [{"type": "Digits", "individual_digits": True}, _BYTE_LEVEL],
}
"""``tokenizer.ggml.pre`` of bytes' vocabularies → how text is cut before merging."""

_SPACE = "▁"


def tokenizer_json(known: Vocabulary, where: str) -> bytes:
    """The tokenizer, without what puts a first token: :attr:`Vocabulary.first` says that.

    Args:
        known: the vocabulary.
        where: the file, for messages.

    Raises:
        ModelError: texts are cut in a way that is not known, or the merges are damaged.
    """
    made = _of_bytes(known, where) if known.model == "gpt2" else _of_pieces(known)
    added = [
        {
            "id": i,
            "content": text,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": kind != USER_DEFINED,
        }
        for i, (text, kind) in enumerate(zip(known.tokens, known.types, strict=True))
        if kind in (CONTROL, UNKNOWN, USER_DEFINED) and text
    ]
    data = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "post_processor": None,
        **made,
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def _of_bytes(known: Vocabulary, where: str) -> dict[str, Any]:
    """Byte-level BPE (Radford et al. 2019)."""
    if known.pre not in _CUTS:
        raise ModelError(
            f"{where}: tokenizer.ggml.pre: no way to cut texts as {known.pre[:80]!r} does",
            f"supported are {', '.join(sorted(_CUTS))}; or export from the model's Hugging Face folder",
        )
    texts = set(known.tokens)
    for merge in known.merges:
        left, _, right = merge.partition(" ")
        if left not in texts or right not in texts or left + right not in texts:
            raise ModelError(
                f"{where}: tokenizer.ggml.merges: {merge[:80]!r} is no merge of two tokens into a third"
            )
    return {
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": _CUTS[known.pre]},
        "decoder": _BYTE_LEVEL,
        "model": _bpe(known, list(known.merges)),
    }


def _of_pieces(known: Vocabulary) -> dict[str, Any]:
    """Sentencepiece's BPE: spaces are characters, unknown characters become bytes."""
    order = sorted(
        (i for i, kind in enumerate(known.types) if kind == NORMAL), key=lambda i: (-known.scores[i], i)
    )
    merges = merges_of(known.tokens[i] for i in order)
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": _SPACE}
    prepend = [{"type": "Prepend", "prepend": _SPACE}] if known.space_prefix else []
    decoders: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": _SPACE}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if known.space_prefix:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    return {
        "normalizer": {"type": "Sequence", "normalizers": [*prepend, replace]},
        "pre_tokenizer": None,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": _bpe(known, merge_lines(merges), pieces=True),
    }


def _bpe(known: Vocabulary, merges: list[str] | list[Pair], *, pieces: bool = False) -> dict[str, Any]:
    unknown = known.special.get("unk")
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": known.tokens[unknown] if pieces and unknown is not None else None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": pieces,
        "byte_fallback": pieces,
        "ignore_merges": False,
        "vocab": {text: i for i, text in enumerate(known.tokens)},
        "merges": merges,
    }
