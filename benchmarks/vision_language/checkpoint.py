"""What both made-up checkpoints share: SmolLM2's tokenizer with more marks, and how a folder is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from edgekit_export.sources.text_source import text_source

VOCABULARY = 49_280
"""Tokens, as SmolVLM has them."""


def tokenizer(marks: Sequence[str], reserved: str, last: Sequence[str] = ()) -> Tokenizer:
    """SmolLM2's, out of the package of `smollm2-135m`, with special tokens behind it: marks, reserved ones, last ones.

    Args:
        marks: that come first.
        reserved: names a place that is left, with `{}` for its number.
        last: at the very end.
    """
    found = text_source("smollm2-135m")
    assert found is not None
    made = Tokenizer.from_str(found.model.words.tokenizer.decode())
    spare = VOCABULARY - made.get_vocab_size() - len(marks) - len(last)
    added = [*marks, *map(reserved.format, range(spare)), *last]
    made.add_special_tokens([AddedToken(mark, normalized=False) for mark in added])
    return made


def write_checkpoint(folder: Path, network: Any, words: Tokenizer, settings: Mapping[str, Any]) -> None:
    """Writes a folder as the hub has it.

    Args:
        folder: gets the files.
        network: of transformers.
        words: its tokenizer.
        settings: file name → what it holds.
    """
    network.save_pretrained(folder)
    words.save(str(folder / "tokenizer.json"))
    for name, values in settings.items():
        (folder / name).write_text(json.dumps(values, indent=1) + "\n")
    count = sum(value.numel() for value in network.parameters())
    print(f"{folder}: {count:,} random weights, {words.get_vocab_size():,} tokens")
