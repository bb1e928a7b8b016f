"""Motion JPEG over HTTP, read by ourselves.

Through OpenCV's FFmpeg one broken picture ends the stream, another size is scaled back to the first in silence, and a
part that says it is a terabyte long is collected until memory is full.
"""

from __future__ import annotations

import http.client
import time
from collections import deque
from typing import cast

import cv2
import numpy as np

from edgekit.camera.address import without_password
from edgekit.camera.http import open_http, words_of
from edgekit.camera.multipart import Multipart
from edgekit.camera.protocol import Corrupt, LiveSource, Lost, Reading
from edgekit.errors import EnvironmentLacks
from edgekit.processing.images import is_truncated
from edgekit.processing.jpeg_size import jpeg_size
from edgekit.types import U8, Frame

TIMEOUT_S = 5.0
"""For the connection and its headers together, and for each picture."""

CHUNK_BYTES = 65_536
MAX_PIXELS = 50_000_000
"""A head of a few bytes may promise four thousand million."""


class MjpegSource:
    """An open stream; see :class:`edgekit.camera.protocol.Source`.

    Args:
        url: as it was given.
        response: whose body is the stream.
        boundary: between its parts.
    """

    live = True

    def __init__(self, url: str, response: http.client.HTTPResponse, boundary: str) -> None:
        self.description = without_password(url)
        self.fps: float | None = None
        self.size_wh: tuple[int, int] | None = None
        self.notes: list[str] = []
        self._url = url
        self._response = response
        self._parts = Multipart(boundary.encode("latin-1", "replace"))
        self._ready: deque[bytes | None] = deque()
        self._delivered = 0

    def read(self) -> Reading:
        """Waits for the next picture; see :class:`edgekit.camera.protocol.Source`."""
        end_s = time.monotonic() + TIMEOUT_S
        while not self._ready:
            if time.monotonic() > end_s:
                return Lost(f"{self.description}: no whole picture within {TIMEOUT_S:g} s")
            try:
                data = self._response.read1(CHUNK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                return Lost(f"{self.description}: {words_of(error)} after {self._delivered} frames")
            if not data:
                return Lost(f"{self.description}: closed by the other side after {self._delivered} frames")
            self._ready.extend(self._parts.feed(data))
        return self._decode(self._ready.popleft())

    def reopen(self) -> LiveSource:
        """Connects again; see :class:`edgekit.camera.protocol.LiveSource`."""
        again = open_mjpeg(self._url)
        if again is None:
            raise EnvironmentLacks(f"{self.description}: answers, and is no Motion JPEG any more")
        return again

    def close(self) -> None:
        """Ends the connection."""
        self._response.close()

    def _decode(self, part: bytes | None) -> Reading:
        pixels = None if part is None else decode(part)
        if pixels is None:
            return Corrupt(f"{self.description}: frame {self._delivered} cannot be decoded")
        self._delivered += 1
        return Frame(pixels, "bgr")


def decode(data: bytes) -> U8 | None:
    """Pixels of a JPEG, ``(height, width, 3)`` BGR, or ``None``: truncated, too large, or none."""
    size_wh = jpeg_size(data)
    if size_wh is None or size_wh[0] * size_wh[1] > MAX_PIXELS or is_truncated(data):
        return None
    try:
        picture = cv2.imdecode(
            np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:
        return None
    return cast(U8, picture) if picture is not None and picture.size else None


def open_mjpeg(url: str) -> MjpegSource | None:
    """Opens an address of HTTP.

    Returns:
        The stream, or ``None`` where what answers is something else than Motion JPEG.

    Raises:
        EnvironmentLacks: nobody answers in time, or says no.
    """
    response = open_http(url, TIMEOUT_S)
    kind, boundary = response.headers.get_content_type(), response.headers.get_param("boundary")
    if kind != "multipart/x-mixed-replace" or not isinstance(boundary, str) or not boundary.strip('"- '):
        response.close()
        return None
    return MjpegSource(url, response, boundary)
