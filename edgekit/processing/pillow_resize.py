"""Resizing as reference processors do it: by Pillow itself, where a bundle asks for it."""

from __future__ import annotations

import numpy as np

from edgekit.errors import EnvironmentLacks
from edgekit.types import U8

_FILTERS = {
    "pillow_nearest": "NEAREST",
    "pillow_bilinear": "BILINEAR",
    "pillow_bicubic": "BICUBIC",
    "pillow_lanczos": "LANCZOS",
}


def pillow_resize(pixels: U8, size_wh: tuple[int, int], algorithm: str) -> U8:
    """Resizes ``(height, width, 3)`` pixels; channels are treated alike.

    ``docs/bundle-processing.md``, section 4.2, says what Pillow computes.

    Raises:
        EnvironmentLacks: Pillow is not installed; no other algorithm takes its place.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise EnvironmentLacks(
            f"this model's pictures are resized by Pillow ({algorithm}), which is not installed",
            "pip install 'edgekit[pillow]'",
        ) from error
    image = Image.fromarray(np.ascontiguousarray(pixels))
    resized = image.resize(size_wh, getattr(Image.Resampling, _FILTERS[algorithm]))
    return np.array(resized)
