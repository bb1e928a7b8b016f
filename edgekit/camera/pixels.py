"""Whatever shape a driver hands its pixels out in becomes BGR."""

from __future__ import annotations

from typing import Literal, TypeAlias, cast

import cv2
import numpy as np

from edgekit.types import U8, Array

PixelForm: TypeAlias = Literal["grey", "bgr", "bgra", "yuyv", "uyvy", "jpeg"]

_JPEG = b"\xff\xd8\xff"
_UYVY = int.from_bytes(b"UYVY", "little")


def to_bgr(pixels: Array | None, fourcc: int = 0) -> tuple[U8, PixelForm] | None:
    """Converts what a driver gave.

    Args:
        pixels: ``(height, width)`` or ``(height, width, 1)`` grey, 8 bits, or 16 of which the high 8 are taken;
            ``(height, width, 2)`` packed YUV 4:2:2; 3 channels BGR; 4 channels BGRA, of which alpha is left out; or one
            row of bytes that are a JPEG.
        fourcc: the driver's format, which says in which order two channels are; YUYV unless it is UYVY.

    Returns:
        ``(height, width, 3)`` uint8 BGR and what it came as, or ``None`` where it is no picture.
    """
    if pixels is None or pixels.size == 0:
        return None
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        return None
    try:
        return _converted(pixels, fourcc)
    except cv2.error:  # e.g. an odd width of packed YUV
        return None


def _converted(pixels: Array, fourcc: int) -> tuple[U8, PixelForm] | None:
    if min(pixels.shape[:2]) == 1 and pixels.size > 64 and pixels.reshape(-1)[:3].tobytes() == _JPEG:
        picture = cv2.imdecode(np.ascontiguousarray(pixels.reshape(-1)), cv2.IMREAD_COLOR)
        return None if picture is None else (cast(U8, picture), "jpeg")
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels == 3:
        return cast(U8, pixels), "bgr"
    if channels == 1:
        return cast(U8, cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR)), "grey"
    if channels == 4:
        return cast(U8, cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR)), "bgra"
    if channels != 2:
        return None
    if fourcc == _UYVY:
        return cast(U8, cv2.cvtColor(pixels, cv2.COLOR_YUV2BGR_UYVY)), "uyvy"
    return cast(U8, cv2.cvtColor(pixels, cv2.COLOR_YUV2BGR_YUY2)), "yuyv"
