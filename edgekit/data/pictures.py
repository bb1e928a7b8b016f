"""Picture files: which there are, in which order, and whether they are whole."""

from __future__ import annotations

import re
from pathlib import Path

import cv2

from edgekit.errors import DataError
from edgekit.processing.images import is_truncated

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def is_picture(path: Path) -> bool:
    """Whether the name says that it is a picture; hidden files are none."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key: by name, numbers in it by value (``2.jpg`` before ``10.jpg``)."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], path.name


def read_whole(path: Path) -> bytes:
    """The file's bytes, checked to be a whole picture as far as that shows without decoding.

    A broken file is found before a long run starts, not in the middle of it.

    Raises:
        DataError: missing, empty, unreadable, truncated, or not a picture.
    """
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if not encoded:
        raise DataError(f"{path}: expected a picture, got an empty file")
    if is_truncated(encoded):
        raise DataError(f"{path}: the picture is truncated: {len(encoded)} bytes and no end mark")
    if not cv2.haveImageReader(str(path)):
        raise DataError(
            f"{path}: not a picture that OpenCV can read", f"it begins with {encoded[:8].hex(' ')}"
        )
    return encoded
