"""Value types that pass between camera, tasks, loop, validator and command line.

They check themselves when made, and hold no file, session or clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from edgekit.errors import DataError

ColorOrder: TypeAlias = Literal["rgb", "bgr"]
U8: TypeAlias = npt.NDArray[np.uint8]
F32: TypeAlias = npt.NDArray[np.float32]
Array: TypeAlias = npt.NDArray[Any]


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


Result: TypeAlias = Classification | TextRegions
