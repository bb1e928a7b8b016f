"""Where every byte of a bundle lies: the ZIP structures, derived from names, sizes and CRCs alone. Pure.

Writer and reader share these functions: the writer writes what they give, the reader compares the file with
it byte for byte. Fields: PKWARE APPNOTE 6.3.10, 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end
record); padding: extra field 0xA11E, "data stream alignment" (4.6.1, from Apache Commons Compress).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"

ALIGNMENT = 16384  # the page of a Pi 5 and of new phones
MAX_FILE_BYTES = 2**32 - 2  # no zip64: 0xFFFFFFFF would announce it
MAX_MANIFEST_BYTES = 4 * 2**20
MAX_SIGNATURE_BYTES = 8 * 2**20  # the manifest in base64, and the signatures

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_PADDING = struct.Struct("<3H")  # header id, data size, alignment

_VERSION = 10  # 1.0: stored members, made by MS-DOS, so no Unix mode and no symlink
_DATE = 0x21  # 1980-01-01
_PADDING_ID = 0xA11E

LOCAL_BYTES = _LOCAL.size
CENTRAL_BYTES = _CENTRAL.size
END_BYTES = _END.size
MIN_FILE_BYTES = LOCAL_BYTES + CENTRAL_BYTES + 2 * len(MANIFEST) + END_BYTES
LOCAL_MAGIC = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Slot:
    """Place of one member.

    Attributes:
        path: its name in the archive.
        size: bytes of its content.
        aligned: whether the content starts at a multiple of 16,384.
        header_offset: where its local header starts.
        data_offset: where its content starts.
    """

    path: str
    size: int
    aligned: bool
    header_offset: int
    data_offset: int

    @property
    def end(self) -> int:
        """First byte after the content."""
        return self.data_offset + self.size


def place(members: Iterable[tuple[str, int, bool]], start: int = 0) -> list[Slot]:
    """Lays members ``(path, size, aligned)`` one after the other, from the offset ``start`` on."""
    slots = []
    offset = start
    for path, size, aligned in members:
        data = offset + _LOCAL.size + len(path)
        if aligned:
            data += _PADDING.size
            data += -data % ALIGNMENT
        slots.append(Slot(path, size, aligned, offset, data))
        offset = data + size
    return slots


def local_header(slot: Slot, crc32: int) -> bytes:
    """Local header, name and padding of a member: all bytes before its content."""
    name = slot.path.encode("ascii")
    extra = b""
    if slot.aligned:
        length = slot.data_offset - slot.header_offset - _LOCAL.size - len(name)
        extra = _PADDING.pack(_PADDING_ID, length - 4, ALIGNMENT).ljust(length, b"\0")
    head = _LOCAL.pack(
        LOCAL_MAGIC, _VERSION, 0, 0, 0, _DATE, crc32, slot.size, slot.size, len(name), len(extra)
    )
    return head + name + extra


def claimed_crc32(header: bytes) -> int:
    """The CRC-32 that a local header states."""
    return int.from_bytes(header[14:18], "little")


def claimed_size(header: bytes) -> int:
    """The content's size that a local header states."""
    return int.from_bytes(header[18:22], "little")


def central_bytes(paths: Iterable[str]) -> int:
    """Size of the central directory and the end record together."""
    return sum(_CENTRAL.size + len(path) for path in paths) + _END.size


def directory(slots: Sequence[Slot], crcs: Sequence[int]) -> bytes:
    """Central directory and end record: all bytes after the last member's content."""
    parts = []
    for slot, crc32 in zip(slots, crcs, strict=True):
        name = slot.path.encode("ascii")
        head = (b"PK\x01\x02", _VERSION, _VERSION, 0, 0, 0, _DATE, crc32, slot.size, slot.size)
        tail = (len(name), 0, 0, 0, 0, 0, slot.header_offset)
        parts.append(_CENTRAL.pack(*head, *tail) + name)
    central = b"".join(parts)
    start = slots[-1].end
    return central + _END.pack(b"PK\x05\x06", 0, 0, len(slots), len(slots), len(central), start, 0)
