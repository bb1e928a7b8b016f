"""Answers about pictures: a language model that a graph for pictures gives features in place of tokens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.manifest import Variant
from edgekit.engines.protocol import Engine, EngineOptions
from edgekit.errors import BundleError
from edgekit.machine import give_memory_back
from edgekit.processing.image_prompt import MARKS, check_marks, expand_marks
from edgekit.processing.words import Prompt
from edgekit.tasks.decoder import DECODE, EMBED
from edgekit.tasks.generate import Generate
from edgekit.tasks.given import Given
from edgekit.tasks.picture import Image, Images, Picture, cut, cut_all
from edgekit.tasks.places import placed, with_places
from edgekit.tasks.reply import Reply
from edgekit.tasks.settings import Settings
from edgekit.tasks.trace import Trace
from edgekit.tasks.vision import VISION, Seen, Vision
from edgekit.types import Content, Frame, Generation, Kind, Question

DESCRIBE = "Describe this picture."
"""Asked where somebody gives a picture and no question."""


class VisionLanguage(Generate):
    """A loaded vision-language model; see :class:`edgekit.tasks.protocol.Task`.

    It answers texts as :class:`~edgekit.tasks.generate.Generate` does, and questions about pictures. Of a prompt that
    begins as the one before did, only the rest goes through the model, pictures included: they are the same where
    their pixels are. What the graph for pictures made of the last few is kept too.
    """

    name = "vision_language"
    accepts: Kind = "picture"
    roles = frozenset({VISION, EMBED, DECODE})

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options)
        if EMBED not in self.sessions:
            raise BundleError(f"variant {variant.name}: {DECODE} takes ids, {self.name} expects embeddings")
        self.vision = Vision(variant, folder, engine, options)
        give_memory_back()
        embedded = self.sessions[EMBED].outputs[0]
        if embedded.shape[-1:] != (self.vision.hidden,):
            raise BundleError(
                f"variant {variant.name}: {VISION} gives rows of {self.vision.hidden}, {EMBED} {embedded.form}"
            )
        check_marks(self.words.tokenizer, self.vision.head, self.tokenizer)
        self.sessions = {VISION: self.vision.session, **self.sessions}

    def __call__(
        self,
        given: Content | Question | Image | Sequence[Any],
        trace: Trace | None = None,
        settings: Settings = Settings(),  # noqa: B008 (immutable)
        image: Images = None,
    ) -> Generation:
        """The whole answer.

        Args:
            given: a question about a picture; a prompt, which ``image`` may belong to, see :meth:`stream`; or a
                picture, which is to be described: one of :meth:`picture`, a frame, an array, a PIL image, a ``Path``.
            trace: receives stage times and engine calls, and with them all scores: for short answers.
            settings: how it is made.
            image: see :meth:`stream`.

        Raises:
            DataError: no prompt, one that does not fit the context, or a picture that cannot be read.
            ModelError: the engine failed.
        """
        prompt: Any = given
        if isinstance(given, Question):
            prompt, image = given.text, given.frame
        elif _is_picture(given):
            prompt, image = DESCRIBE, given
        return self.stream(prompt, image, settings=settings, trace=trace).generation

    def stream(
        self,
        given: Prompt,
        image: Images = None,
        *,
        settings: Settings = Settings(),  # noqa: B008 (immutable)
        trace: Trace | None = None,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> Reply:
        """The answer in pieces; see :meth:`edgekit.tasks.generate.Generate.stream`.

        Args:
            given: a text, turns or tokens. The contents of turns are texts, or lists of ``{"type": "text", "text": …}``
                and ``{"type": "image"}``; where no turn has such a place, pictures come before the user's first text.
            image: the pictures in the order of their places: one, or a list; each a frame, a ``(height, width, 3)``
                uint8 RGB array, a PIL image, a path, or a :class:`~edgekit.tasks.picture.Picture`.
            settings, trace, now_ns: as there. ``settings.cancelled`` is asked before each tile too.
        """
        return Reply(self._answer(lambda: self._read(given, image), settings, trace, now_ns))

    def picture(self, image: Image) -> Picture:
        """A picture cut for this model: whoever asks about it more than once gives this to :meth:`stream`.

        Raises:
            DataError: it cannot be read, or is no picture.
        """
        return cut(image, self.vision.input)

    def given(self, prompt: Prompt, image: Images = None) -> Given:
        """What the model is given of a prompt; see :meth:`stream` for both."""
        return self._read(prompt, image)

    def forget(self) -> None:
        """The next prompt and its pictures go through the model whole."""
        super().forget()
        self.vision.forget()

    def _read(self, given: Prompt, images: Images) -> Given:
        pictures, head = cut_all(images, self.vision.input), self.vision.head
        if isinstance(given, str) and self.knows_turns:
            given = [{"role": "user", "content": given}]
        elif isinstance(given, str):
            given = MARKS[head.layout].picture * len(pictures) + given
        if isinstance(given, Sequence) and not isinstance(given, str):
            turns = [turn for turn in given if isinstance(turn, Mapping)]
            given = with_places(turns, len(pictures)) if len(turns) == len(given) else given
        grids = [(picture.tiles.rows, picture.tiles.columns) for picture in pictures]
        tokens = self.words.prompt(given, lambda text: expand_marks(text, grids, head))
        return placed(tokens, pictures, head)

    def _look(
        self, tiles: Sequence[bytes], given: Given, settings: Settings, trace: Trace | None
    ) -> Seen | None:
        return self.vision.look(tiles, given.tiles, settings.cancelled or (lambda: False), trace)


def _is_picture(given: object) -> bool:
    pil = sys.modules.get("PIL.Image")
    return isinstance(given, Picture | Frame | Path | np.ndarray) or (
        pil is not None and isinstance(given, pil.Image)
    )
