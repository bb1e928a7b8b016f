"""Picture files: whether they are whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2

from edgekit.errors import DataError
from edgekit.processing.images import is_truncated
from edgekit.processing.opencv_path import opencv_path


def digest_of_picture(path: Path) -> str:
    """SHA-256 of the file, checked as :func:`read_whole` does; raises what it raises."""
    return hashlib.sha256(read_whole(path)).hexdigest()


def read_whole(path: Path) -> bytes:
    """The file's bytes, checked to be a whole picture as far as that shows without decoding.

    A broken file is found before a long run starts, not in the middle of it.

    Raises:
        DataError: missing, empty, unreadable, truncated, or not a picture.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise DataError(f"{path}: expected a file, got a folder, a pipe or a device")
        encoded = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in the name, or one that is no Unicode
        raise DataError(f"{str(path)!r}: no name of a file: {error}") from error
    if not encoded:
        raise DataError(f"{path}: expected a picture, got an empty file", "copy it again, or take it out")
    if is_truncated(encoded):
        raise DataError(f"{path}: the picture is truncated: {len(encoded)} bytes and no end mark")
    if not cv2.haveImageReader(opencv_path(path)):
        raise DataError(
            f"{path}: not a picture that OpenCV can read", f"it begins with {encoded[:8].hex(' ')}"
        )
    return encoded
