"""Records of the stream: two lengths, JSON, and a picture where there is one.

``uint32`` length of the JSON, ``uint32`` length of the picture (both big endian), JSON in UTF-8, JPEG. Picture and
boxes travel together, so boxes never lie on another picture than their own.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import cv2
import msgspec

from edgekit.errors import DataError
from edgekit.types import U8, Frame
from edgekit.unicode import encodable

LONGEST_SIDE = 960
JPEG_QUALITY = 75


def record(kind: str, fields: Mapping[str, Any], picture: bytes = b"") -> bytes:
    """One record; ``kind`` is added to its fields."""
    body = {"kind": kind, **fields}
    try:
        text = msgspec.json.encode(body)
    except UnicodeEncodeError:  # labels and names of files may hold what UTF-8 cannot
        text = msgspec.json.encode(encodable(body))
    return struct.pack(">II", len(text), len(picture)) + text + picture


def jpeg(frame: Frame) -> bytes:
    """The picture, made smaller where its longer side passes 960 pixels.

    Raises:
        DataError: OpenCV cannot encode it.
    """
    width, height = frame.size_wh
    pixels: U8 = frame.pixels
    scale = LONGEST_SIDE / max(width, height)
    if scale < 1:
        size_wh = (max(round(width * scale), 1), max(round(height * scale), 1))
        pixels = cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    if frame.color == "rgb":
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)  # type: ignore[assignment]
    done, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise DataError(f"preview: a picture of {width}×{height} pixels cannot be encoded as JPEG")
    return encoded.tobytes()
