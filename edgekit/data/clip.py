"""A video file as a source: frames sampled evenly over the clip."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from edgekit.data.crops import crop, crop_box
from edgekit.data.sample import Sample, TruthKind
from edgekit.errors import DataError
from edgekit.processing.opencv_path import opencv_path
from edgekit.processing.quiet import quiet
from edgekit.types import Frame

CLIP_SUFFIXES = frozenset({".mp4", ".mkv", ".avi", ".mov", ".webm", ".m4v"})
DEFAULT_FRAMES = 100


def is_clip(path: Path) -> bool:
    """Whether the name says that it is a video; hidden files are none."""
    return path.suffix.lower() in CLIP_SUFFIXES and not path.name.startswith(".")


@dataclass(frozen=True, slots=True)
class Clip:
    """One video file; see :class:`edgekit.data.sample.Source`.

    Attributes:
        picks: numbers of the sampled frames, rising.
        crops: views of each frame.
    """

    path: Path
    id: str
    sha256: str
    picks: tuple[int, ...]
    crops: int
    seed: int
    truth: TruthKind = "none"

    @property
    def count(self) -> int:
        """Sampled frames times crops."""
        return len(self.picks) * self.crops

    @property
    def recipe(self) -> str:
        """Number of frames, crops and their seed."""
        crops = f"&crops={self.crops}&seed={self.seed}" if self.crops > 1 else ""
        return f"frames={len(self.picks)}{crops}"

    def samples(self) -> Iterator[Sample]:
        """The crops of the sampled frames, in order; see :class:`edgekit.data.sample.Source`.

        They share one decoder: loaded in this order they cost one pass over the clip. It is not thread-safe.
        """
        decoder = _Decoder(self.path, last=self.picks[-1])
        for pick in self.picks:
            for i in range(self.crops):
                name = f"{self.id}@{pick}" + (f"#{i}" if self.crops > 1 else "")
                yield Sample(name, self.sha256, partial(self._crop, decoder, pick, i))

    def _crop(self, decoder: _Decoder, pick: int, index: int) -> Frame:
        frame = decoder.frame(pick)
        return crop(frame, crop_box(frame.size_wh, f"{self.sha256}@{pick}", self.seed, index))


class _Decoder:
    """Frames of a clip by number, from one pass as long as the numbers rise; an earlier one starts another.

    Every frame before the wanted one is gone through: seeking lands beside it in some files. The last frame
    is kept, for its other crops.

    Args:
        path: of the clip.
        last: number of the last frame that will be asked for: the file is closed after it.
    """

    def __init__(self, path: Path, last: int) -> None:
        self._path = path
        self._last = last
        self._capture: cv2.VideoCapture | None = None
        self._at = -1
        self._frame: Frame | None = None

    def frame(self, number: int) -> Frame:
        """The frame, ``bgr``.

        Raises:
            DataError: the clip ends before it, or it cannot be decoded.
        """
        if self._frame is not None and self._frame.index == number:
            return self._frame
        if self._capture is None or number <= self._at:
            self._close()
            self._capture = _open(self._path)
        while self._at < number:
            if not self._capture.grab():
                raise DataError(
                    f"{self._path}: the video ends after {self._at + 1} frames, expected {number + 1}"
                )
            self._at += 1
        self._frame = self._retrieved(self._capture)
        if number == self._last:
            self._close()
        return self._frame

    def _retrieved(self, capture: cv2.VideoCapture) -> Frame:
        ok, pixels = capture.retrieve()
        if not ok or pixels is None or pixels.size == 0:
            raise DataError(f"{self._path}: frame {self._at} cannot be decoded")
        pixels = pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)
        return Frame(pixels.astype(np.uint8, copy=False), "bgr", index=self._at, name=self._path.name)

    def _close(self) -> None:
        if self._capture is not None:
            self._capture.release()
        self._capture, self._at = None, -1


def open_clip(path: Path, name: str, frames: int, crops: int, seed: int) -> Clip:
    """Counts the clip's frames and chooses ``frames`` of them, at equal distances.

    Raises:
        DataError: missing, empty, or not a video that OpenCV can read.
    """
    sha256 = _digest(path)
    total = _count_frames(path)
    if total == 0:
        raise DataError(f"{path}: no frame of this video can be decoded")
    wanted = min(frames, total)
    picks = tuple((2 * i + 1) * total // (2 * wanted) for i in range(wanted))
    return Clip(path, name, sha256, picks, crops, seed)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error


def _open(path: Path) -> cv2.VideoCapture:
    with quiet():
        capture = cv2.VideoCapture(opencv_path(path.resolve()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        capture.release()
        raise DataError(
            f"{path}: not a video that OpenCV can read", "expected a video file, e.g. .mp4 with H.264"
        )
    return capture


def _count_frames(path: Path) -> int:
    """By going through it: what the file announces is often wrong."""
    capture = _open(path)
    try:
        total = 0
        while capture.grab():
            total += 1
        return total
    finally:
        capture.release()
