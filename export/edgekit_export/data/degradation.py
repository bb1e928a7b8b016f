"""What cameras and scanners do to a picture: low resolution, blur, noise, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edgekit.types import F32, U8, Array
from edgekit_export.data.vocabulary import Rng


@dataclass(frozen=True, slots=True)
class Degradation:
    """How much of each.

    Attributes:
        shrink: the picture is reduced to this share of its size and enlarged again, 1 for none.
        blur_px: standard deviation of a Gaussian blur.
        motion_px: length of a straight motion blur, 0 for none.
        motion_angle: its direction in radians.
        noise: standard deviation of Gaussian noise, in levels of 255.
        quality: of a JPEG round trip, 1–100; 0 for none.
    """

    shrink: float = 1.0
    blur_px: float = 0.0
    motion_px: int = 0
    motion_angle: float = 0.0
    noise: float = 0.0
    quality: int = 0


def degrade(image: F32, how: Degradation, rng: Rng) -> U8:
    """Applies them in the order a camera does: optics, sensor, compression.

    Args:
        image: ``(height, width, 3)`` float32 RGB, 0–255.
        how: how much of each.
        rng: where the noise comes from.

    Returns:
        The same size, uint8.
    """
    height, width = image.shape[:2]
    picture: Array = image
    if how.motion_px > 1:
        picture = cv2.filter2D(picture, -1, _motion_kernel(how.motion_px, how.motion_angle))
    if how.blur_px > 0.05:
        picture = cv2.GaussianBlur(picture, (0, 0), how.blur_px)
    if how.shrink < 1.0:
        small = max(4, round(width * how.shrink)), max(4, round(height * how.shrink))
        picture = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        picture = _with_noise(picture, how.noise, rng)
        picture = cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        picture = _with_noise(picture, how.noise, rng)
    pixels: U8 = np.clip(picture + 0.5, 0, 255).astype(np.uint8)
    return _through_jpeg(pixels, how.quality) if how.quality else pixels


def _with_noise(image: Array, sigma: float, rng: Rng) -> Array:
    if sigma <= 0:
        return image
    grain: F32 = rng.standard_normal(image.shape, dtype=np.float32)
    return np.asarray(image + grain * np.float32(sigma))


def _motion_kernel(length: int, angle: float) -> F32:
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    reach = np.asarray([np.cos(angle), np.sin(angle)]) * middle
    start, end = (np.rint(middle + sign * reach).astype(int) for sign in (-1, 1))
    cv2.line(kernel, tuple(map(int, start)), tuple(map(int, end)), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _through_jpeg(pixels: U8, quality: int) -> U8:
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("JPEG encoding failed")
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
