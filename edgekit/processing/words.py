"""Between texts and tokens of a language model: its tokenizer, its first token, its chat template."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from edgekit.bundle.manifest import LogitsHead
from edgekit.bundle.messages import some_of
from edgekit.errors import DataError, EnvironmentLacks
from edgekit.processing.tokens import check_text, load_tokenizer, tokenizer_faults
from edgekit.processing.typed import Typed

if TYPE_CHECKING:
    from edgekit.processing.chat_template import ChatTemplate
    from edgekit.processing.token_bytes import TokenBytes

Prompt: TypeAlias = "str | Sequence[Mapping[str, Any]] | Sequence[int]"
"""What a language model is given: a text, which is a user's turn where the model knows turns; the turns of a
conversation, each with ``role`` and ``content``; or tokens as they are."""


class Words:
    """See the module.

    Args:
        head: names the members.
        folder: holds them.

    Raises:
        BundleError: a member that cannot be used.
        EnvironmentLacks: tokenizers is not installed.
    """

    def __init__(self, head: LogitsHead, folder: Path) -> None:
        self._head, self._folder = head, folder
        self._template: ChatTemplate | None = None
        with suppress(EnvironmentLacks):  # whoever gives it turns is told what to install
            self._template = self._load_template()
        self.tokenizer = load_tokenizer(folder / head.tokenizer)
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def prompt(self, given: Prompt, change: Callable[[str], str] = str) -> list[int]:
        """Tokens that the model is given.

        Args:
            given: see :data:`Prompt`.
            change: what is done to the whole text before it is cut: marks of pictures become all their tokens.

        Raises:
            DataError: nothing, or no text, or turns that the template refuses or that there is no template for.
        """
        if isinstance(given, str):
            if self._head.chat_template is None:
                return self.tokens(change(given))
            given = [{"role": "user", "content": given}]
        if not isinstance(given, Sequence) or not given:
            raise DataError(f"prompt: expected a text, turns or tokens, got {type(given).__name__}")
        ids = [token for token in given if isinstance(token, int)]
        turns = [turn for turn in given if isinstance(turn, Mapping)]
        if len(given) not in (len(ids), len(turns)):
            raise DataError("prompt: expected turns or tokens, got a mixture")
        return self._checked(ids) if ids else self._encoded(change(self.text(turns)), first=False)

    def text(self, messages: Sequence[Mapping[str, Any]]) -> str:
        """Turns as the chat template writes them, up to where the model answers, with quotes around special tokens that
        the turns spell.

        Raises:
            DataError: there is no template, or it refuses these turns.
        """
        for message in messages:
            if not isinstance(message.get("role"), str) or "content" not in message:
                raise DataError(f"prompt: expected turns with role and content, got {some_of(message)}")
        template = self._template or self._load_template()
        if template is None:
            raise DataError("prompt: this model knows no turns", "give it a text")
        return template.render(self._typed.quoted(messages))

    def _load_template(self) -> ChatTemplate | None:
        if self._head.chat_template is None:
            return None
        from edgekit.processing.chat_template import ChatTemplate

        source = (self._folder / self._head.chat_template).read_text(encoding="utf-8")
        return ChatTemplate(source, self._head.token_texts)

    def tokens(self, text: str) -> list[int]:
        """Tokens of a text that stands for itself, behind the first token if the model has one."""
        return self._encoded(text, first=True)

    def decode(self, tokens: Sequence[int]) -> str:
        """Text of tokens, special ones left out."""
        with tokenizer_faults(self._head.tokenizer):
            return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True))

    @cached_property
    def token_bytes(self) -> TokenBytes:
        """Of all tokens, found once; see :func:`edgekit.processing.token_bytes.token_bytes`."""
        from edgekit.processing.token_bytes import token_bytes

        return token_bytes(self.tokenizer, self._head.vocabulary)

    def _encoded(self, text: str, *, first: bool) -> list[int]:
        check_text(text, "shorten it")
        if not first:
            return self._checked(self._typed.encode(text))
        with tokenizer_faults(self._head.tokenizer):
            ids = list(self.tokenizer.encode(text, add_special_tokens=False).ids)
        return self._checked(ids if self._head.first is None else [self._head.first, *ids])

    @cached_property
    def _typed(self) -> Typed:
        return Typed(self.tokenizer, self._head.tokenizer)

    def _checked(self, ids: list[int]) -> list[int]:
        if not ids:
            raise DataError("text: gives no token", "give it a text that is not empty")
        if not 0 <= min(ids) <= max(ids) < self._head.vocabulary:
            raise DataError(
                f"prompt: expected tokens of 0 to {self._head.vocabulary - 1}, got {min(ids)} to {max(ids)}"
            )
        return ids
