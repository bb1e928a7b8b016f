"""Rendered lines of text with their truth: calibration and evaluation data for recognisers.

Line ``i`` of a seed depends on nothing but the seed and ``i``, so that a set can be grown, sampled or shared
out without changing a line. Sets of different seeds share no picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import cv2
import numpy as np

from edgekit.types import F32, U8
from edgekit_export.data import drawing, fonts, vocabulary
from edgekit_export.data.degradation import Degradation, degrade
from edgekit_export.data.vocabulary import Rng

VERSION = 1
"""Part of the seed: raised when the rendering changes, so that old and new lines are never mixed up."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """A picture of one line of text.

    Attributes:
        image: ``(height, width, 3)`` uint8 RGB.
        text: what it says.
    """

    image: U8
    text: str

    @property
    def sha256(self) -> str:
        """Digest of picture and text."""
        shape = np.asarray(self.image.shape, "<i8").tobytes()
        return hashlib.sha256(shape + self.image.tobytes() + self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Lines(Sequence[Line]):
    """``n`` lines of a seed, each rendered when it is asked for."""

    n: int
    seed: int

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.n))]
        if not -self.n <= index < self.n:
            raise IndexError(f"line {index} of {self.n}")
        return render_line(self.seed, index % self.n)


def lines(n: int, seed: int) -> Lines:
    """``n`` lines of text; the first ``m`` are the same whatever ``n``."""
    return Lines(n, seed)


def render_line(seed: int, index: int) -> Line:
    """Line ``index`` of ``seed``: about 14 to 86 pixels high, mixed typefaces, clean to hard."""
    rng = np.random.default_rng([VERSION, seed, index])
    text = vocabulary.text(rng)
    typeface = vocabulary.pick(rng, fonts.NAMES)
    text = text.upper() if typeface in fonts.CAPITALS else text
    size = int(rng.integers(18, 49))
    spacing = float(rng.uniform(0.02, 0.12)) if rng.random() < 0.1 else 0.0
    hardness = float(rng.beta(1.3, 1.3))
    mask = drawing.ink_mask(text, typeface, size, spacing)
    placed = _place(mask, rng, hardness)
    contrast = _contrast(rng, hardness)
    colors = drawing.palette(rng, contrast)
    busy = hardness * contrast / 160
    sheet = drawing.background(rng, (placed.shape[1], placed.shape[0]), colors.paper, busy)
    picture = drawing.lay(placed, colors.ink, sheet)
    return Line(degrade(picture, _degradation(rng, hardness, mask.shape[0], contrast), rng), text)


def _contrast(rng: Rng, hardness: float) -> float:
    """Luminance between ink and paper: 140–220 for easy lines, down to 25 for the hardest."""
    return float(rng.uniform(130 - 105 * hardness, 220 - 100 * hardness))


def _place(mask: U8, rng: Rng, hardness: float) -> F32:
    """Cuts the line as a detector would, loosely, after turning and tilting it; coverage 0–1."""
    height, width = mask.shape
    margin = rng.uniform(0.04, 0.30, 4) * height
    angle = rng.normal(0.0, 1.6) * (0.3 + hardness)
    angle = float(np.clip(angle, -5, 5)) * min(1.0, 8 * height / width)  # long lines are cut level
    radians = np.deg2rad(angle)
    tilt = rng.normal(0.0, 0.05, (4, 2)) * (0.3 + hardness) * height
    corners = np.asarray([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    turn = np.asarray([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    moved = (corners - corners.mean(0)) @ turn.T + tilt
    moved -= moved.min(0) - margin[:2]
    out_wh = np.ceil(moved.max(0) + margin[2:]).astype(int)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), moved.astype(np.float32))
    placed = cv2.warpPerspective(mask, matrix, (int(out_wh[0]), int(out_wh[1])), flags=cv2.INTER_LINEAR)
    return placed.astype(np.float32) / 255.0


def _degradation(rng: Rng, hardness: float, height: int, contrast: float) -> Degradation:
    """Between nothing and hard to read for a person; strengths follow height and contrast of the ink."""
    small = rng.random() < 0.1 + 0.7 * hardness
    return Degradation(
        shrink=float(np.clip(rng.uniform(7.5, 22) / height, 0.15, 1.0)) if small else 1.0,
        blur_px=float(rng.uniform(0, 0.09)) * height * hardness,
        motion_px=int(rng.integers(2, 3 + round(0.25 * height))) if rng.random() < 0.4 * hardness else 0,
        motion_angle=float(rng.uniform(0, np.pi)),
        noise=float(rng.uniform(0, 0.36)) * contrast * hardness,
        quality=int(rng.integers(8, 60)) if rng.random() < 0.5 else 0,
    )
