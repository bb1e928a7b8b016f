"""A folder of pictures as a source: one frame a file, in the order of their names."""

from __future__ import annotations

from pathlib import Path

from edgekit.camera.protocol import Corrupt, EndOfSource, Reading
from edgekit.errors import DataError
from edgekit.processing.images import read_picture
from edgekit.processing.picture_files import pictures_of

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
