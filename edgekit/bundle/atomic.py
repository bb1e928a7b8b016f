"""Files that are there whole or not at all: written beside the target, synced, renamed."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from edgekit.errors import OutputError

_NO_SPACE = "check free space, quota and permissions, or choose another place"


def settle(file: BinaryIO) -> None:
    """Brings a file's bytes to the disk: what does not fit fails here, and not after another file has its name."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file beside ``target`` and renames it there when the block ends without an error.

    The temporary file is called ``.edgekit-<target>-<random>.tmp`` and is locked while its writer lives. A
    writer that was killed leaves it under that name; the next writer of the same target removes it.

    Args:
        target: the file to make or replace. Its folder must exist.

    Yields:
        The open file, for binary writing.

    Raises:
        OutputError: it cannot be written; ``target`` is as it was, and the temporary file is gone.
    """
    if target.is_dir():
        raise OutputError(f"{target}: expected a file to write, got a folder", "name a file in it")
    if is_special(target):
        raise OutputError(f"{target}: expected a file to write, got a device or a pipe", "name a file")
    if not target.parent.is_dir():
        raise OutputError(f"{target}: no folder {target.parent}", "make it first")
    stem = hashlib.sha256(os.fsencode(target.name)).hexdigest()[:12]
    try:
        remove_abandoned(target.parent, stem)
        temporary, file = _create(target.parent, stem)
    except OSError as error:
        raise OutputError(f"{target}: {error.strerror or error}", _NO_SPACE) from error
    try:
        with file:
            yield file
            settle(file)
            temporary.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise OutputError(f"{target}: {error.strerror or error}", _NO_SPACE) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_special(target: Path) -> bool:
    """Whether it is no file but a device, a pipe, a socket, or a link to one: a rename would put a file in its place.

    ``/dev/stdout`` is a link to whatever is open there, even a file.
    """
    inside = target.is_symlink() and target.absolute().parts[1:2] in (("dev",), ("proc",))
    return inside or (target.exists() and not target.is_file())


def remove_abandoned(folder: Path, stem: str) -> None:
    """Removes temporary files that nobody holds a lock on any more."""
    for path in folder.glob(f".edgekit-{stem}-*.tmp"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(handle)


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _create(folder: Path, stem: str) -> tuple[Path, BinaryIO]:
    """A new temporary file, locked. Another writer may remove it before we lock it: then try again."""
    while True:
        path = folder / f".edgekit-{stem}-{secrets.token_hex(6)}.tmp"
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        with suppress(OSError):  # a file system without locks: nobody else can lock it either
            fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return path, os.fdopen(handle, "wb")
        os.close(handle)
