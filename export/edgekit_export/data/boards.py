"""Flat things with several lines of text on them: signs and receipts, with the place of every line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edgekit.types import F32, U8
from edgekit_export.data import drawing, fonts, vocabulary
from edgekit_export.data.drawing import Palette
from edgekit_export.data.vocabulary import Rng

_SIGN_FACES = tuple(name for name in fonts.NAMES if "light" not in name and "mono" not in name)
_RECEIPT_FACES = ("dejavu-mono", "dejavu-mono-bold", "dejavu-sans", "source-sans", "hanken-grotesk")
_PAINTS = (
    (20, 90, 40),
    (10, 60, 130),
    (150, 25, 30),
    (35, 35, 40),
    (240, 200, 30),
    (235, 235, 230),
    (120, 70, 20),
)
"""Sign colours, RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """A flat picture with text.

    Attributes:
        image: ``(height, width, 3)`` uint8 RGB.
        quads: ``(n, 4, 2)`` float32, corners of each line's ink with a narrow margin: top left, top right,
            bottom right, bottom left.
        texts: what the lines say, from top to bottom, left to right.
    """

    image: U8
    quads: F32
    texts: tuple[str, ...]

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.shape[1], self.image.shape[0]


def sign(rng: Rng, texts: Sequence[str]) -> Board:
    """A painted sign: large centred lines of one typeface, a border two times of three."""
    typeface = vocabulary.pick(rng, _SIGN_FACES)
    size = int(rng.integers(34, 57))
    shown = [text.upper() if typeface in fonts.CAPITALS else text for text in texts]
    masks = [drawing.ink_mask(text, typeface, size) for text in shown]
    gap, margin = round(0.45 * size), round(0.7 * size)
    width = max(mask.shape[1] for mask in masks) + 2 * margin
    tops = np.cumsum([margin] + [mask.shape[0] + gap for mask in masks])
    places = [((width - mask.shape[1]) // 2, int(top)) for mask, top in zip(masks, tops, strict=False)]
    colors = _paint(rng)
    sheet = drawing.background(rng, (width, int(tops[-1]) - gap + margin), colors.paper, 0.2)
    if rng.random() < 2 / 3:
        inset, thick = round(0.2 * size), max(1, size // 14)
        far = sheet.shape[1] - inset, sheet.shape[0] - inset
        cv2.rectangle(sheet, (inset, inset), far, colors.ink, thick)
    return _board(sheet, masks, places, shown, colors)


def receipt(rng: Rng, items: Sequence[tuple[str, str]]) -> Board:
    """A printed receipt: a name on the left, a price on the right (or nothing), line by line."""
    typeface = vocabulary.pick(rng, _RECEIPT_FACES)
    size = int(rng.integers(19, 27))
    margin, pitch = size, round(1.75 * size)
    width = round(rng.uniform(17, 21)) * size
    masks, places, texts = [], [], []
    for row, (name, price) in enumerate(items):
        baseline = margin + row * pitch + size
        for text, right in ((name, False), (price, True)):
            if text:
                mask = drawing.ink_mask(text, typeface, size)
                masks.append(mask)
                left = width - margin - mask.shape[1] if right else margin
                places.append((left, baseline - min(mask.shape[0], size)))
                texts.append(text)
    width = max(
        [width] + [left + mask.shape[1] + margin for mask, (left, _) in zip(masks, places, strict=True)]
    )
    shade = float(rng.uniform(225, 252))
    colors = Palette((45.0, 45.0, 50.0), (shade, shade, shade - 6))
    sheet = drawing.background(rng, (width, 2 * margin + len(items) * pitch), colors.paper, 0.1)
    return _board(sheet, masks, places, texts, colors)


def _paint(rng: Rng) -> Palette:
    paper = vocabulary.pick(rng, _PAINTS)
    dark = float(np.dot(paper, (0.299, 0.587, 0.114))) < 140
    ink = (245.0, 245.0, 240.0) if dark else (20.0, 20.0, 25.0)
    red, green, blue = (float(c) for c in paper)
    return Palette(ink, (red, green, blue))


def _board(
    sheet: F32, masks: Sequence[U8], places: Sequence[tuple[int, int]], texts: Sequence[str], colors: Palette
) -> Board:
    quads = []
    for mask, (left, top) in zip(masks, places, strict=True):
        height, width = mask.shape
        area = sheet[top : top + height, left : left + width]
        area[:] = drawing.lay(mask.astype(np.float32) / 255.0, colors.ink, area)
        edge = 0.08 * height
        x0, y0, x1, y1 = left - edge, top - edge, left + width + edge, top + height + edge
        quads.append([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
    image = np.clip(sheet + 0.5, 0, 255).astype(np.uint8)
    return Board(image, np.asarray(quads, np.float32), tuple(texts))
