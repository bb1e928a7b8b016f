"""A picture becomes a graph's input, by the operations that the bundle names (``manifest.ImageInput``).

All sizes are computed in integers, so that any language gets the same ones, and ``opencv_linear_exact`` is
OpenCV's ``INTER_LINEAR_EXACT``, which is bit-exact by definition; other algorithms are Pillow's own. Channel
order is converted last, when the picture is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np

from edgekit.bundle.manifest import (
    CenterCrop,
    ImageInput,
    Letterbox,
    Normalize,
    PixelOp,
    ResizeAlgorithm,
    ResizeHeight,
    ResizeMultiple,
    ResizeShorter,
    ResizeStretch,
)
from edgekit.errors import BundleError, DataError
from edgekit.processing.resize import resize
from edgekit.types import F32, U8, Array, Frame

MAX_SIDE = 16384
"""Longest side that a resize may produce; a picture of 20,000 × 1 would need gigabytes otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A graph's input and the way back to the picture.

    Attributes:
        tensor: ``(1, height, width, 3)`` or ``(1, 3, height, width)``, uint8 or float32, C order.
        scale_xy: picture pixels per tensor pixel, horizontally and vertically.
        offset_xy: where the tensor's top left edge lies in the picture, in picture pixels.
        content_wh: size of the part of the tensor that shows the picture; the rest is padding.

    ``picture_xy = tensor_xy * scale_xy + offset_xy`` for positions measured from edges (the centre of the
    first pixel is 0.5, 0.5).
    """

    tensor: Array
    scale_xy: tuple[float, float]
    offset_xy: tuple[float, float]
    content_wh: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """The picture on its way through the operations; ``offset_xy`` is in tensor pixels here."""

    pixels: U8
    scale_xy: tuple[float, float] = (1.0, 1.0)
    offset_xy: tuple[float, float] = (0.0, 0.0)
    content_wh: tuple[int, int] | None = None


def prepare(frame: Frame, spec: ImageInput) -> Prepared:
    """Executes the operations of ``spec`` on a picture.

    Raises:
        DataError: the picture does not fit: smaller than a crop, or so elongated that a side would pass
            :data:`MAX_SIDE`.
        BundleError: operations in an order that has no meaning (pixels after ``normalize``, ``normalize``
            for a uint8 graph).
    """
    pixel_ops, normalize = _split(spec)
    step = _Step(frame.pixels)
    try:
        for op, crop in _with_crops(pixel_ops):
            step = _apply(step, op, crop)
    except DataError as error:  # among many pictures, say which
        name = f"{frame.name}: " if frame.name else ""
        raise DataError(f"{name}{error.message}", error.remedy) from error
    pixels = step.pixels if frame.color == spec.color else cv2.cvtColor(step.pixels, cv2.COLOR_RGB2BGR)
    values: Array = pixels
    if normalize is not None:
        values = cv2.LUT(pixels, _normalize_table(normalize.mean, normalize.std))
    elif spec.dtype == "float32":
        values = pixels.astype(np.float32)
    if spec.layout == "nchw":
        values = values.transpose(2, 0, 1)
    height, width = step.pixels.shape[:2]
    (scale_x, scale_y), (left, top) = step.scale_xy, step.offset_xy
    return Prepared(
        np.ascontiguousarray(values)[np.newaxis],
        step.scale_xy,
        (left * scale_x, top * scale_y),
        step.content_wh or (width, height),
    )


def _split(spec: ImageInput) -> tuple[tuple[PixelOp, ...], Normalize | None]:
    """The operations on pixels, and the normalisation that may follow them."""
    last = spec.ops[-1] if spec.ops else None
    normalize = last if isinstance(last, Normalize) else None
    pixel_ops = spec.ops[:-1] if normalize else spec.ops
    if any(isinstance(op, Normalize) for op in pixel_ops):
        raise BundleError("image input: expected normalize once, as the last operation, got it before others")
    if normalize is not None and spec.dtype != "float32":
        raise BundleError(f"image input: expected dtype float32 with normalize, got {spec.dtype}")
    return pixel_ops, normalize


@lru_cache(maxsize=16)
def _with_crops(ops: tuple[PixelOp, ...]) -> tuple[tuple[PixelOp, CenterCrop | None], ...]:
    """Operations, each with the crop that follows it where it need not make what that cuts off."""
    paired: list[tuple[PixelOp, CenterCrop | None]] = []
    for op in ops:
        before = paired[-1][0] if paired and paired[-1][1] is None else None
        if isinstance(op, CenterCrop) and isinstance(before, ResizeShorter | ResizeStretch | ResizeMultiple):
            paired[-1] = before, op
        else:
            paired.append((op, None))
    return tuple(paired)


def _apply(step: _Step, op: PixelOp, crop: CenterCrop | None) -> _Step:
    """One operation, and the crop that it was paired with."""
    height, width = step.pixels.shape[:2]
    match op:
        case ResizeShorter():
            return _resize(step, shorter_size((width, height), op.size, op.rounding), op.algorithm, crop)
        case ResizeStretch():
            return _resize(step, (op.width, op.height), op.algorithm, crop)
        case ResizeMultiple():
            return _resize(step, multiple_size((width, height), op), op.algorithm, crop)
        case ResizeHeight():
            content, padded = height_widths((width, height), op)
            resized = _resize(step, (content, op.height), op.algorithm)
            return _pad(resized, (0, 0, padded - content, 0), op.pad)
        case CenterCrop():
            return _center_crop(step, op, (width, height))
        case Letterbox():
            return _letterbox(step, op)
        case _:
            raise BundleError(f"image input: unknown operation {type(op).__name__}")


def shorter_size(
    size_wh: tuple[int, int], size: int, rounding: Literal["half_up", "down"] = "half_up"
) -> tuple[int, int]:
    """Size after ``resize_shorter``: the longer side scaled by the same factor, rounded half up or down."""
    shorter = min(size_wh)
    if rounding == "down":
        return size_wh[0] * size // shorter, size_wh[1] * size // shorter
    width, height = ((2 * side * size + shorter) // (2 * shorter) for side in size_wh)
    return width, height


def multiple_size(size_wh: tuple[int, int], op: ResizeMultiple) -> tuple[int, int]:
    """Size after ``resize_multiple``; the factor is kept as a fraction, so that rounding is exact."""
    shorter, longer = min(size_wh), max(size_wh)
    up, down = (op.min_side, shorter) if shorter < op.min_side else (1, 1)
    if longer * up > op.max_side * down:
        up, down = op.max_side, longer
    unit = op.multiple * down
    width, height = (max(1, (2 * side * up + unit) // (2 * unit)) * op.multiple for side in size_wh)
    return width, height


def height_widths(size_wh: tuple[int, int], op: ResizeHeight) -> tuple[int, int]:
    """Widths after ``resize_height``: of the picture itself, and with its padding."""
    width, height = size_wh
    content = min(-(-op.height * width // height), op.max_width)
    wanted = max(content, op.min_width)
    return content, -(-wanted // op.multiple) * op.multiple


def fitted_size(size_wh: tuple[int, int], op: Letterbox) -> tuple[int, int]:
    """Size of the picture after ``letterbox``: the tighter side fits exactly, the other is rounded half up."""
    width, height = size_wh
    if op.width * height <= op.height * width:
        return op.width, max(1, (2 * height * op.width + width) // (2 * width))
    return max(1, (2 * width * op.height + height) // (2 * height)), op.height


def _letterbox(step: _Step, op: Letterbox) -> _Step:
    height, width = step.pixels.shape[:2]
    fitted = _resize(step, fitted_size((width, height), op), op.algorithm)
    height, width = fitted.pixels.shape[:2]
    rest_x, rest_y = op.width - width, op.height - height
    left, top = (rest_x // 2, rest_y // 2) if op.place == "center" else (0, 0)
    return _pad(fitted, (left, top, rest_x - left, rest_y - top), op.pad)


def _resize(
    step: _Step, size_wh: tuple[int, int], algorithm: ResizeAlgorithm, crop: CenterCrop | None = None
) -> _Step:
    height, width = step.pixels.shape[:2]
    if max(size_wh) > MAX_SIDE:
        raise DataError(
            f"picture of {width}x{height}: too elongated, resizing gives {size_wh[0]}x{size_wh[1]}, "
            f"expected sides up to {MAX_SIDE}",
            "crop it",
        )
    until_wh = None
    if crop is not None:
        column, row = _corner(size_wh, crop)
        until_wh = column + crop.width, row + crop.height
    if size_wh != (width, height):
        pixels = resize(step.pixels, size_wh, algorithm, until_wh)
        scale_x, scale_y = step.scale_xy
        ratio_x, ratio_y = width / size_wh[0], height / size_wh[1]
        left, top = step.offset_xy
        step = _Step(pixels, (scale_x * ratio_x, scale_y * ratio_y), (left / ratio_x, top / ratio_y))
    return step if crop is None else _center_crop(step, crop, size_wh)


def _corner(size_wh: tuple[int, int], op: CenterCrop) -> tuple[int, int]:
    """Upper left corner of the crop, as column and row."""
    width, height = size_wh
    if op.width > width or op.height > height:
        raise DataError(
            f"centre crop: expected a picture of at least {op.width}x{op.height}, got {width}x{height}"
        )
    return (width - op.width) // 2, (height - op.height) // 2


def _center_crop(step: _Step, op: CenterCrop, size_wh: tuple[int, int]) -> _Step:
    """The middle of a picture of that size, of which ``step`` may have less on the right and below."""
    left, top = _corner(size_wh, op)
    pixels = step.pixels[top : top + op.height, left : left + op.width]
    return _Step(pixels, step.scale_xy, (step.offset_xy[0] + left, step.offset_xy[1] + top))


def _pad(step: _Step, around: tuple[int, int, int, int], value: int) -> _Step:
    """Pads by ``around``: left, top, right, bottom."""
    left, top, right, bottom = around
    if not any(around):
        return step
    height, width = step.pixels.shape[:2]
    pixels: Array = cv2.copyMakeBorder(
        step.pixels, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(value, value, value)
    )
    offset = step.offset_xy[0] - left, step.offset_xy[1] - top
    return _Step(pixels, step.scale_xy, offset, step.content_wh or (width, height))


@lru_cache(maxsize=16)
def _normalize_table(mean: tuple[float, float, float], std: tuple[float, float, float]) -> F32:
    """``(x - mean) / std`` of all 256 values a channel, ``(1, 256, 3)``: one look-up, not two passes."""
    values = np.arange(256, dtype=np.float32)[np.newaxis, :, np.newaxis]
    table = (values - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
    return np.ascontiguousarray(table, dtype=np.float32)
