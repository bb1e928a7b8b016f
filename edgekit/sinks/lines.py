"""A file of JSON lines that grows while a run goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from edgekit.sinks.partial import PartialFile, failed


class LinesFile:
    """Writes one object a line.

    Every line is handed to the system at once, so that the partial file can be followed as it grows. A pipe
    or device as target is written to directly.

    Args:
        target: the file.

    Raises:
        OutputError: it cannot be written there.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        direct = target.exists() and not target.is_file() and not target.is_dir()
        self._partial = None if direct else PartialFile(target)
        path = self._partial.path if self._partial else target
        try:
            self._file: BinaryIO = path.open("wb", buffering=0)
        except OSError as error:
            raise failed(target, error) from error

    def write(self, line: Mapping[str, Any]) -> None:
        """Writes one line.

        Raises:
            OutputError: it cannot be written.
        """
        rest = msgspec.json.encode(line) + b"\n"
        try:
            while rest:  # a signal, or a disk that is full now, may cut a write short
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise failed(self._target, error) from error

    def commit(self) -> None:
        """Gives the file its name."""
        self._file.close()
        if self._partial:
            self._partial.commit()

    def abort(self) -> None:
        """Removes the partial file."""
        self._file.close()
        if self._partial:
            self._partial.abort()
