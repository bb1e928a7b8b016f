"""Which files of a folder are pictures, and in which order."""

from __future__ import annotations

import re
from pathlib import Path

from edgekit.errors import DataError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def is_picture(path: Path) -> bool:
    """Whether the name says that it is a picture; hidden files are none."""
    return path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")


def by_number(path: Path) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key: by name, numbers in it by value (``2.jpg`` before ``10.jpg``)."""
    parts = re.findall(r"[0-9]+|[^0-9]+", path.name)
    return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in parts], path.name


def pictures_of(path: Path) -> list[Path]:
    """The picture itself, or those of a folder in the order of :func:`by_number`.

    Raises:
        DataError: nothing there, or a folder without a picture.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        what = "neither a file nor a folder" if path.exists() else "no such file or folder"
        raise DataError(f"{path}: {what}", "name a picture, or a folder of them")
    files = [p for p in path.iterdir() if is_picture(p) and p.is_file()]
    if not files:
        endings = " ".join(sorted(PICTURE_SUFFIXES))
        raise DataError(f"{path}: no picture in this folder", f"endings: {endings}")
    return sorted(files, key=by_number)
