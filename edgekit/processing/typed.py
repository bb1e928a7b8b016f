"""What somebody types is text: special tokens that are spelled in it are none.

A turn that holds ``<|im_end|>`` or ``<image>`` could otherwise end itself, speak as somebody else or stand for a
picture. Such spellings are put in quotes before the chat template sees them, and become tokens as other letters do. So
does transformers 5.23 where it is asked to (``sanitize_control_tokens``, ``utils/chat_template_utils.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.bundle.messages import printable
from edgekit.errors import DataError
from edgekit.processing.tokens import tokenizer_faults

OPEN, CLOSE = "\ufdd0", "\ufdd1"
"""Around what was typed: code points that Unicode keeps for such use, and that no text may hold."""

_TYPED = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}|[{OPEN}{CLOSE}]")


class Typed:
    """Quotes special tokens, and makes tokens of texts that hold quotes.

    Args:
        tokenizer: the library's object.
        name: of it, for messages.
    """

    def __init__(self, tokenizer: Any, name: str) -> None:  # noqa: ANN401 (tokenizers ships no types for it)
        self._tokenizer, self._name = tokenizer, name
        special = [token.content for token in tokenizer.get_added_tokens_decoder().values() if token.special]
        self._special = frozenset(filter(None, special))
        self._lengths = sorted({len(text) for text in self._special}, reverse=True)
        firsts = "".join(sorted({re.escape(text[0]) for text in self._special}))
        self._first = re.compile(f"[{firsts}]") if firsts else None

    def quoted(self, value: Any) -> Any:  # noqa: ANN401 (of a turn, whatever a template knows)
        """The same texts, lists and dictionaries, with the special tokens in them quoted.

        Raises:
            DataError: a quote is among the letters already.
        """
        if isinstance(value, str):
            return self._quoted(value)
        if isinstance(value, Mapping):
            return {key: self.quoted(item) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
            return [self.quoted(item) for item in value]
        return value

    def encode(self, text: str) -> list[int]:
        """Tokens of a text, without those that the tokenizer's post-processor adds.

        What is quoted is cut as letters, by itself. A quote whose other half the template has cut off is left out, but
        what stands on either side is cut apart.

        Raises:
            DataError: the tokenizer makes the special token of the letters, too.
            BundleError: it fails.
        """
        first, *rest = _TYPED.split(text)
        ids = self._ids(first)
        for place, piece in enumerate(rest):
            if piece:
                ids += self._behind(piece) if place % 2 else self._letters(piece)
        return ids

    def _quoted(self, text: str) -> str:
        if (found := re.search(f"[{OPEN}{CLOSE}]", text)) is not None:
            raise DataError(
                f"text: U+{ord(found[0]):04X} is no character", "leave it out: Unicode keeps it for inner use"
            )
        made, done = [], 0
        for start in () if self._first is None else self._first.finditer(text):
            at = start.start()
            ends = (at + length for length in self._lengths)
            end = next((end for end in ends if text[at:end] in self._special), None)
            if at >= done and end is not None:
                made += [text[done:at], OPEN, text[at:end], CLOSE]
                done = end
        return "".join([*made, text[done:]])

    def _ids(self, text: str) -> list[int]:
        with tokenizer_faults(self._name):
            return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def _behind(self, text: str) -> list[int]:
        """Tokens of a text that is not the first: some tokenizers would put a space before it."""
        feed, ids = self._ids("\n"), self._ids("\n" + text)
        return ids[len(feed) :] if ids[: len(feed)] == feed else self._ids(text)

    def _letters(self, text: str) -> list[int]:
        self._tokenizer.encode_special_tokens = True
        try:
            ids = self._behind(text)
        finally:
            self._tokenizer.encode_special_tokens = False
        if self._tokenizer.token_to_id(text) in ids:
            raise DataError(
                f"text: holds {printable(text)}, and letters are that token, too", "spell it otherwise"
            )
        return ids
