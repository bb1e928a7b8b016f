"""Value types that pass between camera, tasks, loop, validator and command line.

They check themselves when made, and hold no file, session or clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Literal, TypeAlias

import numpy as np

from edgekit.arrays import F32, I8, U8, Array
from edgekit.errors import DataError, EnvironmentLacks
from edgekit.generation import ChoiceScores, Finish, Generation, Pace, TokenScores

__all__ = [
    "F32",
    "FOUND_SCORE",
    "I8",
    "U8",
    "Array",
    "ChoiceScores",
    "ClassScore",
    "Classification",
    "ColorOrder",
    "Content",
    "Detections",
    "Embedding",
    "Finish",
    "Frame",
    "Generation",
    "Kind",
    "Pace",
    "Question",
    "Result",
    "Sound",
    "TextRegions",
    "TokenScores",
    "VoiceActivity",
]

ColorOrder: TypeAlias = Literal["rgb", "bgr"]
Kind: TypeAlias = Literal["picture", "text", "sound"]
"""What a task is given."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture on its way through the loop.

    Attributes:
        pixels: ``(height, width, 3)`` uint8, 0–255.
        color: channel order of ``pixels``. Cameras give ``bgr``; it is converted after the resize, where it
            costs least, so never assume one.
        index: running number within its source, from 0.
        arrived_ns: monotonic clock when the frame was in memory (after the blocking read), or 0 for a still.
        capture_ns: how long the source took to read and decode it.
        name: where it came from (file name), empty for a camera.
    """

    pixels: U8
    color: ColorOrder = "rgb"
    index: int = 0
    arrived_ns: int = 0
    capture_ns: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        pixels = self.pixels
        if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 3:
            got = (
                f"{pixels.dtype} {pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
            )
            raise DataError(f"picture: expected a uint8 array (height, width, 3), got {got}")
        if pixels.shape[2] != 3 or 0 in pixels.shape:
            raise DataError(f"picture: expected shape (height, width, 3), none of them 0, got {pixels.shape}")

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """A recording of one channel.

    Attributes:
        samples: ``(n,)`` float32, full scale is -1 to 1; at least one.
        rate_hz: samples a second.
        name: where it came from (file name), empty if from nowhere.
    """

    samples: F32
    rate_hz: int
    name: str = ""

    def __post_init__(self) -> None:
        samples = self.samples
        if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1:
            got = (
                f"{samples.dtype} {samples.shape}"
                if isinstance(samples, np.ndarray)
                else type(samples).__name__
            )
            raise DataError(f"sound: expected a float32 array (n,), got {got}")
        if not samples.size or not np.isfinite(samples).all():
            raise DataError(
                f"sound: expected at least one sample, all finite, got {samples.size} samples"
                + ("" if not samples.size else ", some infinite or not a number")
            )
        if not self.rate_hz > 0:
            raise DataError(f"sound: expected a rate above 0 Hz, got {self.rate_hz}")

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples.size / self.rate_hz


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A question about a picture.

    Attributes:
        frame: the picture.
        text: the question.
    """

    frame: Frame
    text: str


