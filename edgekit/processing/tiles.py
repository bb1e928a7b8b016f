"""A picture becomes tiles of one size, by the rules of the reference processors.

Idefics3's and SmolVLM's (``image_processing_pil_idefics3.py`` of transformers 5.23) where ``longest`` is given, Gemma
3's (``image_processing_pil_gemma3.py``) where it is not. Sizes are computed in double precision with the processors'
own divisions, because another order of them rounds other sides to other pixels. ``docs/bundle-processing.md``, section
4.10, is the definition; ``docs/pictures-in-prompts.md`` says which files are opened otherwise than there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from edgekit.bundle.manifest import TilesInput
from edgekit.processing.resize import resize
from edgekit.types import F32, U8, Array, ColorOrder, Frame


@dataclass(frozen=True, slots=True, eq=False)
class Tiles:
    """The tiles of a picture; what the graph is given of each is made when it is asked for.

    Attributes:
        pixels: ``(size, size, 3)`` uint8 each, row by row, the whole picture last.
        rows, columns: that the picture is split into; both are 0 where it is not.
        color: order of the channels of ``pixels``.
        table: ``(3, 256)`` float32: what becomes of each value of red, green, blue.
    """

    pixels: tuple[U8, ...]
    rows: int
    columns: int
    color: ColorOrder
    table: F32

    def __len__(self) -> int:
        """Number of tiles."""
        return len(self.pixels)

    def tensor(self, index: int) -> F32:
        """One tile as the graph takes it, ``(1, 3, size, size)`` float32 RGB."""
        tile = self.pixels[index]
        height, width = tile.shape[:2]
        made = np.empty((1, 3, height, width), np.float32)
        for channel, values in enumerate(self.table):
            place = channel if self.color == "rgb" else 2 - channel
            cv2.LUT(np.ascontiguousarray(tile[:, :, place]), values, dst=made[0, channel])
        return made


def cut_tiles(frame: Frame, spec: TilesInput) -> Tiles:
    """The tiles of a picture.

    Raises:
        EnvironmentLacks: the algorithm is Pillow's, which is not installed.
    """
    size, pixels = spec.size, frame.pixels
    if spec.longest is not None:
        pixels = resize(pixels, longest_size(frame.size_wh, spec.longest), spec.algorithm)
    rows = columns = 0
    parts: list[U8] = []
    if spec.split:
        height, width = pixels.shape[:2]
        pixels = resize(pixels, split_size((width, height), size), spec.algorithm)
        rows, columns = pixels.shape[0] // size, pixels.shape[1] // size
        if rows == columns == 1:
            rows = columns = 0
        parts = [
            pixels[y * size : (y + 1) * size, x * size : (x + 1) * size]
            for y in range(rows)
            for x in range(columns)
        ]
    parts.append(resize(pixels, (size, size), spec.algorithm))
    return Tiles(tuple(parts), rows, columns, frame.color, _values(spec.mean, spec.std))


def longest_size(size_wh: tuple[int, int], longest: int) -> tuple[int, int]:
    """Size with the longer side at ``longest``, the other one rounded down, made even by adding 1, and not 0.

    (The processors then reduce what is above 4,096 pixels; ``longest`` is at most that, and nothing is.)
    """
    width, height = size_wh
    ratio = width / height
    if width >= height:
        other = int(longest / ratio)
        return longest, max(other + other % 2, 1)
    other = int(longest * ratio)
    return max(other + other % 2, 1), longest


def split_size(size_wh: tuple[int, int], size: int) -> tuple[int, int]:
    """Size with both sides multiples of ``size``: the longer one rounded up, then the other one to match it, up too."""
    width, height = size_wh
    ratio = width / height
    if width >= height:
        width = _up(width, size)
        return width, _up(int(width / ratio), size)
    height = _up(height, size)
    return _up(int(height * ratio), size), height


def _up(side: int, size: int) -> int:
    return -(-side // size) * size


@lru_cache(maxsize=8)
def _values(mean: tuple[float, float, float], std: tuple[float, float, float]) -> F32:
    """``(3, 256)``: of each value ``x`` of a channel ``(x / 255 - mean) / std``.

    ``x`` is multiplied by the double nearest to 1 / 255 and rounded to float32; mean and std are float32.
    """
    shares = (np.arange(256) * (1 / 255)).astype(np.float32)
    middle, spread = (np.asarray(values, np.float32)[:, np.newaxis] for values in (mean, std))
    made: Array = (shares - middle) / spread
    made.setflags(write=False)
    return made
