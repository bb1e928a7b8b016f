"""Random access to the bytes of one member, without holding it in memory."""

from __future__ import annotations

import os
from typing import Protocol

from edgekit.errors import BundleError


class Source(Protocol):
    """Bytes that can be read from any offset."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` on, fewer at the end."""
        ...


class FileRange:
    """Part of an open file. Uses ``pread``, so ranges of one handle do not disturb each other.

    Attributes:
        size: number of bytes in the range.
    """

    def __init__(self, handle: int, start: int, size: int, name: str) -> None:
        self.size = size
        self._handle = handle
        self._start = start
        self._name = name

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` on, fewer at the end of the range.

        Raises:
            BundleError: the device failed, or the file became shorter meanwhile.
        """
        want = max(0, min(length, self.size - offset))
        try:
            data = os.pread(self._handle, want, self._start + offset)
        except OSError as error:
            raise BundleError(f"{self._name}: {error.strerror or error}", "check the disk") from error
        if len(data) != want:
            raise BundleError(f"{self._name}: became shorter while it was read", "do not change it in place")
        return data


class BytesRange:
    """Bytes in memory as a source."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` on, fewer at the end."""
        return self._data[offset : offset + length]
