"""Opens a bundle: structure before content, content before use."""

from __future__ import annotations

import hashlib
import os
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from edgekit.bundle.contents import check_contents
from edgekit.bundle.layout import Slot
from edgekit.bundle.manifest import Card, File, Manifest, Signature
from edgekit.bundle.messages import some_of
from edgekit.bundle.ranges import FileRange, Source
from edgekit.bundle.structure import DAMAGED, read_structure
from edgekit.errors import BundleError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Verified:
    """What :meth:`Bundle.verify` went through.

    Attributes:
        members: number of members, the manifest and the signature included.
        size_bytes: size of the file.
        id: SHA-256 of ``manifest.json``.
        signed: whether a signature lies in the bundle. It is not checked against any key here.
    """

    members: int
    size_bytes: int
    id: str
    signed: bool


@dataclass(frozen=True, eq=False)
class Bundle:
    """An opened bundle: its structure is checked, its members are checked when they are read.

    Holds no file handle: every call opens the file again and sees if it is still the same.

    Attributes:
        path: the ``.edge`` file.
        manifest: what is in it.
        id: SHA-256 of ``manifest.json``, which names every other member's SHA-256: the bundle's identity.
        size_bytes: size of the file.
        signature: the DSSE envelope, if there is one; not checked against any key.
    """

    path: Path
    manifest: Manifest
    id: str
    size_bytes: int
    signature: Signature | None
    _slots: dict[str, tuple[Slot, int]] = field(repr=False)  # member → place, CRC-32 in the headers
    _stamp: tuple[int, int, int] = field(repr=False)  # which file it was

    @property
    def card(self) -> Card:
        """What the model is for, and what it cannot do."""
        return self.manifest.card

    def read(self, member: str) -> bytes:
        """Content of one member, checked against its SHA-256.

        Raises:
            BundleError: no such member, or it is damaged.
        """
        files = {file.path: file for file in self.manifest.files}
        if member not in files:
            raise BundleError(f"{self.path}: no member {member!r}", f"it has {some_of(files)}")
        with self._opened() as handle:
            return b"".join(self._checked_chunks(handle, files[member]))

    def verify(self, advance: Callable[[int], None] | None = None) -> Verified:
        """Checks every byte: structure, each member's CRC-32 and SHA-256, and the look of models and texts.

        Memory stays constant, whatever the size.

        Args:
            advance: is told the number of bytes done, chunk by chunk.

        Raises:
            BundleError: the first fault found.
        """
        with self._opened() as handle:
            if read_structure(handle, str(self.path)).id != self.id:
                raise BundleError(
                    f"{self.path}: was replaced or changed since it was opened", "open it again"
                )
            for file in self.manifest.files:
                for chunk in self._checked_chunks(handle, file):
                    if advance is not None:
                        advance(len(chunk))
            check_contents(self.manifest, lambda path: self._source(handle, path), str(self.path))
        members = len(self.manifest.files) + 1 + (self.signature is not None)
        return Verified(members, self.size_bytes, self.id, self.signature is not None)

    def folder(self, rehash: bool = False) -> Path:
        """The bundle's members as read-only files, unpacked once into the cache and verified on the way.

        Args:
            rehash: whether to hash the files of an entry that is already there; otherwise their kind, size
                and modification time are compared.

        Raises:
            BundleError: the bundle is damaged.
            OutputError: the cache cannot be written.
        """
        from edgekit.bundle.cache import unpacked

        return unpacked(self, rehash=rehash)

    def copy_member(self, member: File, target: BinaryIO) -> None:
        """Copies a member to an open file, checked on the way; at the end, what was written is right.

        Raises:
            BundleError: the member is damaged.
        """
        with self._opened() as handle:
            for chunk in self._checked_chunks(handle, member):
                target.write(chunk)

    def _source(self, handle: int, path: str) -> Source:
        slot, _ = self._slots[path]
        return FileRange(handle, slot.data_offset, slot.size, str(self.path))

    def _checked_chunks(self, handle: int, file: File) -> Iterator[bytes]:
        source = self._source(handle, file.path)
        digest, crc32 = hashlib.sha256(), 0
        for offset in range(0, file.size, CHUNK_BYTES):
            chunk = source.read(offset, CHUNK_BYTES)
            digest.update(chunk)
            crc32 = zlib.crc32(chunk, crc32)
            yield chunk
        if digest.hexdigest() != file.sha256:
            what = f"member {file.path}: SHA-256 {digest.hexdigest()[:16]}…, expected {file.sha256[:16]}…"
            raise BundleError(f"{self.path}: {what}", DAMAGED)
        _, stated = self._slots[file.path]
        if crc32 != stated:
            what = f"member {file.path}: CRC-32 {crc32:08x}, its headers say {stated:08x}"
            raise BundleError(f"{self.path}: {what}", DAMAGED)

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with _opened(self.path) as (handle, status):
            if _stamp(status) != self._stamp:
                raise BundleError(
                    f"{self.path}: was replaced or changed since it was opened", "open it again"
                )
            yield handle


def open_bundle(path: str | os.PathLike[str]) -> Bundle:
    """Opens a bundle and checks its structure and its manifest; members are checked when they are read.

    Args:
        path: the ``.edge`` file.

    Raises:
        BundleError: no such file, or not a whole and valid bundle.
    """
    path = Path(path)
    with _opened(path) as (handle, status):
        structure = read_structure(handle, str(path))
    return Bundle(
        path,
        structure.manifest,
        structure.id,
        status.st_size,
        structure.signature,
        {slot.path: (slot, crc32) for slot, crc32 in zip(structure.slots, structure.crcs, strict=True)},
        _stamp(status),
    )


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    """Tells a file from one that was renamed over it, or written into."""
    return status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, os.stat_result]]:
    """Opens a regular file for reading; yields its handle and its status."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a FIFO would block
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BundleError(f"{path}: {reason}", "name a bundle, a .edge file") from error
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path}: not a regular file", "name a bundle, a .edge file")
        yield handle, status
    finally:
        os.close(handle)
