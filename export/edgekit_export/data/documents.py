"""Pages as of a paper: headings, columns of text, pictures and tables, with the place of each part and line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np

from edgekit.types import U8
from edgekit_export.data import fonts, scene, vocabulary
from edgekit_export.data.drawing import ink_mask
from edgekit_export.data.vocabulary import Rng

VERSION = 1
"""Part of the seed: raised when the rendering changes."""

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

WIDTH, HEIGHT = 850, 1100
_MARGIN, _GAP = 70, 24
_LEADING = 1.35
_FACES = (("stix", "stix-bold"), ("source-serif", "source-serif-bold"), ("dejavu-sans", "dejavu-sans-bold"))


@dataclass(slots=True)
class Document:
    """A page.

    Attributes:
        image: ``(1100, 850, 3)`` uint8 RGB.
        parts: what stands on it and where, in reading order: ``text``, ``title``, ``figure``, ``figure_caption``,
            ``table``, ``table_caption``, ``header`` or ``footer``.
        lines: place and text of every line, in reading order; of tables every cell, row by row.
    """

    image: U8
    parts: list[tuple[str, Box]] = field(default_factory=list)
    lines: list[tuple[Box, str]] = field(default_factory=list)

    def line(self, text: str, face: str, size: int, at_xy: tuple[int, int]) -> Box:
        """Writes a line; ``at_xy`` is the left end of its baseline."""
        ink = ink_mask(text, face, size)
        box = fonts.load(face, size).getbbox(text, anchor="ls")
        left, top = at_xy[0], at_xy[1] + round(box[1])
        piece = self.image[top : top + ink.shape[0], left : left + ink.shape[1]]
        piece[:] = np.minimum(piece, 255 - ink[..., np.newaxis])
        place = left, top, left + ink.shape[1], top + ink.shape[0]
        self.lines.append((place, text))
        return place

    def write(self, kind: str, texts: list[str], face: str, size: int, at_xy: tuple[int, int]) -> int:
        """Writes a part line by line, and gives the row where the next one may begin."""
        step = round(size * _LEADING)
        boxes = [
            self.line(text, face, size, (at_xy[0], at_xy[1] + row * step + size))
            for row, text in enumerate(texts)
        ]
        self.parts.append((kind, _around(boxes)))
        return at_xy[1] + len(texts) * step


def render_document(seed: int, index: int, columns: int | None = None) -> Document:
    """Page ``index`` of a seed, of one or two columns: the same arguments, the same page."""
    rng = np.random.Generator(np.random.PCG64([seed, index, VERSION]))
    page = Document(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
    faces = _FACES[int(rng.integers(len(_FACES)))]
    drawn = int(rng.integers(1, 3))
    columns = drawn if columns is None else columns
    whole, top = WIDTH - 2 * _MARGIN, _MARGIN
    numbered = rng.random() < 0.5
    if numbered:
        page.write("header", [_capitalised(vocabulary.words(rng, 3, 6))], faces[0], 11, (_MARGIN, 32))
    if rng.random() < 0.6:
        title = _fitting(rng, faces[1], 28, whole, words=int(rng.integers(3, 6)))
        top = page.write("title", [title], faces[1], 28, (_MARGIN, top)) + _GAP
    width = (whole - _GAP * (columns - 1)) // columns
    for column in range(columns):
        _fill(page, rng, faces, (_MARGIN + column * (width + _GAP), top), width)
    if numbered:
        page.write("footer", [str(int(rng.integers(1, 400)))], faces[0], 12, (WIDTH // 2, HEIGHT - 44))
    return page


def _fill(page: Document, rng: Rng, faces: tuple[str, str], at_xy: tuple[int, int], width: int) -> None:
    """Fills a column from the top with whatever comes."""
    left, y = at_xy
    end = HEIGHT - _MARGIN - 20
    while end - y > 120:
        kind = rng.choice(("text", "text", "text", "title", "figure", "table"))
        if kind == "title":
            heading = _fitting(rng, faces[1], 17, width, words=int(rng.integers(1, 4)))
            y = page.write("title", [heading], faces[1], 17, (left, y)) + 10
            kind = "text"
        if kind == "text":
            rows = int(rng.integers(4, min(15, (end - y) // 19) + 1))
            lines = [_fitting(rng, faces[0], 14, width) for _ in range(rows)]
            y = page.write("text", lines, faces[0], 14, (left, y)) + 16
        elif end - y > 300:
            draw = _figure if kind == "figure" else _table
            y = draw(page, rng, faces[0], (left, y + 6), width) + _GAP


def _fitting(rng: Rng, face: str, size: int, width: int, words: int = 100) -> str:
    """Words, with a capital and a full stop here and there, as many as fit into ``width``."""
    font, text = fonts.load(face, size), ""
    for _ in range(words):
        word = vocabulary.pick(rng, vocabulary.WORDS)
        word = word if text and not text.endswith(".") else word.capitalize()
        longer = f"{text} {word}".strip() + ("." if words == 100 and rng.random() < 0.1 else "")
        if font.getlength(longer) > width:
            break
        text = longer
    return text


def _capitalised(words: str) -> str:
    return words.lower().capitalize()


def _around(boxes: list[Box]) -> Box:
    low, high = np.min(boxes, axis=0).tolist(), np.max(boxes, axis=0).tolist()
    return low[0], low[1], high[2], high[3]


def _figure(page: Document, rng: Rng, face: str, at_xy: tuple[int, int], width: int) -> int:
    left, top = at_xy
    height = int(rng.integers(140, 230))
    picture = scene.texture(rng, (width, height))
    for _ in range(5):
        center = int(rng.integers(0, width)), int(rng.integers(0, height))
        color = tuple(int(v) for v in rng.integers(0, 256, 3))
        cv2.circle(picture, center, int(rng.integers(10, 60)), color, cv2.FILLED, cv2.LINE_AA)
    page.image[top : top + height, left : left + width] = picture
    page.parts.append(("figure", (left, top, left + width, top + height)))
    caption = f"Figure {int(rng.integers(1, 9))}: {_capitalised(vocabulary.words(rng, 4, 6))}"
    return page.write("figure_caption", [caption], face, 13, (left, top + height + 8))


def _table(page: Document, rng: Rng, face: str, at_xy: tuple[int, int], width: int) -> int:
    left, top = at_xy
    caption = f"Table {int(rng.integers(1, 9))}: {_capitalised(vocabulary.words(rng, 3, 5))}"
    top = page.write("table_caption", [caption], face, 13, (left, top)) + 6
    rows, columns = int(rng.integers(4, 9)), int(rng.integers(3, 5))
    step = width // columns
    for row in range(rows + 1):
        cv2.line(page.image, (left, top + row * 22), (left + width - 1, top + row * 22), (0, 0, 0), 1)
    for row in range(rows):
        for column in range(columns):
            number = row and column
            cell = f"{rng.uniform(0, 100):.1f}" if number else vocabulary.words(rng, 1, 1).capitalize()
            page.line(cell, face, 12, (left + column * step + 5, top + row * 22 + 16))
    bottom = top + rows * 22
    page.parts.append(("table", (left, top, left + width, bottom + 1)))
    return bottom
