"""Writes a bundle: computes the list of files, lays the archive out, streams the members, renames."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from edgekit.bundle.atomic import replacing, settle
from edgekit.bundle.check import model_paths
from edgekit.bundle.codec import decode_signature, encode_manifest
from edgekit.bundle.contents import check_contents
from edgekit.bundle.layout import (
    MANIFEST,
    MAX_FILE_BYTES,
    MAX_SIGNATURE_BYTES,
    SIGNATURE,
    Slot,
    central_bytes,
    directory,
    local_header,
    place,
)
from edgekit.bundle.manifest import File, Manifest
from edgekit.bundle.ranges import BytesRange, FileRange, Source
from edgekit.errors import BundleError

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Measured:
    """A member as it was seen before the layout was made: written must be the same again."""

    source: bytes | Path
    size: int
    crc32: int
    sha256: str


def write_bundle(
    path: str | os.PathLike[str],
    manifest: Manifest,
    members: Mapping[str, bytes | Path],
    signature: bytes | None = None,
) -> Manifest:
    """Writes a bundle, whole or not at all. The same arguments give the same bytes.

    Args:
        path: the ``.edge`` file to make or replace.
        manifest: complete but for ``files``, which must be ``()`` and is computed here; all else, each
            variant's ``bytes`` included (:func:`edgekit.bundle.check.variant_bytes`), is checked and never
            filled in.
        members: member path → its content, or the file that holds it. Files are streamed, so that memory
            stays constant. Their order does not matter: small members come first, then the aligned model
            files, each sorted by path.
        signature: content of ``signature.json``, if the manifest is signed.

    Returns:
        The manifest as written, with ``files``.

    Raises:
        BundleError: the manifest or a member breaks a rule of the format, or a member's file cannot be read.
        OutputError: the file cannot be written.
    """
    with writing_bundle(path, manifest, members, signature) as written:
        return written


@contextmanager
def writing_bundle(
    path: str | os.PathLike[str],
    manifest: Manifest,
    members: Mapping[str, bytes | Path],
    signature: bytes | None = None,
) -> Iterator[Manifest]:
    """:func:`write_bundle` in two steps: whole and on the disk in the block, under its name when the block ends well.

    So several bundles can be written all or not at all.

    Yields:
        The manifest as written.
    """
    plan = _plan(str(path), manifest, members, signature)
    _check_members(plan, str(path))
    with replacing(Path(path)) as file:
        for slot, content in zip(plan.slots, plan.contents, strict=True):
            file.write(local_header(slot, content.crc32))
            _copy(slot, content, file)
        file.write(directory(plan.slots, [content.crc32 for content in plan.contents]))
        settle(file)
        yield plan.manifest


def bundle_bytes(manifest: Manifest, members: Mapping[str, bytes | Path]) -> int:
    """Size of the file that :func:`write_bundle` would make of the same arguments, to the byte.

    Raises:
        BundleError: the manifest breaks a rule of the format, or a member's file cannot be read.
    """
    return _plan("bundle", manifest, members, None).size_bytes


@dataclass(frozen=True, slots=True)
class _Plan:
    """What will be written: the manifest with its files, and for each member its place and content, in order."""

    manifest: Manifest
    slots: list[Slot]
    contents: list[_Measured]
    size_bytes: int


def _plan(
    name: str, manifest: Manifest, members: Mapping[str, bytes | Path], signature: bytes | None
) -> _Plan:
    if manifest.files:
        what = f"got {len(manifest.files)} entries, expected (), as the writer lists the members"
        raise BundleError(f"manifest, files: {what}")
    measured = {path: _measure(path, source) for path, source in members.items()}
    manifest = replace(manifest, files=_list_files(manifest, measured))
    head = encode_manifest(manifest)
    contents = [_measure(MANIFEST, head), *(measured[file.path] for file in manifest.files)]
    places = [(MANIFEST, len(head), False), *((f.path, f.size, f.aligned) for f in manifest.files)]
    if signature is not None:
        _check_signature(signature, head)
        contents.append(_measure(SIGNATURE, signature))
        places.append((SIGNATURE, len(signature), False))
    slots = place(places)
    total = slots[-1].end + central_bytes(slot.path for slot in slots)
    if total > MAX_FILE_BYTES:
        what = f"{total} bytes, a bundle holds at most {MAX_FILE_BYTES}"
        raise BundleError(f"{name}: {what}", "leave a variant out")
    return _Plan(manifest, slots, contents, total)


def _check_signature(signature: bytes, head: bytes) -> None:
    if len(signature) > MAX_SIGNATURE_BYTES:
        what = f"{len(signature)} bytes, expected at most {MAX_SIGNATURE_BYTES}"
        raise BundleError(f"{SIGNATURE}: {what}")
    decode_signature(signature, head)


def _list_files(manifest: Manifest, measured: Mapping[str, _Measured]) -> tuple[File, ...]:
    mapped = model_paths(manifest)
    files = [File(name, content.size, content.sha256, name in mapped) for name, content in measured.items()]
    return tuple(sorted(files, key=lambda file: (file.aligned, file.path)))


def _check_members(plan: _Plan, name: str) -> None:
    """A writer never makes what a reader refuses."""
    measured = {slot.path: content for slot, content in zip(plan.slots, plan.contents, strict=True)}
    with ExitStack() as stack:

        def source(path: str) -> Source:
            content = measured[path].source
            if isinstance(content, bytes):
                return BytesRange(content)
            try:
                file = stack.enter_context(content.open("rb"))
            except OSError as error:
                raise BundleError(f"{content}: {error.strerror or error}") from error
            return FileRange(file.fileno(), 0, measured[path].size, str(content))

        check_contents(plan.manifest, source, name)


def _measure(name: str, source: bytes | Path) -> _Measured:
    size, crc32, digest = 0, 0, hashlib.sha256()
    for chunk in _chunks(name, source):
        size += len(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        digest.update(chunk)
    return _Measured(source, size, crc32, digest.hexdigest())


def _copy(slot: Slot, content: _Measured, file: BinaryIO) -> None:
    size, crc32 = 0, 0
    for chunk in _chunks(slot.path, content.source):
        size += len(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        file.write(chunk)
    if (size, crc32) != (content.size, content.crc32):
        what = f"{content.source!s} changed while it was written"
        raise BundleError(f"member {slot.path}: {what}", "write the bundle again")


def _chunks(name: str, source: bytes | Path) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    try:
        with source.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk
    except OSError as error:
        raise BundleError(f"member {name}: {source}: {error.strerror or error}") from error