Content: TypeAlias = Frame | str | Sound
"""What a task is given: a picture, a text or a sound."""


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class of a classification: its index, label and score (a probability for softmax heads)."""

    index: int
    label: str
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Classification:
    """Scores of every class.

    Attributes:
        scores: ``(classes,)`` float32, after the head's activation.
        labels: one label a class, in the same order.
    """

    scores: F32
    labels: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if self.scores.shape != (len(self.labels),):
            raise DataError(
                f"classification: expected {len(self.labels)} scores, got shape {self.scores.shape}"
            )

    def top(self, k: int = 5) -> list[ClassScore]:
        """The ``k`` best classes, best first; ties go to the lower index."""
        order = np.argsort(-self.scores, kind="stable")[: max(k, 0)]
        return [ClassScore(int(i), self.labels[i], float(self.scores[i])) for i in order]

    def as_json(self) -> dict[str, Any]:
        """The five best classes, as ``edgekit run --json`` prints them."""
        return {
            "top": [{"index": c.index, "label": c.label, "score": round(c.score, 6)} for c in self.top(5)]
        }


@dataclass(frozen=True, slots=True, eq=False)
class TextRegions:
    """Lines of text in a picture, in reading order.

    Attributes:
        quads: ``(n, 4, 2)`` float32 corners in pixels of the source picture: top left, top right, bottom
            right, bottom left of the text.
        texts: ``n`` strings.
        scores: ``(n,)`` float32, mean probability of the characters, 0–1.
    """

    quads: F32
    texts: tuple[str, ...]
    scores: F32

    def __post_init__(self) -> None:
        n = len(self.texts)
        if self.quads.shape != (n, 4, 2) or self.scores.shape != (n,):
            raise DataError(
                f"text regions: expected quads ({n}, 4, 2) and scores ({n},), "
                f"got {self.quads.shape} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return len(self.texts)

    def __iter__(self) -> Iterator[tuple[F32, str, float]]:
        return zip(self.quads, self.texts, (float(s) for s in self.scores), strict=True)

    @property
    def text(self) -> str:
        """All lines, one a row."""
        return "\n".join(self.texts)

    def as_json(self) -> dict[str, Any]:
        """Lines with corners, text and score, as ``edgekit run --json`` prints them."""
        return {
            "lines": [
                {"quad": np.round(q.astype(float), 1).tolist(), "text": t, "score": round(s, 6)}
                for q, t, s in self
            ]
        }


FOUND_SCORE = 0.3
"""From this score on an object counts as found, for detectors that do not say so themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Objects found in a picture, best first, down to scores that only average precision looks at.

    Attributes:
        xyxy: ``(n, 4)`` float32, left, top, right, bottom in pixels of the source picture.
        score: ``(n,)`` float32, 0–1.
        index: ``(n,)`` int32, class of each.
        labels: one label a class.
        found_score: from this score on an object counts as found, where one must say: to show, to decide.
    """

    xyxy: F32
    score: F32
    index: Array
    labels: tuple[str, ...] = field(repr=False)
    found_score: float = FOUND_SCORE

    def __post_init__(self) -> None:
        n = len(self.score)
        if self.xyxy.shape != (n, 4) or self.score.shape != (n,) or self.index.shape != (n,):
            raise DataError(
                f"detections: expected xyxy ({n}, 4), score and index ({n},), "
                f"got {self.xyxy.shape}, {self.score.shape} and {self.index.shape}"
            )
        if n and not 0 <= int(self.index.min()) <= int(self.index.max()) < len(self.labels):
            raise DataError(
                f"detections: expected classes 0 to {len(self.labels) - 1}, "
                f"got {int(self.index.min())} to {int(self.index.max())}"
            )

    def __len__(self) -> int:
        return len(self.score)

    @property
    def label(self) -> tuple[str, ...]:
        """The label of each object."""
        return tuple(self.labels[int(i)] for i in self.index)

    def found(self) -> Detections:
        """Those that count as found."""
        kept = self.score >= np.float32(self.found_score)
        return Detections(self.xyxy[kept], self.score[kept], self.index[kept], self.labels, self.found_score)

    def to_supervision(self) -> Any:  # noqa: ANN401 (supervision is no dependency)
        """The same as ``supervision.Detections``: ``xyxy``, ``confidence``, ``class_id``, ``data["class_name"]``.

        Raises:
            EnvironmentLacks: supervision is not installed.
        """
        try:
            supervision = import_module("supervision")
        except ImportError as error:
            raise EnvironmentLacks(
                f"to_supervision: {error}", "pip install supervision, in the environment of your program"
            ) from error
        return supervision.Detections(
            xyxy=self.xyxy.copy(),
            confidence=self.score.copy(),
            class_id=self.index.astype(int),
            data={"class_name": np.array(self.label, dtype=str)},
        )

    def as_json(self) -> dict[str, Any]:
        """Objects with box, label and score, as ``edgekit run --json`` prints them."""
        return {
            "objects": [
                {"xyxy": np.round(box.astype(float), 1).tolist(), "label": label, "score": round(float(s), 6)}
                for box, label, s in zip(self.xyxy, self.label, self.score, strict=True)
            ]
        }


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A vector that stands for the input.

    Attributes:
        vector: ``(d,)`` float32.
    """

    vector: F32

    def __post_init__(self) -> None:
        if self.vector.ndim != 1 or not self.vector.size:
            raise DataError(f"embedding: expected a vector (d,), got shape {self.vector.shape}")

    def as_json(self) -> dict[str, Any]:
        """The vector, as ``edgekit run --json`` prints it."""
        return {"vector": [round(float(v), 7) for v in self.vector]}


@dataclass(frozen=True, slots=True, eq=False)
class VoiceActivity:
    """Where someone speaks.

    Attributes:
        scores: ``(frames,)`` float32, probability of speech in each frame.
        step_s: seconds from one frame to the next.
        segments_s: ``(n, 2)`` float32, beginning and end of each stretch of speech, in seconds.
        threshold: from this score on a frame by itself counts as speech.
    """

    scores: F32
    step_s: float
    segments_s: F32
    threshold: float

    def __post_init__(self) -> None:
        if self.scores.ndim != 1 or self.segments_s.shape != (len(self.segments_s), 2) or not self.step_s > 0:
            raise DataError(
                f"voice activity: expected scores (frames,) and segments (n, 2), a step above 0, "
                f"got {self.scores.shape}, {self.segments_s.shape} and {self.step_s}"
            )

    def __len__(self) -> int:
        return len(self.segments_s)

    @property
    def speech(self) -> Array:
        """``(frames,)`` bool: frames that by themselves count as speech."""
        return np.asarray(self.scores >= np.float32(self.threshold))

    @property
    def seconds_of_speech(self) -> float:
        """Of all stretches together."""
        return float(np.diff(self.segments_s.astype(np.float64), axis=1).sum())

    def as_json(self) -> dict[str, Any]:
        """Stretches and scores, as ``edgekit run --json`` prints them."""
        return {
            "segments_s": np.round(self.segments_s.astype(float), 3).tolist(),
            "step_s": self.step_s,
            "scores": np.round(self.scores.astype(float), 4).tolist(),
        }


Result: TypeAlias = (
    Classification
    | TextRegions
    | Detections
    | Embedding
    | Generation
    | VoiceActivity
    | TokenScores
    | ChoiceScores
)
