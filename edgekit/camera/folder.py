"""A folder of pictures as a source: one frame a file, in the order of their names."""

from __future__ import annotations

import re
from pathlib import Path

from edgekit.camera.protocol import Corrupt, EndOfSource, Reading
from edgekit.errors import DataError
from edgekit.processing.images import read_picture

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

FOLDER_FPS = 10.0
"""Frame rate at which pictures without one are shown."""

MAX_NOTES = 5
"""Pictures named in the summary because they cannot be decoded; the rest are only counted."""


class FolderSource:
    """Pictures of a folder, or a single one; see :class:`edgekit.camera.protocol.Source`.

    Args:
        path: the folder or picture.

    Raises:
        DataError: missing, or without a picture.
    """

    live = False

    def __init__(self, path: Path, fps: float = FOLDER_FPS) -> None:
        self.description = str(path)
        self.fps: float | None = fps
        self.size_wh: tuple[int, int] | None = None
        self.notes: list[str] = []
        self._files = pictures_of(path)
        self._next = 0
        self._decoded = 0

    def read(self) -> Reading:
        """Reads the next picture; see :class:`edgekit.camera.protocol.Source`."""
        if self._next == len(self._files):
            if self._decoded == 0:
                raise DataError(f"{self.description}: none of {len(self._files)} pictures can be decoded")
            return EndOfSource()
        path = self._files[self._next]
        self._next += 1
        try:
            frame = read_picture(path)
        except DataError as error:
            if len(self.notes) < MAX_NOTES:
                self.notes.append(error.message)
            return Corrupt(error.message)
        self._decoded += 1
        return frame

    def close(self) -> None:
        """Nothing to give back."""


def pictures_of(path: Path) -> list[Path]:
    """The picture itself, or those of a folder by name, numbers in it by value: ``2.jpg`` before ``10.jpg``.

    Raises:
        DataError: nothing there, or a folder without a picture.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DataError(f"{path}: no such picture or folder")
    files = [p for p in path.iterdir() if is_picture(p) and p.is_file()]
    if not files:
        raise DataError(
            f"{path}: no picture in this folder", f"endings: {' '.join(sorted(PICTURE_SUFFIXES))}"
        )
    return sorted(files, key=_by_number)


def is_picture(path: Path) -> bool:
    """Whether the name says that it is a picture; hidden files are none."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def _by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], path.name
