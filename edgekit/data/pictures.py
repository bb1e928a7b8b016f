"""Picture files: which there are, whether they are whole, and their pixels."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np

from edgekit.errors import DataError
from edgekit.types import Frame

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

_END_MARKS = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG\r\n\x1a\n": b"IEND"}
_END_WITHIN_BYTES = 1 << 16  # cameras append padding and previews behind the end mark


def is_picture(path: Path) -> bool:
    """Whether the name says that it is a picture; hidden files are none."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key: by name, numbers in it by value (``2.jpg`` before ``10.jpg``)."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], path.name


def read_encoded(path: Path) -> bytes:
    """The file's bytes, checked to be a whole picture as far as that shows without decoding.

    Decoders fill what is missing of a truncated JPEG or PNG with grey and say nothing.

    Raises:
        DataError: missing, empty, unreadable, truncated, or not a picture.
    """
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if not encoded:
        raise DataError(f"{path}: the picture file is empty")
    for start, end in _END_MARKS.items():
        if encoded.startswith(start) and end not in encoded[-_END_WITHIN_BYTES:]:
            raise DataError(f"{path}: the picture is truncated: {len(encoded)} bytes and no end mark")
    if not cv2.haveImageReader(str(path)):
        raise DataError(
            f"{path}: not a picture that OpenCV can read", f"it begins with {encoded[:8].hex(' ')}"
        )
    return encoded


def decode(path: Path) -> Frame:
    """Reads and decodes a picture, turned upright as its EXIF data says.

    Returns:
        A frame in ``bgr``, named after the file.

    Raises:
        DataError: as :func:`read_encoded`, or it cannot be decoded.
    """
    encoded = np.frombuffer(read_encoded(path), np.uint8)
    try:
        pixels = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    except cv2.error:  # e.g. a header that asks for more pixels than OpenCV allows
        pixels = None
    if pixels is None:
        raise DataError(f"{path}: the picture cannot be decoded")
    return Frame(pixels.astype(np.uint8, copy=False), "bgr", name=path.name)
