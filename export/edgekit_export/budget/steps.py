"""What a long export has come to so far: one that was killed goes on, one asked otherwise need not measure again.

A step lies in a folder named by the digest of all that it follows from, and appears there whole or not at all, so
that neither other data nor a crash can give a wrong one. Exports at the same time share it. The oldest folders go when
all together are too large, but never one that an export is at.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import finalize
from zipfile import BadZipFile

import msgspec
import numpy as np

from edgekit.bundle.atomic import replacing
from edgekit.errors import OutputError
from edgekit.predictions.journal import Journal
from edgekit.types import Array

MOST_BYTES = 4_000_000_000
_LOCK = "lock"


class Steps:
    """The steps of one export.

    Args:
        root: folder of all exports' steps; made if missing.
        identity: everything that the steps follow from.
        resume: whether steps that are there are used; else they are made again.

    Raises:
        OutputError: the folder cannot be made, or steps shall be made again that another export is at.
    """

    def __init__(self, root: Path, identity: Mapping[str, Any], *, resume: bool = True) -> None:
        name = hashlib.sha256(msgspec.json.encode(identity, order="deterministic")).hexdigest()[:32]
        self._folder = root / name
        if not resume and self._folder.is_dir() and not _removed(self._folder):
            raise OutputError(
                f"{self._folder}: another export of the same model and data is at it",
                "wait for it, or leave --no-resume out",
            )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            os.utime(self._folder)
            lock = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
            self._let_go = finalize(self, os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_SH)
        except OSError as error:
            raise OutputError(
                f"{self._folder}: {error.strerror or error}",
                "set EDGEKIT_CACHE_DIR to a folder that can be written",
            ) from error
        _prune(root, keep=self._folder)

    def read(self, name: str) -> dict[str, Array] | None:
        """The arrays of a step; ``None`` if it was not done, or cannot be read."""
        try:
            path = self._folder / f"{name}.npz"
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return {key: stored[key] for key in stored.files}
        except (OSError, ValueError, EOFError, KeyError, BadZipFile):
            return None

    def write(self, name: str, arrays: Mapping[str, Array]) -> None:
        """Keeps the arrays of a step.

        Raises:
            OutputError: they cannot be written.
        """
        with replacing(self._folder / f"{name}.npz") as file:
            np.savez(file, **dict(arrays))

    def journal(self, identity: Mapping[str, Any], labels: Sequence[tuple[str, ...]]) -> Journal:
        """The journal of a measurement, by what it follows from; another export's is waited for, and then read."""
        digest = hashlib.sha256(msgspec.json.encode(identity, order="deterministic")).hexdigest()
        return Journal(self._folder / f"{digest[:32]}.journal", digest, labels, waits=True)

    def close(self) -> None:
        """Lets go of the folder."""
        self._let_go()


def _removed(folder: Path) -> bool:
    """Removes a folder, unless an export is at it."""
    try:
        with (folder / _LOCK).open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    except OSError:
        return False
    return True


def _prune(root: Path, keep: Path) -> None:
    """Removes the folders used longest ago until the rest is small enough."""
    folders = []
    with suppress(OSError):
        for folder in root.iterdir():
            size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
            folders.append((folder == keep, folder.stat().st_mtime, size, folder))
    total = sum(size for _, _, size, _ in folders)
    for kept, _, size, folder in sorted(folders):
        if total <= MOST_BYTES or kept:
            return
        total -= size if _removed(folder) else 0
