"""Whatever a caller calls a picture becomes a :class:`~edgekit.types.Frame`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edgekit.errors import DataError
from edgekit.processing.quiet import quiet
from edgekit.types import U8, Array, Frame

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"


def to_frame(image: Frame | Array | str | Path | Any) -> Frame:  # noqa: ANN401 (a PIL image, where PIL is)
    """Turns a picture into a frame.

    Args:
        image: a frame; a ``(height, width, 3)`` uint8 RGB array; a PIL image; or the path of a picture file.
            Files and PIL images are turned upright by their EXIF orientation, grey becomes three channels,
            16 bits a channel become 8 (the high byte), and transparent parts are laid on white.

    Raises:
        DataError: the file cannot be read, is truncated or no picture; the array has another shape or dtype.
    """
    if isinstance(image, Frame):
        return image
    if isinstance(image, np.ndarray):
        return Frame(image)
    if isinstance(image, str | Path):
        return read_picture(Path(image))
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(image, pil.Image):
        return Frame(_from_pil(image))
    got = type(image).__name__
    raise DataError(f"picture: expected a path, a uint8 array (height, width, 3) or a PIL image, got {got}")


def read_picture(path: Path) -> Frame:
    """Reads a picture file; see :func:`to_frame`. The frame is ``bgr`` and carries the file's name.

    Raises:
        DataError: the file cannot be read, is truncated or no picture.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such picture") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return Frame(decode_picture(data, str(path)), color="bgr", name=path.name)


def decode_picture(data: bytes, name: str) -> U8:
    """Decodes a picture file's bytes to ``(height, width, 3)`` BGR.

    Raises:
        DataError: truncated, or no picture that OpenCV can read; the message starts with ``name``.
    """
    if not data:
        raise DataError(f"{name}: expected a picture, got an empty file", "copy it again")
    if is_truncated(data):
        raise DataError(f"{name}: the picture is truncated (end marker missing)")
    buffer = np.frombuffer(data, np.uint8)
    with quiet():
        pixels = _imdecode(buffer, cv2.IMREAD_COLOR)
        if pixels is None or pixels.ndim != 3:
            raise DataError(
                f"{name}: not a picture that can be read, or a damaged one",
                "expected JPEG, PNG, WebP, TIFF or BMP; clips go to edgekit camera",
            )
        if _may_be_transparent(data):
            unchanged = _imdecode(buffer, cv2.IMREAD_UNCHANGED)
            pixels = _on_white(pixels, _with_clear_grey(unchanged, data))
    return pixels


def _imdecode(buffer: U8, flags: int) -> Array | None:
    try:
        pixels: Array | None = cv2.imdecode(buffer, flags)
    except cv2.error:
        return None
    return pixels


def is_truncated(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end; older OpenCV decodes such files, grey where data is missing."""
    if data.startswith(_JPEG):
        return data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")  # no end of image after the last scan
    return data.startswith(_PNG) and b"IEND" not in data


def _may_be_transparent(data: bytes) -> bool:
    if data.startswith(_PNG):
        return data[25:26] in (b"\x04", b"\x06") or b"tRNS" in data[:4096]
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data[12:16] == b"VP8L" or (data[12:16] == b"VP8X" and bool(data[20] & 0x10))
    return False


def _with_clear_grey(grey: Array | None, data: bytes) -> Array | None:
    """A PNG's grey pixels with the alpha that OpenCV leaves out: one value of grey may be transparent."""
    at = data.find(b"tRNS", 33, 4096)
    if grey is None or grey.ndim != 2 or at < 0:
        return grey
    depth, clear = data[24], int.from_bytes(data[at + 4 : at + 6], "big")
    if depth < 8:  # these are spread over 8 bits
        clear = clear * 255 // (2**depth - 1)
    alpha = np.where(grey == clear, 0, np.iinfo(grey.dtype).max).astype(grey.dtype)
    return np.stack([grey, grey, grey, alpha], axis=2)


def _on_white(color: U8, unchanged: Array | None) -> U8:
    """Lays a picture on white by its alpha channel.

    ``unchanged`` is not turned by EXIF; where that makes a difference the alpha channel is left out.
    """
    if unchanged is None or unchanged.ndim != 3 or unchanged.shape[2] != 4:
        return color
    if unchanged.dtype == np.uint16:
        unchanged = (unchanged >> 8).astype(np.uint8)
    if not np.array_equal(unchanged[:, :, :3], color):
        return color
    alpha = unchanged[:, :, 3:].astype(np.uint32)
    laid = (color * alpha + 255 * (255 - alpha) + 127) // 255
    return laid.astype(np.uint8)


def _from_pil(image: Any) -> U8:  # noqa: ANN401 (PIL is no dependency)
    from PIL import Image, ImageOps  # the caller has it: it made the image

    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I;16"):
        grey = (np.asarray(upright) >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, np.newaxis], 3, axis=2)
    if "A" in upright.mode or "transparency" in upright.info:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return np.array(upright.convert("RGB"))
