"""The size a picture file says it has, without decoding it."""

from __future__ import annotations

from pathlib import Path

from edgekit.processing.jpeg_size import jpeg_size

_PNG = b"\x89PNG\r\n\x1a\n"
HEAD_BYTES = 1 << 18
"""Read of a file: a JPEG's metadata, of at most 64 KiB each, stand before its size."""


def file_size_wh(path: Path) -> tuple[int, int] | None:
    """Width and height of a PNG or JPEG before it is turned by its EXIF orientation; ``None`` of other files."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return None
    if head.startswith(_PNG) and head[12:16] == b"IHDR" and len(head) >= 24:  # ISO/IEC 15948, 11.2.2
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    return jpeg_size(head)
