"""The samples that changed most: kept in words, pictured afterwards."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np

from edgekit.data.conditions import under
from edgekit.data.dataset import Dataset
from edgekit.data.sample import Sample
from edgekit.evaluation.outcome import Worst
from edgekit.evaluation.score import Change
from edgekit.types import Frame, Question

THUMBNAIL_SIDE = 192
JPEG_QUALITY = 80
LONGEST_WORDS = 2000
"""Characters that are kept of a truth or a decision."""


class WorstSamples:
    """Up to ``n`` samples of the highest severity; of equal ones, those of the lowest number.

    Samples as they are come before those under a condition: these fill up where few changed.

    Nothing is decoded: what is kept are words, so that recorded results serve as well as live ones. The same
    samples stay in whatever order they come.

    Args:
        n: how many are kept.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._kept: list[Worst] = []

    def add(self, number: int, condition: str, sample: Sample, change: Change) -> None:
        """Keeps the sample if it is among the worst so far.

        Args:
            number: running number of the sample in its data.
            condition: what it was put under, empty if nothing.
            sample: of which only the id is used.
            change: what the scorer said of it.
        """
        if change.severity <= 0:
            return
        entry = Worst(
            id=sample.id,
            truth=None if change.truth is None else _short(change.truth),
            reference=_short(change.reference),
            candidate=_short(change.candidate),
            severity=change.severity,
            changed=change.changed,
            number=number,
            condition=condition,
        )
        insort(self._kept, entry, key=_rank)
        del self._kept[self._n :]

    def worst(self) -> tuple[Worst, ...]:
        """Worst first, without thumbnails; see :func:`illustrate`."""
        return tuple(self._kept)


def _rank(entry: Worst) -> tuple[bool, float, int, str]:
    return entry.condition != "", -entry.severity, entry.number, entry.condition


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def illustrate(worst: Sequence[Worst], dataset: Dataset) -> tuple[Worst, ...]:
    """The same samples with thumbnails; those of texts stay without.

    Only these samples are decoded, one at a time, each put under its condition.

    Args:
        worst: what :meth:`WorstSamples.worst` gave.
        dataset: the data they are of.

    Raises:
        DataError: a picture cannot be decoded any more, or ``dataset`` is another one.
    """
    pictures: dict[tuple[int, str], bytes] = {}
    for number, sample in dataset.at(entry.number for entry in worst):
        content = sample.load()
        frame = content.frame if isinstance(content, Question) else content
        if isinstance(frame, Frame):
            for condition in {entry.condition for entry in worst if entry.number == number}:
                seen = under(condition, frame, sample.id) if condition else frame
                pictures[number, condition] = thumbnail(seen)
    return tuple(
        msgspec.structs.replace(entry, thumbnail=pictures.get((entry.number, entry.condition)))
        for entry in worst
    )


def thumbnail(frame: Frame) -> bytes:
    """A JPEG of at most 192 pixels a side (wide pictures, such as lines of text: three times that)."""
    width, height = frame.size_wh
    longest = THUMBNAIL_SIDE * (3 if width > 3 * height else 1)
    scale = min(longest / max(width, height), 1.0)
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    pixels = frame.pixels if frame.color == "bgr" else frame.pixels[:, :, ::-1]
    small = cv2.resize(np.ascontiguousarray(pixels), size, interpolation=cv2.INTER_AREA)
    ok, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not ok:
        raise RuntimeError("cv2.imencode could not write a JPEG")
    return encoded.tobytes()
