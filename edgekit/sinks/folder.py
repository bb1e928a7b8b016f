"""Annotated frames, one picture each."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import cv2

from edgekit.annotate import annotate
from edgekit.errors import OutputError
from edgekit.sinks.partial import check_folder, failed, lock
from edgekit.sinks.protocol import Outcome

JPEG_QUALITY = 90
_OURS = re.compile(r"frame_[0-9]{6,}\.jpg")


class FolderSink:
    """Writes ``frame_000000.jpg`` and so on, by frame number, into ``out.partial``, which becomes ``out``.

    Args:
        target: the folder; it must not exist yet, or be empty.

    Raises:
        OutputError: something is in the way, nothing can be written there, or another run writes it.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._folder = target.with_name(f"{target.name}.partial")
        self._committed = False
        check_folder(target)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise OutputError(f"{target}: already there and not an empty folder", "choose another name")
        try:
            self._folder.mkdir(exist_ok=True)
            self._lock = lock(target, self._folder, os.O_RDONLY)
            _clear(self._folder)
        except OSError as error:
            raise failed(target, error) from error

    def write(self, outcome: Outcome) -> None:
        """Annotates a frame and writes it.

        Raises:
            OutputError: it cannot be written, or is larger than a JPEG can be.
        """
        picture = annotate(outcome.frame, outcome.result, outcome.caption)
        is_encoded, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not is_encoded:
            height, width = picture.shape[:2]
            raise OutputError(
                f"{self._target}: {width}×{height} pixels, expected sides of at most 65500 for JPEG"
            )
        path = self._folder / f"frame_{outcome.frame.index:06d}.jpg"
        try:
            path.write_bytes(encoded.tobytes())
        except OSError as error:
            raise failed(self._target, error) from error

    def commit(self) -> None:
        """Syncs, in one call since one a file would take minutes on an SD card, and renames."""
        os.sync()
        try:
            self._folder.replace(self._target)
        except OSError as error:
            raise failed(self._target, error) from error
        self._committed = True
        self._lock.close()

    def abort(self) -> None:
        """Removes the partial folder."""
        if not self._committed:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._lock.close()


def _clear(folder: Path) -> None:
    """Removes what a killed run left, and nothing else."""
    left = list(folder.iterdir())
    if not all(_OURS.fullmatch(path.name) for path in left):
        raise OutputError(f"{folder}: in the way, and holds files that are not ours", "choose another name")
    for path in left:
        path.unlink()
