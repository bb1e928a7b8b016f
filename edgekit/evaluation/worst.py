"""The samples that changed most, kept in a bounded heap."""

from __future__ import annotations

import heapq

import cv2
import numpy as np

from edgekit.data.sample import Sample
from edgekit.evaluation.outcome import Worst
from edgekit.evaluation.score import Change
from edgekit.types import Frame

THUMBNAIL_SIDE = 192
JPEG_QUALITY = 80


class WorstSamples:
    """Up to ``n`` samples of the highest severity; of equal ones, those that came first.

    Args:
        n: how many are kept.
        thumbnails: whether small pictures of them are kept as well.
    """

    def __init__(self, n: int, thumbnails: bool) -> None:
        self._n = n
        self._thumbnails = thumbnails
        self._heap: list[tuple[float, int, Worst]] = []
        self._seen = 0

    def add(self, sample: Sample, change: Change) -> None:
        """Keeps the sample if it is among the worst so far."""
        self._seen += 1
        key = (change.severity, -self._seen)
        full = len(self._heap) >= self._n
        if change.severity <= 0 or self._n == 0 or (full and key <= self._heap[0][:2]):
            return
        picture = thumbnail(sample.frame) if self._thumbnails else None
        entry = Worst(
            sample.id,
            change.truth,
            change.reference,
            change.candidate,
            change.severity,
            change.changed,
            picture,
        )
        (heapq.heapreplace if full else heapq.heappush)(self._heap, (*key, entry))

    def worst(self) -> tuple[Worst, ...]:
        """Worst first."""
        return tuple(entry for _, _, entry in sorted(self._heap, key=lambda item: item[:2], reverse=True))


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
