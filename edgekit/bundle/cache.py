"""Unpacks bundles once, so that engines can map the files.

An entry is the folder ``<root>/bundles/<id>``, where ``id`` is the SHA-256 of the manifest. It appears by a
rename, when every member has been copied and verified. One process unpacks while others wait for its lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from edgekit.bundle.atomic import sync_folder
from edgekit.bundle.contents import check_contents
from edgekit.bundle.manifest import File, Manifest
from edgekit.bundle.ranges import FileRange
from edgekit.errors import EnvironmentLacks, OutputError

if TYPE_CHECKING:
    from edgekit.bundle.reader import Bundle

VARIABLE = "EDGEKIT_CACHE_DIR"
UNPACKED_AT_S = 946_684_800
"""Modification time that unpacked files get (2000-01-01): whoever writes to one later changes it."""

_REMEDY = f"check free space and permissions, or set {VARIABLE} to a folder that can be written"


def cache_root() -> Path:
    """``$EDGEKIT_CACHE_DIR``, else ``$XDG_CACHE_HOME/edgekit``, else ``~/.cache/edgekit``.

    Raises:
        EnvironmentLacks: none of them is set, and this user has no home.
    """
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    fallback = f"{xdg}/edgekit" if xdg.startswith("/") else "~/.cache/edgekit"  # XDG: ignore a relative path
    path = Path(os.environ.get(VARIABLE) or fallback)
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise EnvironmentLacks(f"cache {path}: this user has no home folder", f"set {VARIABLE}") from error


def unpacked(bundle: Bundle, rehash: bool = False, root: Path | None = None) -> Path:
    """Folder with the members of a bundle, unpacked now or before.

    An entry that is there is used if each of its files is a regular file of the right size and of the time
    that unpacking sets, else it is made again. Storage that rots without a write shows with ``rehash`` only.

    Args:
        bundle: an opened bundle.
        rehash: whether to hash the files of an entry that is already there.
        root: the cache's folder; :func:`cache_root` by default.

    Raises:
        BundleError: the bundle is damaged.
        OutputError: the cache cannot be written.
    """
    root = root or cache_root()
    entry = root / "bundles" / bundle.id
    if _is_whole(entry, bundle.manifest, rehash):
        return entry
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with _locked(entry.with_suffix(".lock")):
            if not _is_whole(entry, bundle.manifest, rehash):  # another process may have made it meanwhile
                _rebuild(bundle, entry)
    except OSError as error:
        where = error.filename or entry
        raise OutputError(f"cache {where}: {error.strerror or error}", _REMEDY) from error
    return entry


def _rebuild(bundle: Bundle, entry: Path) -> None:
    """Makes an entry in a temporary folder and renames it. We hold the lock, so leftovers are abandoned."""
    temporary = entry.with_suffix(".tmp")
    _remove(temporary)
    try:
        temporary.mkdir()
        for file in bundle.manifest.files:
            _unpack(bundle, file, temporary / file.path)
        _check_files(bundle, temporary)
        for folder in [path for path in temporary.rglob("*") if path.is_dir()]:
            sync_folder(folder)
        sync_folder(temporary)
        _remove(entry)
        temporary.rename(entry)
        sync_folder(entry.parent)
    finally:
        _remove(temporary)


def _unpack(bundle: Bundle, file: File, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        bundle.copy_member(file, out)
        out.flush()
        os.fchmod(out.fileno(), 0o444)
        os.utime(out.fileno(), (UNPACKED_AT_S, UNPACKED_AT_S))
        os.fsync(out.fileno())


def _check_files(bundle: Bundle, folder: Path) -> None:
    """Checks the copies, not the bundle: they are what an engine will see."""
    handles: list[int] = []
    sizes = {file.path: file.size for file in bundle.manifest.files}

    def source(path: str) -> FileRange:
        handles.append(os.open(folder / path, os.O_RDONLY | os.O_CLOEXEC))
        return FileRange(handles[-1], 0, sizes[path], path)

    try:
        check_contents(bundle.manifest, source, str(bundle.path))
    finally:
        for handle in handles:
            os.close(handle)


def _is_whole(entry: Path, manifest: Manifest, rehash: bool) -> bool:
    return all(_is_unchanged(entry / file.path, file, rehash) for file in manifest.files) and entry.is_dir()


def _is_unchanged(path: Path, file: File, rehash: bool) -> bool:
    try:
        status = path.lstat()
        same = stat.S_ISREG(status.st_mode) and status.st_size == file.size
        if not same or int(status.st_mtime) != UNPACKED_AT_S:
            return False
        return not rehash or _sha256(path) == file.sha256
    except OSError:
        return False


def _sha256(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
        return
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on a file beside the entry; it ends with the process, however that ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
