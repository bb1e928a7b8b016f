"""Splits a Motion JPEG stream (``multipart/x-mixed-replace``, RFC 2046) into its pictures; pure, bytes in, bytes out.

What cameras really send differs from the standard: boundaries with or without their dashes, no Content-Length or a
wrong one, bare line feeds. So a part ends where its length says *if* no boundary comes before, else at the next
boundary; and without a length, where the bytes that are there end with a JPEG's end marker, so that a picture need not
wait for the next one's boundary.
"""

from __future__ import annotations

import re

MAX_PART_BYTES = 16_000_000
"""Of one picture; a longer one is skipped."""

MAX_HEAD_BYTES = 8192

_LENGTH = re.compile(rb"(?im)^content-length:[ \t]*([0-9]{1,15})[ \t]*\r?$")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_END_OF_IMAGE = b"\xff\xd9"


class Multipart:
    """Takes bytes as they come, gives parts as they are complete. Holds at most one part and what was fed last.

    Args:
        boundary: as the Content-Type names it, with or without leading dashes.
        max_part_bytes: the longest part that is kept.
    """

    def __init__(self, boundary: bytes, max_part_bytes: int = MAX_PART_BYTES) -> None:
        self._boundary = b"--" + boundary.strip(b'" ').lstrip(b"-")
        self._max_part_bytes = max_part_bytes
        self._buffer = bytearray()
        self._in_body = False
        self._length: int | None = None
        self._searched = 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """Takes what has arrived.

        Returns:
            The bodies that are complete now, in order; ``None`` for one that was too long or had no proper head.
        """
        self._buffer += data
        found: list[bytes | None] = []
        while self._body(found) if self._in_body else self._head(found):
            pass
        return found

    def _head(self, found: list[bytes | None]) -> bool:
        """Goes over boundary and headers; returns whether it got anywhere."""
        start = self._buffer.find(self._boundary)
        if start < 0:
            del self._buffer[: max(len(self._buffer) - len(self._boundary) + 1, 0)]
            return False
        head = start + len(self._boundary)
        end = _HEAD_END.search(self._buffer, head, head + MAX_HEAD_BYTES)
        if end is None and len(self._buffer) - head < MAX_HEAD_BYTES:
            return False
        length = _LENGTH.search(self._buffer, head, end.end()) if end else None
        self._length = int(length[1]) if length else None
        self._in_body = end is not None and (self._length or 0) <= self._max_part_bytes
        self._searched = 0
        if not self._in_body:
            found.append(None)
        del self._buffer[: end.end() if end else head]
        return True

    def _body(self, found: list[bytes | None]) -> bool:
        """Takes the body, if it is complete or too long; returns whether it was."""
        held = len(self._buffer)
        limit = held if self._length is None else min(self._length, held)
        end = self._buffer.find(self._boundary, self._searched, limit)
        if end >= 0:
            found.append(bytes(self._buffer[:end]).rstrip(b"-\r\n"))  # dashes: of a boundary with more
        elif limit == self._length:
            end = limit
            found.append(bytes(self._buffer[:end]))
        elif self._length is None and bytes(self._buffer[-4:]).rstrip(b"\r\n").endswith(_END_OF_IMAGE):
            end = held
            found.append(bytes(self._buffer).rstrip(b"\r\n"))
        elif held > self._max_part_bytes:
            end = held
            found.append(None)
        else:
            self._searched = max(limit - len(self._boundary), 0)
            return False
        del self._buffer[:end]
        self._in_body = False
        return True
