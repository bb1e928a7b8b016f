"""File names that OpenCV may be given."""

from __future__ import annotations

import os

from edgekit.errors import DataError


def opencv_path(path: str | os.PathLike[str]) -> str:
    """The name as OpenCV may have it: its Python bindings crash on one that is not UTF-8.

    Raises:
        DataError: it is not UTF-8.
    """
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        raise DataError(f"{name}: the name is not UTF-8, expected UTF-8 for OpenCV", "rename it") from None
    return name
