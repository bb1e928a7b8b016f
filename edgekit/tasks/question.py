"""What a language model is asked about a text: the words around it, and what the answer looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgekit.errors import UsageError
from edgekit.processing.grammar import Field, Grammar, json_object
from edgekit.tasks.generate import Generate
from edgekit.tasks.settings import MAX_TOKENS, Settings
from edgekit.types import Generation, Result, TextRegions

TEXT, FIELDS = "{text}", "{fields}"
"""Places in a prompt: of the text, and of the names of the fields."""

FIELDS_PROMPT = "{text}\n\nGive the {fields} of this text as JSON."
"""Asked where fields are wanted and nobody words the question."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about texts.

    Attributes:
        prompt: what is asked; ``{text}`` stands for the text, ``{fields}`` for the fields' names.
        fields: name → type of what the answer holds, as :func:`edgekit.processing.grammar.json_object` takes them; it
            is any text where there are none.
        max_tokens: of the answer.
        grammar: follows from the fields.
    """

    prompt: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    max_tokens: int = MAX_TOKENS
    grammar: Grammar | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        prompt = self.prompt or (FIELDS_PROMPT if self.fields else TEXT)
        if TEXT not in prompt:
            raise UsageError(
                f"prompt: expected {TEXT} in it, got {prompt!r}", f"write {TEXT} where the text goes"
            )
        object.__setattr__(self, "prompt", prompt)
        object.__setattr__(self, "grammar", json_object(self.fields) if self.fields else None)

    def about(self, text: str) -> str:
        """The question about a text. What the text itself holds is no place to fill."""
        before, *parts = (part.replace(FIELDS, ", ".join(self.fields)) for part in self.prompt.split(TEXT))
        return before + "".join(text + part for part in parts)

    def ask(self, model: Generate, text: str) -> Generation:
        """The model's answer, greedily. What it was asked before plays no part.

        Raises:
            DataError: the question does not fit the context.
            UsageError: the fields may need more tokens than the answer may have.
        """
        return model(self.about(text), settings=Settings(self.max_tokens, grammar=self.grammar))

    def values(self, answer: Generation) -> dict[str, Any] | None:
        """Values of the fields; None where none were asked for."""
        return json.loads(answer.text) if self.fields else None


def text_of(result: Result) -> str:
    """The text of a result, for a language model: lines of a picture, what was said.

    Raises:
        UsageError: a result that is no text.
    """
    if isinstance(result, TextRegions):
        return "\n".join(result.texts)
    if isinstance(result, Generation):
        return result.text
    raise UsageError(
        f"--then: expected a bundle that reads text, got {type(result).__name__}",
        "name an ocr or transcribe bundle",
    )
