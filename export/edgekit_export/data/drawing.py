"""Text as ink: coverage masks from a typeface, and a background to lay them on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from edgekit.types import F32, U8
from edgekit_export.data import fonts
from edgekit_export.data.vocabulary import Rng


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of ink and background, RGB 0–255."""

    ink: tuple[float, float, float]
    paper: tuple[float, float, float]


def ink_mask(text: str, typeface: str, size: int, spacing: float = 0.0) -> U8:
    """Coverage of a line of text, cut to its ink.

    Args:
        text: printable ASCII.
        typeface: a name of :mod:`edgekit_export.data.fonts`.
        size: pixels an em.
        spacing: extra space after each character, in em.

    Returns:
        ``(height, width)`` uint8, 255 where there is full ink.
    """
    font = fonts.load(typeface, size)
    pieces = list(text) if spacing else [text]
    advances = [font.getlength(piece) + spacing * size for piece in pieces]
    ascent, descent = font.getmetrics()
    margin = size
    canvas = Image.new("L", (int(sum(advances)) + 2 * margin, ascent + descent + 2 * margin), 0)
    draw = ImageDraw.Draw(canvas)
    x = float(margin)
    for piece, advance in zip(pieces, advances, strict=True):
        draw.text((round(x), margin), piece, font=font, fill=255)
        x += advance
    left, top, right, bottom = canvas.getbbox() or (0, 0, 1, 1)
    return np.asarray(canvas)[top:bottom, left:right]


def palette(rng: Rng, contrast: float) -> Palette:
    """Two colours whose luminance differs by ``contrast`` (0–255), dark on light twice as often as not."""
    base = rng.uniform(0.0, 255.0 - contrast)
    tint = rng.normal(0.0, 28.0, (2, 3)) if rng.random() < 0.6 else np.zeros((2, 3))
    tint -= (tint @ _LUMA)[:, np.newaxis]  # colour without a change of luminance
    dark, light = base + tint[0], base + contrast + tint[1]
    ink, paper = (dark, light) if rng.random() < 2 / 3 else (light, dark)
    return Palette(_clipped(ink), _clipped(paper))


_LUMA = np.asarray([0.299, 0.587, 0.114])


def _clipped(color: np.ndarray) -> tuple[float, float, float]:
    red, green, blue = (float(c) for c in np.clip(color, 0, 255))
    return red, green, blue


def background(rng: Rng, size_wh: tuple[int, int], paper: tuple[float, float, float], busy: float) -> F32:
    """A sheet of ``paper`` that is flat, shaded, mottled or striped.

    Args:
        rng: where chance comes from.
        size_wh: width and height in pixels.
        paper: its mean colour.
        busy: 0 for flat, 1 for as restless as it gets (about ±40 levels).

    Returns:
        ``(height, width, 3)`` float32, RGB, not clipped.
    """
    width, height = size_wh
    sheet = np.empty((height, width, 3), np.float32)
    sheet[:] = paper
    kind = int(rng.integers(4))
    amplitude = 40.0 * busy
    if kind == 1:
        ramp = np.linspace(-amplitude, amplitude, width, dtype=np.float32)
        sheet += ramp[::-1, np.newaxis] if rng.random() < 0.5 else ramp[:, np.newaxis]
    elif kind == 2:
        cells = rng.normal(0.0, amplitude / 2, (max(2, height // 12), max(2, width // 12))).astype(np.float32)
        sheet += cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)[:, :, np.newaxis]
    elif kind == 3:
        slope, period, phase = rng.uniform(-1, 1), rng.uniform(5, 30), rng.uniform(0, 6.28)
        rows, columns = np.ogrid[:height, :width]
        wave = np.sin((columns + slope * rows) * (2 * np.pi / period) + phase)
        sheet += (amplitude / 2 * wave).astype(np.float32)[:, :, np.newaxis]
    return sheet


def lay(mask: F32, ink: tuple[float, float, float], sheet: F32) -> F32:
    """Ink over a sheet where ``mask`` (0–1, ``(height, width)``) covers it."""
    cover = mask[:, :, np.newaxis]
    return sheet + cover * (np.asarray(ink, np.float32) - sheet)
