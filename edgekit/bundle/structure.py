"""Reads what holds a bundle together, and compares every byte of it with what it has to be.

From the manifest alone follow all headers, the padding, the central directory and the end record, but for the
CRC-32 of the members, which stand in two places that must agree (and are measured by whoever reads a member).
"""

from __future__ import annotations

import hashlib
import os
import zlib
from dataclasses import dataclass

from edgekit.bundle.codec import decode_manifest, decode_signature
from edgekit.bundle.layout import (
    LOCAL_BYTES,
    LOCAL_MAGIC,
    MANIFEST,
    MAX_FILE_BYTES,
    MAX_MANIFEST_BYTES,
    MAX_SIGNATURE_BYTES,
    MIN_FILE_BYTES,
    SIGNATURE,
    Slot,
    central_bytes,
    claimed_crc32,
    claimed_size,
    directory,
    local_header,
    place,
)
from edgekit.bundle.manifest import Manifest, Signature
from edgekit.bundle.ranges import FileRange, Source
from edgekit.errors import BundleError

DAMAGED = "the file is damaged or was not written by edgekit; fetch or export it again"


@dataclass(frozen=True, slots=True)
class Structure:
    """What :func:`read_structure` found.

    Attributes:
        manifest: the manifest, checked.
        id: SHA-256 of ``manifest.json``, hexadecimal.
        signature: the envelope, checked to hold this manifest, if there is one.
        slots: place of every member, in the file's order.
        crcs: CRC-32 of every member as the headers state it, in the same order.
    """

    manifest: Manifest
    id: str
    signature: Signature | None
    slots: tuple[Slot, ...]
    crcs: tuple[int, ...]


def read_structure(handle: int, name: str) -> Structure:
    """Checks everything in a bundle but the content of its members.

    Args:
        handle: the bundle, open for reading.
        name: what to call it in messages.

    Raises:
        BundleError: a byte that is not what it has to be, a broken rule of the manifest, a cap exceeded.
    """
    size = os.fstat(handle).st_size
    source = FileRange(handle, 0, size, name)
    if not MIN_FILE_BYTES <= size <= MAX_FILE_BYTES:
        raise BundleError(f"{name}: {size} bytes, expected {MIN_FILE_BYTES} to {MAX_FILE_BYTES}", DAMAGED)
    first, head = _read_manifest(source, name)
    try:
        manifest = decode_manifest(head)
    except BundleError as error:
        raise BundleError(f"{name}: {error.message}", error.remedy) from error
    slots = [first, *place(((f.path, f.size, f.aligned) for f in manifest.files), first.end)]
    signature_slot = _signature_slot(slots, size, name)
    crcs = [zlib.crc32(head)]
    crcs += [_check_header(source, slot, name) for slot in slots[1:]]
    signature = None
    if signature_slot:
        signature, crc32 = _read_signature(source, signature_slot, head, name)
        slots.append(signature_slot)
        crcs.append(crc32)
    _compare(source, slots[-1].end, directory(slots, crcs), "central directory", name)
    return Structure(manifest, hashlib.sha256(head).hexdigest(), signature, tuple(slots), tuple(crcs))


def _read_manifest(source: Source, name: str) -> tuple[Slot, bytes]:
    header = source.read(0, LOCAL_BYTES)
    if not header.startswith(LOCAL_MAGIC):
        raise BundleError(f"{name}: starts with {header[:4]!r}, expected a bundle's {LOCAL_MAGIC!r}", DAMAGED)
    size = claimed_size(header)
    if not 0 < size <= min(MAX_MANIFEST_BYTES, source.size):
        what = f"manifest.json has {size} bytes, expected 1 to {MAX_MANIFEST_BYTES}"
        raise BundleError(f"{name}: {what}", DAMAGED)
    (slot,) = place([(MANIFEST, size, False)])
    head = source.read(slot.data_offset, size)
    _compare(source, 0, local_header(slot, zlib.crc32(head)), "header or CRC-32 of manifest.json", name)
    return slot, head


def _signature_slot(slots: list[Slot], size: int, name: str) -> Slot | None:
    """The signature is what lies between the last file and the central directory; its size follows."""
    paths = [slot.path for slot in slots]
    end = slots[-1].end
    spare = size - end - central_bytes(paths)
    if spare == 0:
        return None
    (empty,) = place([(SIGNATURE, 0, False)], end)
    length = size - empty.data_offset - central_bytes([*paths, SIGNATURE])
    if length < 1:
        expected = end + central_bytes(paths)
        what = f"{size} bytes, its manifest describes {expected}"
        raise BundleError(f"{name}: {what}", DAMAGED)
    if length > MAX_SIGNATURE_BYTES:
        raise BundleError(f"{name}: {spare} bytes more than its manifest describes", DAMAGED)
    (slot,) = place([(SIGNATURE, length, False)], end)
    return slot


def _read_signature(source: Source, slot: Slot, head: bytes, name: str) -> tuple[Signature, int]:
    data = source.read(slot.data_offset, slot.size)
    crc32 = zlib.crc32(data)
    _compare(source, slot.header_offset, local_header(slot, crc32), "header or CRC-32 of signature", name)
    try:
        return decode_signature(data, head), crc32
    except BundleError as error:
        raise BundleError(f"{name}: {error.message}", error.remedy) from error


def _check_header(source: Source, slot: Slot, name: str) -> int:
    """Compares a member's header with what it has to be, CRC-32 aside; returns that."""
    crc32 = claimed_crc32(source.read(slot.header_offset, LOCAL_BYTES))
    _compare(source, slot.header_offset, local_header(slot, crc32), f"header of {slot.path}", name)
    return crc32


def _compare(source: Source, offset: int, expected: bytes, what: str, name: str) -> None:
    got = source.read(offset, len(expected))
    if got == expected:
        return
    index = next((i for i, (a, b) in enumerate(zip(got, expected, strict=False)) if a != b), len(got))
    if index == len(got):
        raise BundleError(f"{name}: ends within the {what}, at byte {offset + index}", DAMAGED)
    detail = f"byte {offset + index} ({what}) is 0x{got[index]:02x}, expected 0x{expected[index]:02x}"
    raise BundleError(f"{name}: {detail}", DAMAGED)
