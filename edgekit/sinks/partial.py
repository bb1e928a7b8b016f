"""A file on its way: written beside its target under an openly partial name, then synced and renamed."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack
from pathlib import Path

from edgekit.errors import OutputError


class PartialFile:
    """``out.mp4`` while it is ``out.partial.mp4``, empty at first. A run that is killed leaves at most the latter.

    Args:
        target: the final path. A file of that name is replaced in :meth:`commit`.

    Raises:
        OutputError: there is no such folder, it cannot be written to, a folder is in the way, or another run writes it.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.stem}.partial{target.suffix}")
        check_folder(target)
        if target.is_dir():
            raise OutputError(f"{target}: a folder of this name is in the way", "choose another name")
        self._lock = lock(target, self.path, os.O_RDWR | os.O_CREAT)

    def commit(self) -> None:
        """Syncs the file to the disk and gives it its final name."""
        try:
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(self.target)
        except OSError as error:
            raise failed(self.target, error) from error
        self._lock.close()

    def abort(self) -> None:
        """Removes the partial file, if it is still there."""
        self.path.unlink(missing_ok=True)
        self._lock.close()


def check_folder(target: Path) -> None:
    """Checks that the folder in which ``target`` will lie exists and can be written to.

    Raises:
        OutputError: it is not so.
    """
    parent = target.parent
    if not parent.is_dir():
        raise OutputError(f"{target}: no such folder {parent}", "make it first")
    if not os.access(parent, os.W_OK):
        raise OutputError(f"{target}: folder {parent} cannot be written to", "choose another one")


def lock(target: Path, path: Path, flags: int) -> ExitStack:
    """Opens ``path`` and keeps other runs from it until the result is closed: two would write into each other.

    Raises:
        OutputError: another run is writing it, or it cannot be opened.
    """
    held = ExitStack()
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        raise failed(target, error) from error
    held.callback(os.close, descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        held.close()
        raise OutputError(f"{target}: another run is writing it", "choose another name") from error
    except OSError:
        pass  # a file system without locks
    return held


def failed(target: Path, error: OSError) -> OutputError:
    """The error of a write that failed."""
    left = isinstance(error, BrokenPipeError)
    remedy = "whoever reads it has left" if left else "check free space and permissions"
    return OutputError(f"{target}: {error.strerror or error}", remedy)
