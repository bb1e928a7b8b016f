"""Results as they stand in a file: one JSON object each, exact to the bit."""

from __future__ import annotations

import base64
import binascii
from typing import TypeAlias

import numpy as np

from edgekit.errors import DataError
from edgekit.evaluation.outcome import Part
from edgekit.types import (
    F32,
    Array,
    ChoiceScores,
    Classification,
    Detections,
    Embedding,
    Generation,
    Result,
    TextRegions,
    TokenScores,
    VoiceActivity,
)

Vector: TypeAlias = str | tuple[float, ...]
"""Float32 values: base64 of them in little endian, as edgekit writes them, or plain numbers."""


class ClassScores(Part, frozen=True, tag="classification", tag_field="is"):
    """Scores of every class, in the order of the header's labels."""

    scores: Vector


class Lines(Part, frozen=True, tag="text_regions", tag_field="is"):
    """Lines of text; ``quads`` holds 8 numbers a line and may be left out, as ``scores`` may."""

    texts: tuple[str, ...]
    quads: Vector = ()
    scores: Vector = ()


class Objects(Part, frozen=True, tag="detections", tag_field="is"):
    """Objects; ``xyxy`` holds 4 numbers an object, in pixels of the source picture."""

    xyxy: Vector
    score: Vector
    index: tuple[int, ...]


class Point(Part, frozen=True, tag="embedding", tag_field="is"):
    """A vector."""

    vector: Vector


class Text(Part, frozen=True, tag="generation", tag_field="is"):
    """A text."""

    text: str


class Tokens(Part, frozen=True, tag="token_scores", tag_field="is"):
    """Log-probabilities of a text's tokens; ``top_index`` and ``top_logprob`` row by row."""

    logprob: Vector
    top_index: tuple[int, ...]
    top_logprob: Vector
    text_bytes: int
    tokenizer: str = ""
    divergence: float | None = None
    answer: tuple[int, ...] = ()
    answer_text: str = ""


class Choices(Part, frozen=True, tag="choice_scores", tag_field="is"):
    """Log-probabilities of the answers to choose from, each over its bytes."""

    scores: Vector


class Frames(Part, frozen=True, tag="voice_activity", tag_field="is"):
    """Probabilities of speech; ``segments_s`` holds 2 numbers a stretch and may be left out."""

    scores: Vector
    step_s: float
    threshold: float
    segments_s: Vector = ()


Record: TypeAlias = ClassScores | Lines | Objects | Point | Text | Tokens | Choices | Frames


def to_record(result: Result) -> Record:
    """What is written of a result."""
    match result:
        case Classification():
            return ClassScores(pack(result.scores))
        case TextRegions():
            return Lines(result.texts, pack(result.quads), pack(result.scores))
        case Detections():
            return Objects(pack(result.xyxy), pack(result.score), _ints(result.index))
        case Embedding():
            return Point(pack(result.vector))
        case Generation():
            return Text(result.text)
        case VoiceActivity():
            return Frames(pack(result.scores), result.step_s, result.threshold, pack(result.segments_s))
        case TokenScores():
            return Tokens(
                pack(result.logprob),
                _ints(result.top_index),
                pack(result.top_logprob),
                result.text_bytes,
                result.tokenizer,
                result.divergence,
                result.answer,
                result.answer_text,
            )
        case ChoiceScores():
            return Choices(pack(result.scores))


def to_result(record: Record, labels: tuple[str, ...], where: str) -> Result:
    """What was recorded.

    Args:
        record: as read.
        labels: of the header; classes are numbered in their order.
        where: names the entry in messages.

    Raises:
        DataError: values that do not fit each other, the labels, or are no numbers.
    """
    try:
        return _result(record, labels)
    except (DataError, ValueError, OverflowError) as error:
        raise DataError(f"{where}: {error}", "record the predictions again") from error


def _result(record: Record, labels: tuple[str, ...]) -> Result:
    match record:
        case ClassScores():
            return Classification(unpack(record.scores), labels)
        case Lines():
            n = len(record.texts)
            quads = unpack(record.quads) if record.quads else np.zeros(8 * n, np.float32)
            scores = unpack(record.scores) if record.scores else np.ones(n, np.float32)
            return TextRegions(quads.reshape(n, 4, 2), record.texts, scores)
        case Objects():
            index = np.array(record.index, np.int32)
            return Detections(unpack(record.xyxy).reshape(-1, 4), unpack(record.score), index, labels)
        case Point():
            return Embedding(unpack(record.vector))
        case Text():
            return Generation(record.text)
        case Frames():
            segments = unpack(record.segments_s).reshape(-1, 2)
            return VoiceActivity(unpack(record.scores), record.step_s, segments, record.threshold)
        case Tokens():
            logprob = unpack(record.logprob)
            shape = max(len(logprob), 1), -1
            top = np.array(record.top_index, np.int32).reshape(shape)
            more = record.text_bytes, record.tokenizer, record.divergence, record.answer, record.answer_text
            return TokenScores(logprob, top, unpack(record.top_logprob).reshape(shape), *more)
        case Choices():
            return ChoiceScores(unpack(record.scores))


def pack(values: Array) -> str:
    """Base64 of an array's values as float32, little endian, in C order."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode()


def unpack(vector: Vector) -> F32:
    """Float32 values of :func:`pack`, or of plain numbers; a broken model's NaN is what it said.

    Raises:
        DataError: not base64 of whole float32 values.
    """
    if isinstance(vector, tuple):
        return np.array(vector, np.float32)
    try:
        data = base64.b64decode(vector, validate=True)
    except (binascii.Error, ValueError) as error:
        raise DataError(f"not base64: {error}") from error
    if len(data) % 4:
        raise DataError(f"expected float32 values of 4 bytes each, got {len(data)} bytes")
    return np.frombuffer(data, "<f4").astype(np.float32)


def _ints(values: Array) -> tuple[int, ...]:
    return tuple(int(v) for v in values.reshape(-1))
