"""What a language model's weights are fitted to: texts, or questions about pictures with the reference's answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from edgekit.data.dataset import Dataset
from edgekit.errors import DataError
from edgekit.tasks.settings import Settings
from edgekit.tasks.vision_language import VisionLanguage
from edgekit.types import F32, Array, Question
from edgekit_export.quantize.text_calibration import calibration_sequences
from edgekit_export.quantize.text_stream import Placed, as_they_are, with_features
from edgekit_export.sources.text_model import TextModel
from edgekit_export.vocabulary.counts import read_library

_TOKENS, _PATCHES = 4096, 16_384
"""Most of a calibration with pictures: what more would give is within what other questions change."""

_ASKED = 512
_ANSWER_TOKENS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """Inputs of every part of a model.

    Attributes:
        sequences: ``(sequences, tokens)`` int64; placeholders where pictures are.
        placed: puts features into the embeddings of all of them.
        pictures: ``(pictures, 3, size, size)`` float32; ``None`` for a model without eyes.
        blocks: ``(sequences, tokens)`` int64, the number of a place's picture, -1 of a text's token; ``None`` where
            pictures do not look both ways.
    """

    sequences: Array
    placed: Placed = as_they_are
    pictures: F32 | None = None
    blocks: Array | None = None


def of_texts(model: TextModel, texts: Dataset) -> Calibrated:
    """Pieces of texts.

    Raises:
        DataError: there is too little text.
    """
    library = read_library(model.words.tokenizer)
    found = calibration_sequences(
        (str(sample.content) for sample in texts),
        lambda text: library.encode(text, add_special_tokens=False).ids,
        model.words.first,
    )
    return Calibrated(found)


def of_questions(
    task: VisionLanguage, questions: Dataset, patches: int, advance: Callable[[], None]
) -> Calibrated:
    """Prompts as the model is given them, with the beginnings of the answers that it gives itself.

    Those of the length that most have are taken: sequences are calibrated on side by side.

    Args:
        task: in full precision.
        questions: about pictures.
        patches: of a tile.
        advance: called after each that is asked.

    Raises:
        DataError: there are none.
    """
    asked, lengths = [], Counter[int]()
    for question in _evenly(questions):
        given = task.given(question.text, question.frame)
        answer = task(question, settings=Settings(max_tokens=_ANSWER_TOKENS)).tokens
        asked.append((given, [*given.tokens, *answer]))
        lengths[len(asked[-1][1])] += 1
        advance()
        length, count = lengths.most_common(1)[0]
        if length * count >= _TOKENS:
            break
    if not asked:
        raise DataError("calibration: has no questions", "give a table with image, question and answer")
    chosen = [one for one in asked if len(one[1]) == length]
    rows, pictures = [], {}
    for given, _ in chosen:
        seen = task.vision.look(given.tiles_from(0), given.tiles)
        assert seen is not None
        rows += [seen.features[item.tile][item.row] for item in given.items if not isinstance(item, int)]
        pictures |= given.tiles
    sequences = np.asarray([tokens for _, tokens in chosen], np.int64)
    places, some = sequences == task.vision.head.placeholder, list(pictures.values())
    some = some[: max(_PATCHES // patches, 1)]
    return Calibrated(
        sequences,
        with_features(places, np.stack(rows)),
        np.concatenate([pixels() for pixels in some]),
        numbered(places) if task.vision.head.both_ways else None,
    )


def numbered(places: Array) -> Array:
    """Each run of places by its number in its sequence, from 0; -1 elsewhere.

    Args:
        places: ``(sequences, tokens)`` bool.
    """
    begins = places & ~np.pad(places, ((0, 0), (1, 0)))[:, :-1]
    return np.where(places, np.cumsum(begins, axis=1) - 1, -1)


def _evenly(questions: Dataset) -> Iterable[Question]:
    for sample in questions if len(questions) <= _ASKED else questions.limited(_ASKED):
        content = sample.load()
        if isinstance(content, Question):
            yield content
