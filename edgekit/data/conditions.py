"""What a device's camera does to a picture: the same samples measured again under worse conditions.

Strengths are moderate and fixed, so that reports can be compared. Blur, noise and scale are those of a camera
of 480 lines: larger pictures get them in proportion, so that they survive the model's resize. All arithmetic
is on integers, or on floats that hold integers exactly: every machine makes the same pixels of the same key.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist

import cv2
import numpy as np

from edgekit.errors import DataError, UsageError
from edgekit.processing.quiet import quiet
from edgekit.types import U8, Array, Frame

LINES = 480
BLUR_SIGMA = 1.5
NOISE_SIGMA = 12
JPEG_QUALITY = 25
DARK_STOPS = 3
GAMMA = 2.2
SCALE = 2


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that happens to pictures.

    Attributes:
        meaning: what it stands for and how strong it is, in one sentence.
        apply: ``(height, width, 3)`` uint8 RGB and a seed → the same shape, uint8 RGB.
    """

    meaning: str
    apply: Callable[[U8, int], U8]


def under(name: str, frame: Frame, key: str) -> Frame:
    """The frame under a condition.

    Args:
        name: one of :data:`CONDITIONS`.
        frame: the picture; the colour order stays.
        key: what chance follows from, e.g. the sample's id: the same key gives the same pixels.

    Raises:
        UsageError: no such condition.
    """
    if name not in CONDITIONS:
        raise UsageError(f"condition: got {name!r}", f"expected {', '.join(CONDITIONS)}")
    seed = int.from_bytes(
        hashlib.sha256(f"condition/1/{name}/{key}".encode("utf-8", "surrogatepass")).digest()
    )
    step = 1 if frame.color == "rgb" else -1
    changed = CONDITIONS[name].apply(np.ascontiguousarray(frame.pixels[:, :, ::step]), seed)
    return replace(frame, pixels=np.ascontiguousarray(changed[:, :, ::step]))


def _times(pixels: U8) -> float:
    """How many times larger than a picture of ``LINES`` it is, at least 1."""
    height, width, _ = pixels.shape
    return float(max(1.0, min(height, width) / LINES))


def blur(pixels: U8, seed: int) -> U8:
    """Gaussian blur of ``BLUR_SIGMA``: 8-bit weights, so that float32 adds them up exactly (below 2^24)."""
    weights = _gaussian(BLUR_SIGMA * _times(pixels))
    summed = cv2.sepFilter2D(pixels, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REFLECT_101)
    return ((summed.astype(np.int32) + 2**15) >> 16).astype(np.uint8)


def _gaussian(sigma: float) -> Array:
    """Weights of a Gaussian at whole pixels, as whole numbers that add up to 256."""
    radius = math.ceil(3 * sigma)
    exact = [math.exp(-0.5 * (i / sigma) ** 2) for i in range(-radius, radius + 1)]
    weights = np.array([round(256 * w / sum(exact)) for w in exact], np.float32)
    weights[radius] += 256 - weights.sum()
    return weights


def noise(pixels: U8, seed: int) -> U8:
    """Adds Gaussian noise of ``NOISE_SIGMA`` to each channel of each pixel, in grains in larger pictures."""
    height, width, channels = pixels.shape
    grain = round(_times(pixels))
    rows, columns = -(-height // grain), -(-width // grain)
    values = rows * columns * channels
    raw = np.random.PCG64(seed).random_raw(-(-values // 4)).astype("<u8").view("<u2")[:values]
    added = _normal()[raw].reshape(rows, columns, channels)
    added = added.repeat(grain, axis=0).repeat(grain, axis=1)[:height, :width]
    noisy: U8 = np.clip(pixels + added, 0, 255).astype(np.uint8)
    return noisy


@cache
def _normal() -> Array:
    """Noise by a 16-bit random number: the quantiles of the normal distribution, as whole numbers."""
    normal = NormalDist(0, NOISE_SIGMA)
    return np.array([round(normal.inv_cdf((i + 0.5) / 65536)) for i in range(65536)], np.int16)


def jpeg(pixels: U8, seed: int) -> U8:
    """Through JPEG of ``JPEG_QUALITY`` with halved colour resolution."""
    how = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
    ]
    try:
        with quiet():
            _, encoded = cv2.imencode(".jpg", pixels[:, :, ::-1], how)
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise DataError(
            f"condition jpeg: no JPEG of a picture of shape {pixels.shape}: {error.err}"
        ) from error
    assert decoded is not None  # what was just encoded
    return decoded[:, :, ::-1].astype(np.uint8, copy=False)


def darkness(pixels: U8, seed: int) -> U8:
    """``DARK_STOPS`` too few: ``2^-DARK_STOPS`` of the light, of values with a gamma of ``GAMMA``."""
    gain = 2 ** (-DARK_STOPS / GAMMA)
    dark: U8 = np.array([round(gain * value) for value in range(256)], np.uint8)[pixels]
    return dark


def scale(pixels: U8, seed: int) -> U8:
    """Down by a factor of ``SCALE``, each pixel the mean of a block, and up again bilinearly."""
    height, width, channels = pixels.shape
    block = round(SCALE * _times(pixels))
    rows, columns = -(-height // block), -(-width // block)
    fill = ((0, rows * block - height), (0, columns * block - width), (0, 0))
    blocks = np.pad(pixels, fill, mode="edge").reshape(rows, block, columns, block, channels)
    means = (blocks.sum(axis=(1, 3), dtype=np.uint32) + block * block // 2) // (block * block)
    whole = (columns * block, rows * block)
    large = cv2.resize(means.astype(np.uint8), whole, interpolation=cv2.INTER_LINEAR_EXACT)
    scaled: U8 = large[:height, :width].astype(np.uint8, copy=False)
    return scaled


CONDITIONS: Mapping[str, Condition] = {
    "blur": Condition(f"out of focus: Gaussian blur, sigma {BLUR_SIGMA} pixels at {LINES} lines", blur),
    "noise": Condition(f"high gain: Gaussian noise, sigma {NOISE_SIGMA} of 255 at {LINES} lines", noise),
    "jpeg": Condition(f"a poor link: JPEG of quality {JPEG_QUALITY}, 4:2:0", jpeg),
    "darkness": Condition(f"a dim room: {DARK_STOPS} stops too dark, values times 0.39", darkness),
    "scale": Condition(f"twice as far away: down to {LINES // SCALE} lines at most, and up again", scale),
}
"""Name → condition, in the order of reports."""
