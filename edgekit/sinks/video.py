"""An annotated clip."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import cast

import cv2

from edgekit.annotate import annotate
from edgekit.errors import DataError, OutputError
from edgekit.processing.opencv_path import opencv_path
from edgekit.processing.quiet import quiet
from edgekit.sinks.partial import PartialFile
from edgekit.sinks.protocol import Outcome
from edgekit.types import U8

CODEC = "mp4v"
"""MPEG-4 Part 2: what every OpenCV wheel can write (H.264 it can only read)."""

MAX_REPEATS = 300
"""The most frames that a gap is filled with: ten seconds at 30 frames a second."""

SPACE_CHECK_FRAMES = 64
MIN_FREE_BYTES = 4_000_000
"""The video writer is silent about a full disk, so a long run looks for itself, before it is full."""


class VideoSink:
    """Writes an mp4 that plays in real time: a frame stands until the next one that was processed.

    The clip has the size of its first frame (cut to even sides); a frame of another size is fitted into it.

    Args:
        target: the ``.mp4`` file.
        fps: frame rate of the source, so that frame numbers are times.

    Raises:
        OutputError: it cannot be written there.
    """

    def __init__(self, target: Path, fps: float) -> None:
        try:
            opencv_path(target)
        except DataError as error:
            raise OutputError(error.message, error.remedy) from error
        self._file = PartialFile(target)
        self._fps = fps
        self._writer: cv2.VideoWriter | None = None
        self._size_wh = (0, 0)
        self._next_index = 0
        self._written = 0
        self._shown: U8 | None = None

    def write(self, outcome: Outcome) -> None:
        """Annotates and encodes a frame, after repeating the last one over a gap in the numbers."""
        index = outcome.frame.index
        picture = annotate(outcome.frame, outcome.result, outcome.caption)
        if self._writer is None:
            self._writer = self._open(picture)
            self._next_index = index
        picture = fit(picture, self._size_wh)
        if self._shown is not None:
            for _ in range(min(index - self._next_index, MAX_REPEATS)):
                self._encode(self._shown)
        self._encode(picture)
        self._shown = picture
        self._next_index = index + 1

    def commit(self) -> None:
        """Closes the clip, reads it back, and gives it its name; without a frame there is no clip."""
        if self._writer is None:
            self.abort()
            return
        self._release()
        found = _frames_of(self._file.path)
        if found != self._written:
            self.abort()
            raise OutputError(
                f"{self._file.target}: {self._written} frames were written and {found} are there",
                "check free space: the video writer does not report a full disk",
            )
        self._file.commit()

    def abort(self) -> None:
        """Removes the partial clip."""
        self._release()
        self._file.abort()

    def _open(self, picture: U8) -> cv2.VideoWriter:
        height, width = (max(side // 2 * 2, 2) for side in picture.shape[:2])
        self._size_wh = (width, height)
        with quiet():
            code = cv2.VideoWriter.fourcc(*CODEC)
            writer = cv2.VideoWriter(str(self._file.path), cv2.CAP_FFMPEG, code, self._fps, self._size_wh)
        if not writer.isOpened():
            raise OutputError(f"{self._file.target}: OpenCV cannot write {CODEC} at {width}x{height} there")
        return writer

    def _encode(self, picture: U8) -> None:
        assert self._writer is not None
        if self._written % SPACE_CHECK_FRAMES == 0:
            self._check_space()
        self._writer.write(picture)
        self._written += 1

    def _check_space(self) -> None:
        if shutil.disk_usage(self._file.path.parent).free < MIN_FREE_BYTES:
            raise OutputError(
                f"{self._file.target}: no space left on the disk", "free some, or use another one"
            )

    def _release(self) -> None:
        if self._writer is not None:
            with quiet():
                self._writer.release()


def fit(picture: U8, size_wh: tuple[int, int]) -> U8:
    """Scales a picture into ``size_wh``, centred on black; as it is where it has that size.

    Where only a last odd row or column is too much, it is cut instead.
    """
    height, width = picture.shape[:2]
    if (width // 2 * 2, height // 2 * 2) == size_wh:
        return picture[: size_wh[1], : size_wh[0]]
    scale = min(size_wh[0] / width, size_wh[1] / height)
    inner_wh = (max(round(width * scale), 1), max(round(height * scale), 1))
    left, top = (size_wh[0] - inner_wh[0]) // 2, (size_wh[1] - inner_wh[1]) // 2
    right, bottom = size_wh[0] - inner_wh[0] - left, size_wh[1] - inner_wh[1] - top
    scaled = cv2.resize(picture, inner_wh, interpolation=cv2.INTER_AREA)
    return cast(U8, cv2.copyMakeBorder(scaled, top, bottom, left, right, cv2.BORDER_CONSTANT))


def _frames_of(path: Path) -> int:
    with quiet():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
        try:
            return int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
        finally:
            capture.release()
