"""What a language model is asked about a text or a picture: the words around it, and what the answer looks like."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgekit.errors import UsageError
from edgekit.processing.grammar import Field, Grammar, json_object
from edgekit.tasks.generate import Generate
from edgekit.tasks.picture import Image
from edgekit.tasks.settings import MAX_TOKENS, Settings
from edgekit.tasks.vision_language import DESCRIBE, VisionLanguage
from edgekit.types import Generation, Result, TextRegions

TEXT, FIELDS = "{text}", "{fields}"
"""Places in a prompt: of the text, and of the names of the fields."""

FIELDS_PROMPT = "{text}\n\nGive the {fields} of this text as JSON."
"""Asked where fields are wanted and nobody words the question."""

PICTURE_FIELDS_PROMPT = "Give the {fields} of this picture as JSON."
"""The same of pictures."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question about texts, or about pictures.

    Attributes:
        prompt: what is asked; ``{text}`` stands for the text, ``{fields}`` for the fields' names.
        picture: whether it is about pictures; there is no ``{text}`` then.
        fields: name → type of what the answer holds, as :func:`edgekit.processing.grammar.json_object` takes them; it
            is any text where there are none.
        max_tokens: of the answer.
        grammar: follows from the fields.
    """

    prompt: str = ""
    fields: Mapping[str, Field] = field(default_factory=dict)
    max_tokens: int = MAX_TOKENS
    picture: bool = False
    grammar: Grammar | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        plain, of_fields = (DESCRIBE, PICTURE_FIELDS_PROMPT) if self.picture else (TEXT, FIELDS_PROMPT)
        prompt = self.prompt or (of_fields if self.fields else plain)
        if self.picture and TEXT in prompt:
            raise UsageError(f"prompt: a picture has no {TEXT}, got {prompt!r}", f"leave {TEXT} out")
        if not self.picture and TEXT not in prompt:
            raise UsageError(
                f"prompt: expected {TEXT} in it, got {prompt!r}", f"write {TEXT} where the text goes"
            )
        object.__setattr__(self, "prompt", prompt)
        object.__setattr__(self, "grammar", json_object(self.fields) if self.fields else None)

    def about(self, text: str) -> str:
        """The question about a text. What the text itself holds is no place to fill."""
        before, *parts = (part.replace(FIELDS, ", ".join(self.fields)) for part in self.prompt.split(TEXT))
        return before + "".join(text + part for part in parts)

    def settings(self, cancelled: Callable[[], bool] | None = None) -> Settings:
        """How the answer is made: greedily, so that what was asked before plays no part."""
        return Settings(self.max_tokens, grammar=self.grammar, cancelled=cancelled)

    def ask(self, model: Generate, text: str, image: Image = None) -> Generation:
        """The model's answer.

        Args:
            model: of vision and language where there is an image.
            text: what it is asked about; of a picture empty.
            image: the picture; see :meth:`edgekit.tasks.vision_language.VisionLanguage.stream`.

        Raises:
            DataError: the question does not fit the context, or the picture cannot be read.
            UsageError: the fields may need more tokens than the answer may have.
        """
        if isinstance(model, VisionLanguage):
            return model(self.about(text), settings=self.settings(), image=image)
        return model(self.about(text), settings=self.settings())

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
