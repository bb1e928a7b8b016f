"""The bytes that each token of a vocabulary stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgekit.errors import UsageError

_BYTE = re.compile(r"<0x([0-9A-F]{2})>\Z")


@dataclass(frozen=True, slots=True, eq=False)
class TokenBytes:
    """Bytes of all tokens, one behind the other.

    Attributes:
        data: ``(n,)`` uint8.
        starts: ``(vocabulary,)`` int64, where a token's bytes begin.
        lengths: ``(vocabulary,)`` int64; 0 for special tokens, and for numbers that are no token.
    """

    data: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]

    def of(self, token: int) -> bytes:
        """Of one token."""
        start = int(self.starts[token])
        return self.data[start : start + int(self.lengths[token])].tobytes()


def token_bytes(tokenizer: Any, vocabulary: int) -> TokenBytes:  # noqa: ANN401 (tokenizers ships no types for it)
    """Of a byte-level tokenizer (GPT-2's), or one of pieces with spaces as ▁ (SentencePiece's).

    Args:
        tokenizer: the library's object.
        vocabulary: how many tokens the model knows.

    Raises:
        UsageError: a tokenizer of another kind.
    """
    read = _reader(tokenizer)
    pieces = [b""] * vocabulary
    special = {number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special}
    for text, number in tokenizer.get_vocab(with_added_tokens=True).items():
        if number < vocabulary and number not in special:
            pieces[number] = read(text)
    lengths = np.array([len(piece) for piece in pieces], np.int64)
    data = np.frombuffer(b"".join(pieces), np.uint8)
    return TokenBytes(data, np.concatenate([[0], lengths.cumsum()[:-1]]), lengths)


def _reader(tokenizer: Any) -> Callable[[str], bytes]:  # noqa: ANN401
    """Token → bytes, as the tokenizer's own decoder has it."""
    steps = [] if tokenizer.decoder is None else list(_steps(json.loads(tokenizer.decoder.__getstate__())))
    kinds = [step["type"] for step in steps]
    if "ByteLevel" in kinds:
        return _byte_level
    space = next((_space(step) for step in steps if _space(step)), None)
    if space is None or not set(kinds) <= {"Replace", "Metaspace", "ByteFallback", "Fuse", "Strip"}:
        raise UsageError(
            f"choices and fields: expected a tokenizer of bytes or of SentencePiece's kind, got {kinds}",
            "leave them out",
        )
    return _pieces(space, "ByteFallback" in kinds)


def _steps(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from state.get("decoders", [state])


def _space(step: dict[str, Any]) -> str | None:
    """What stands for a space, if the step says so."""
    if step["type"] == "Metaspace":
        return str(step["replacement"])
    if step["type"] == "Replace" and step["content"] == " ":
        pattern = step["pattern"].get("String")
        return None if pattern is None else str(pattern)
    return None


def _letters() -> dict[str, int]:
    """GPT-2's letter → byte: printable bytes are their own letter, the others take those from U+0100 on."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(others)}


_LETTERS = _letters()


def _byte_level(text: str) -> bytes:
    try:
        return bytes([_LETTERS[letter] for letter in text])
    except KeyError:  # an added token is a text as it is
        return text.encode("utf-8", "surrogatepass")


def _pieces(space: str, has_bytes: bool) -> Callable[[str], bytes]:
    def read(text: str) -> bytes:
        if has_bytes and (byte := _BYTE.match(text)):
            return bytes([int(byte[1], 16)])
        return text.replace(space, " ").encode("utf-8", "surrogatepass")

    return read
