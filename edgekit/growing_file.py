"""A file that a thread beside the loop writes to as the run goes on."""

from __future__ import annotations

from pathlib import Path

from edgekit.errors import OutputError


class GrowingFile:
    """Takes whole lines at its end. A disk that is full ends the file, not the run: that is told when it is closed.

    Args:
        target: the file; what it holds stays, unless it is emptied.

    Raises:
        OutputError: it cannot be written there.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._error: OSError | None = None
        try:
            self._file = target.open("ab", buffering=0)
        except OSError as error:
            raise OutputError(f"{target}: {error.strerror or error}", "choose another name") from error

    @property
    def failed(self) -> bool:
        """Whether something could not be written; nothing more is, then."""
        return self._error is not None

    def empty(self) -> None:
        """Removes what it held; a pipe or device cannot be emptied."""
        if self._target.is_file():
            self._file.truncate(0)

    def write(self, data: bytes) -> None:
        """Writes all of it; a disk that is nearly full takes it in parts."""
        try:
            while data and self._error is None:
                data = data[self._file.write(data) :]
        except OSError as error:
            self._error = error

    def close(self) -> None:
        """Closes it.

        Raises:
            OutputError: the file is not whole: the disk was full, or taken away.
        """
        self._file.close()
        if self._error is not None:
            reason = self._error.strerror or self._error
            raise OutputError(f"{self._target}: not whole: {reason}", "check free space where it goes")
