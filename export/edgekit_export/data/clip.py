"""A film of signs that drift, turn and come nearer: what the demo's camera loop looks at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edgekit.errors import OutputError
from edgekit.sinks.partial import PartialFile
from edgekit.types import F32, U8
from edgekit_export.data import boards, scene
from edgekit_export.data.boards import Board
from edgekit_export.data.pages import sign_texts

_SIGNS = 3


@dataclass(frozen=True, slots=True, eq=False)
class _Mover:
    """A sign and its path: each quantity swings around its middle, with its own period and phase."""

    board: Board
    center: tuple[float, float]
    scale: float
    swing: F32  # (4,): x and y in pixels, scale as a share, angle in degrees
    period_s: F32  # (4,)
    phase: F32  # (4,) radians

    def corners(self, time_s: float) -> F32:
        """``(4, 2)`` corners at a time."""
        x, y, nearer, degrees = self.swing * np.sin(2 * np.pi * time_s / self.period_s + self.phase)
        scale = self.scale * (1.0 + nearer)
        size_wh = self.board.size_wh[0] * scale, self.board.size_wh[1] * scale
        center = float(self.center[0] + x), float(self.center[1] + y)
        return scene.tilted(center, size_wh, float(degrees), np.zeros((4, 2), np.float32))


def frames(n: int, fps: float, size_wh: tuple[int, int], seed: int) -> Iterator[U8]:
    """``n`` frames, ``(height, width, 3)`` uint8 RGB; the same for the same arguments."""
    movers, backdrop = _cast(size_wh, seed)
    width, height = size_wh
    for index in range(n):
        time_s = index / fps
        pan = round((backdrop.shape[1] - width) * (0.5 + 0.5 * np.sin(2 * np.pi * time_s / 16.0)))
        canvas = backdrop[:height, pan : pan + width].copy()
        for mover in movers:
            scene.place(canvas, mover.board, mover.corners(time_s))
        yield canvas


def texts(size_wh: tuple[int, int], seed: int) -> tuple[str, ...]:
    """What the signs of a clip say, from top to bottom."""
    return tuple(text for mover in _cast(size_wh, seed)[0] for text in mover.board.texts)


def render_clip(
    path: Path, seconds: float, fps: float, size_wh: tuple[int, int], seed: int
) -> tuple[str, ...]:
    """Writes a clip as MP4 (MPEG-4 part 2), beside the target first.

    Args:
        path: ends in ``.mp4``.
        seconds: length; at least one frame is written.
        fps: frames a second.
        size_wh: width and height in pixels, both even.
        seed: which signs, and how they move.

    Returns:
        What the signs say.

    Raises:
        OutputError: it cannot be written.
    """
    partial = PartialFile(path)
    try:
        _write(partial.path, frames(max(1, round(seconds * fps)), fps, size_wh, seed), fps, size_wh)
        partial.commit()
    finally:
        partial.abort()
    return texts(size_wh, seed)


def _write(path: Path, pictures: Iterator[U8], fps: float, size_wh: tuple[int, int]) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size_wh)
    if not writer.isOpened():
        raise OutputError(f"{path.parent}: no video can be written there", "check that the folder exists")
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    writer.release()
    if not path.is_file() or path.stat().st_size == 0:
        raise OutputError(f"{path}: the video came out empty", "check the free space")


def _cast(size_wh: tuple[int, int], seed: int) -> tuple[list[_Mover], U8]:
    """The signs, one below the other, and a backdrop wider than the frame to pan over."""
    rng = np.random.default_rng([1, seed, 2])
    width, height = size_wh
    backdrop = scene.texture(rng, (round(width * 1.25), height))
    movers = []
    for row in range(_SIGNS):
        board = boards.sign(rng, sign_texts(rng)[:2])
        room = 0.62 * width / board.size_wh[0], 0.66 * height / _SIGNS / board.size_wh[1]
        movers.append(
            _Mover(
                board,
                (width / 2, height * (row + 0.5) / _SIGNS),
                min(*room),
                np.asarray([0.12 * width, 0.03 * height, 0.15, 3.0], np.float32),
                rng.uniform(4.0, 9.0, 4).astype(np.float32),
                rng.uniform(0.0, 2 * np.pi, 4).astype(np.float32),
            )
        )
    return movers, backdrop
