"""Pictures of signs and receipts with the place and text of every line: data for detection and reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

from edgekit.types import F32, U8
from edgekit_export.data import boards, scene, vocabulary
from edgekit_export.data.boards import Board
from edgekit_export.data.degradation import Degradation, degrade
from edgekit_export.data.vocabulary import Rng

VERSION = 1
"""Part of the seed: raised when the rendering changes."""

_SIZES_WH = ((640, 480), (800, 600), (960, 720), (720, 960), (1024, 576))


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A picture with several lines of text.

    Attributes:
        image: ``(height, width, 3)`` uint8 RGB.
        quads: ``(n, 4, 2)`` float32, corners of each line: top left, top right, bottom right, bottom left.
        texts: what the lines say.
    """

    image: U8
    quads: F32
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pages(Sequence[Page]):
    """``n`` pages of a seed, each rendered when it is asked for."""

    n: int
    seed: int

    def __len__(self) -> int:
        return self.n

    @overload
    def __getitem__(self, index: int) -> Page: ...
    @overload
    def __getitem__(self, index: slice) -> list[Page]: ...
    def __getitem__(self, index: int | slice) -> Page | list[Page]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.n))]
        if not -self.n <= index < self.n:
            raise IndexError(f"page {index} of {self.n}")
        return render_page(self.seed, index % self.n)


def pages(n: int, seed: int) -> Pages:
    """``n`` pages; the first ``m`` are the same whatever ``n``."""
    return Pages(n, seed)


def render_page(seed: int, index: int) -> Page:
    """Page ``index`` of ``seed``: a receipt, or two to five signs, lightly blurred, with noise or JPEG."""
    rng = np.random.default_rng([VERSION, seed, index, 1])
    size_wh = vocabulary.pick(rng, _SIZES_WH)
    canvas = scene.texture(rng, size_wh)
    placed = _receipt(rng, canvas) if rng.random() < 1 / 3 else _signs(rng, canvas)
    quads = np.concatenate([quads for quads, _ in placed])
    texts = tuple(text for _, board in placed for text in board.texts)
    how = Degradation(
        blur_px=float(rng.uniform(0, 0.9)),
        noise=float(rng.uniform(0, 8)),
        quality=int(rng.integers(40, 95)) if rng.random() < 0.5 else 0,
    )
    return Page(degrade(canvas.astype(np.float32), how, rng), quads, texts)


def sign_texts(rng: Rng) -> list[str]:
    """One to three short lines."""
    return [vocabulary.short_text(rng) for _ in range(int(rng.integers(1, 4)))]


def _receipt(rng: Rng, canvas: U8) -> list[tuple[F32, Board]]:
    items = [(vocabulary.words(rng, 1, 2), "")]
    items += [
        (vocabulary.words(rng, 1, 2), f"{int(rng.integers(1, 100))}.{int(rng.integers(100)):02d}")
        for _ in range(int(rng.integers(6, 12)))
    ]
    board = boards.receipt(rng, items)
    area = 0.0, 0.0, float(canvas.shape[1]), float(canvas.shape[0])
    return [(fit(rng, canvas, board, area, 1.3), board)]


def _signs(rng: Rng, canvas: U8) -> list[tuple[F32, Board]]:
    """Signs in the cells of a grid, so that none covers another."""
    height, width = canvas.shape[:2]
    columns, rows = (2, 2) if width >= height else (1, 3)
    cells = [(c * width / columns, r * height / rows) for r in range(rows) for c in range(columns)]
    count = int(rng.integers(2, len(cells) + 1))
    chosen = sorted(rng.permutation(len(cells))[:count].tolist())
    placed = []
    for cell in chosen:
        board = boards.sign(rng, sign_texts(rng))
        area = (*cells[cell], width / columns, height / rows)
        placed.append((fit(rng, canvas, board, area, 1.6), board))
    return placed


def fit(rng: Rng, canvas: U8, board: Board, area: tuple[float, float, float, float], largest: float) -> F32:
    """Places a board within an area (left, top, width, height), turned and seen from the side."""
    left, top, width, height = area
    board_w, board_h = board.size_wh
    scale = min(0.86 * width / board_w, 0.80 * height / board_h, largest) * float(rng.uniform(0.8, 1.0))
    size_wh = board_w * scale, board_h * scale
    slack = np.maximum((width - 1.12 * size_wh[0], height - 1.2 * size_wh[1]), 0.0)
    center = np.add((left + width / 2, top + height / 2), rng.uniform(-0.5, 0.5, 2) * slack)
    most = min(6.0, float(np.rad2deg(0.1 * height / size_wh[0])))  # a wide board must stay in its cell
    skew = rng.normal(0.0, 0.025, (4, 2)).astype(np.float32)
    where = float(center[0]), float(center[1])
    return scene.place(canvas, board, scene.tilted(where, size_wh, float(rng.uniform(-most, most)), skew))
