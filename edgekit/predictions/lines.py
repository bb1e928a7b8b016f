"""A file that grows line by line and survives ``kill -9``: what was written whole is there again afterwards."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from edgekit.bundle.atomic import settle
from edgekit.errors import OutputError

LONGEST_LINE = 1 << 26
"""Bytes of one line at the most; a longer one is damage."""


class GrowingFile:
    """Lines under a first line that says what they belong to.

    A file that begins with another first line is of another run and is begun anew; a last line that was cut off
    is dropped. Each line reaches the system before :meth:`append` returns, so that a killed process loses none;
    a power cut may cost the last ones.

    Args:
        path: of the file; its folder exists.
        first: the first line, without line end.
        closing: how a line begins that only a finished file has; it is dropped on opening, with all after it.
        waits: while another process is writing it; else that is an error.

    Raises:
        OutputError: it cannot be written, or another process is writing it.
    """

    def __init__(self, path: Path, first: bytes, closing: bytes = b"\n", *, waits: bool = False) -> None:
        self.path = path
        self._closing = closing
        self._first = first + b"\n"
        try:
            self._file: BinaryIO = os.fdopen(
                os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b"
            )
        except OSError as error:
            raise _cannot(path, error) from error
        try:
            self._lock(waits=waits)
            self._whole = self._measure()
            self._file.truncate(self._whole)
            if not self._whole:
                self.append(first)
        except BaseException:
            self._file.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        """The lines after the first that were there when it was opened, without line ends."""
        position, end = len(self._first), self._whole
        while position < end:
            self._file.seek(position)
            line = self._file.readline()
            position += len(line)
            yield line[:-1]

    def append(self, line: bytes) -> None:
        """Adds a line.

        Raises:
            OutputError: no space, or the like.
        """
        try:
            self._file.seek(0, os.SEEK_END)
            self._file.write(line + b"\n")
            self._file.flush()
        except OSError as error:
            raise _cannot(self.path, error) from error

    def sync(self) -> None:
        """Brings all lines to the disk."""
        settle(self._file)

    def close(self) -> None:
        """Lets go of the file and its lock."""
        self._file.close()

    def _lock(self, *, waits: bool) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise OutputError(
                f"{self.path}: another process is writing it", "wait for it, or end it"
            ) from error

    def _measure(self) -> int:
        """Bytes of whole lines; 0 if the first line is another."""
        if self._file.readline(LONGEST_LINE) != self._first:
            return 0
        whole = len(self._first)
        while (line := self._file.readline(LONGEST_LINE)).endswith(b"\n"):
            if line.startswith(self._closing):
                break
            whole += len(line)
        return whole


def _cannot(path: Path, error: OSError) -> OutputError:
    return OutputError(f"{path}: {error.strerror or error}", "check free space and permissions")
