"""A moving picture made from a seed: a source that is there on every machine and the same on each."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edgekit.camera.protocol import EndOfSource, Reading
from edgekit.types import U8, Frame


class SyntheticSource:
    """Frames of a window that wanders over a coloured texture; see :class:`edgekit.camera.protocol.Source`.

    Args:
        fps: frames a second.
        seconds: length; infinite for an endless one.
        size_wh: width and height.
        seed: of texture and path; the same seed gives the same pixels.
    """

    live = False

    def __init__(
        self, fps: float = 30.0, seconds: float = 10.0, size_wh: tuple[int, int] = (640, 480), seed: int = 0
    ) -> None:
        width, height = size_wh
        self.description = f"synthetic:?fps={fps:g}&seconds={seconds:g}&size={width}x{height}&seed={seed}"
        self.fps: float | None = fps
        self.size_wh: tuple[int, int] | None = size_wh
        self.notes: list[str] = []
        self._frames = math.inf if math.isinf(seconds) else max(round(fps * seconds), 1)
        self._index = 0
        rng = np.random.default_rng(seed)
        self._texture = _texture(size_wh, rng)
        self._phase = rng.uniform(0, 2 * math.pi, 2)

    def read(self) -> Reading:
        """Makes the next frame; see :class:`edgekit.camera.protocol.Source`."""
        if self._index >= self._frames:
            return EndOfSource()
        pixels = self.picture(self._index)
        self._index += 1
        return Frame(pixels, "bgr")

    def picture(self, index: int) -> U8:
        """Pixels of frame ``index``, with its number in a corner: ``(height, width, 3)`` BGR."""
        pixels = self._window(index)
        cv2.putText(pixels, str(index), (8, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 2)
        return pixels

    def close(self) -> None:
        """Nothing to give back."""

    def _window(self, index: int) -> U8:
        assert self.size_wh is not None
        width, height = self.size_wh
        free_y, free_x = self._texture.shape[0] - height, self._texture.shape[1] - width
        x = round(free_x * (0.5 + 0.5 * math.sin(index / 37 + self._phase[0])))
        y = round(free_y * (0.5 + 0.5 * math.sin(index / 53 + self._phase[1])))
        return self._texture[y : y + height, x : x + width].copy()


def _texture(size_wh: tuple[int, int], rng: np.random.Generator) -> U8:
    """A picture half as large again each way: noise at two scales, so that it has both areas and edges."""
    width, height = (side + side // 2 + 1 for side in size_wh)
    coarse = rng.integers(0, 256, (max(height // 64, 2), max(width // 64, 2), 3), dtype=np.uint8)
    fine = rng.integers(0, 256, (max(height // 4, 2), max(width // 4, 2), 3), dtype=np.uint8)
    areas = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    grain = cv2.resize(fine, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    mixed = areas - areas // 4 + grain // 4  # stays within 0 to 255, and bit-exact everywhere
    return mixed.astype(np.uint8)
