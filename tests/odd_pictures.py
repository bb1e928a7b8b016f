"""Fifty odd picture files, written by seeded code: sizes, modes, depths, orientations, formats."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def scene(width: int, height: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    """``(height, width, channels)`` uint8: a slope and noise, so that every filter shows; what is large repeats."""
    rng = np.random.default_rng([seed, width, height])
    noise = rng.integers(0, 128, (min(height, 300), min(width, 300), channels), np.uint8)
    noise = np.tile(noise, (-(-height // 300), -(-width // 300), 1))[:height, :width]
    slope = np.linspace(0, 127, width).astype(np.uint8)[:, np.newaxis]
    return noise + slope


def _bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _sized(width: int, height: int) -> Callable[[], bytes]:
    return lambda: _bytes(Image.fromarray(scene(width, height)), "png", compress_level=1)


def _moded(
    mode: str, kind: str = "png", size: tuple[int, int] = (70, 50), **options: object
) -> Callable[[], bytes]:
    channels = {"L": 1, "LA": 2, "RGBA": 4}.get(mode, 3)

    def make() -> bytes:
        pixels = scene(*size, channels)
        image = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
        return _bytes(image if image.mode == mode else image.convert(mode), kind, **options)

    return make


def _deep(channels: int, kind: str = ".png") -> Callable[[], bytes]:
    """16 bits a channel, the low bytes not empty; OpenCV's order of channels."""

    def make() -> bytes:
        high = scene(70, 50, channels).astype(np.uint16)
        encoded = cv2.imencode(kind, high << 8 | scene(70, 50, channels, seed=1))[1]
        return encoded.tobytes()

    return make


def _turned(orientation: int, kind: str = "jpeg") -> Callable[[], bytes]:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return lambda: _bytes(
        Image.fromarray(scene(90, 40)), kind, exif=exif, **({"quality": 95} if kind == "jpeg" else {})
    )


def _veiled(alpha: int) -> Callable[[], bytes]:
    """The same alpha everywhere."""

    def make() -> bytes:
        pixels = scene(70, 50, 4)
        pixels[..., 3] = alpha
        return _bytes(Image.fromarray(pixels), "png")

    return make


def _floats() -> bytes:
    return _bytes(Image.fromarray(scene(70, 50)[..., 0].astype(np.float32) / 255), "tiff")


RANDOM = [tuple(int(v) for v in np.exp(np.random.default_rng(i).uniform(0, 6.5, 2))) for i in range(8)]

PICTURES: dict[str, Callable[[], bytes]] = {
    **{f"{w}x{h}.png": _sized(w, h) for w, h in [
        (1, 1), (1, 2), (2, 1), (3, 1), (1, 3), (3, 3), (4, 4), (4000, 30), (30, 4000), (4000, 1), (1, 4000),
        (63, 64), (64, 64), (65, 64), (256, 256), (257, 255), (640, 480), (480, 640), (2000, 1500),
    ]},
    **{f"random{i}-{w}x{h}.png": _sized(max(w, 1), max(h, 1)) for i, (w, h) in enumerate(RANDOM)},
    "grey.png": _moded("L"), "grey-1x1.png": _moded("L", size=(1, 1)), "bits.png": _moded("1"),
    "grey-alpha.png": _moded("LA"), "alpha.png": _moded("RGBA"), "alpha-1x1.png": _moded("RGBA", size=(1, 1)),
    "clear.png": _veiled(0), "opaque.png": _veiled(255), "palette.png": _moded("P"),
    "palette-clear.png": _moded("P", transparency=3), "grey-clear.png": _moded("L", transparency=0),
    "rgb-clear.png": _moded("RGB", transparency=(0, 0, 0)),
    "grey-16.png": _deep(1), "rgb-16.png": _deep(3), "alpha-16.png": _deep(4), "grey-16.tif": _deep(1, ".tif"),
    "rgb-16.tif": _deep(3, ".tif"), "floats.tif": _floats,
    "photo.jpg": _moded("RGB", "jpeg", quality=90), "photo-fine.jpg": _moded("RGB", "jpeg", quality=95, subsampling=0),
    "photo-progressive.jpg": _moded("RGB", "jpeg", progressive=True), "grey.jpg": _moded("L", "jpeg"),
    "cmyk.jpg": _moded("CMYK", "jpeg"),
    **{f"turned-{o}.jpg": _turned(o) for o in (2, 3, 5, 6, 8)}, "turned-6.png": _turned(6, "png"),
    "lossy.webp": _moded("RGB", "webp", quality=80), "alpha.webp": _moded("RGBA", "webp", lossless=True),
    "plain.bmp": _moded("RGB", "bmp"), "packed.tif": _moded("RGB", "tiff", compression="tiff_lzw"),
    "moving.gif": _moded("P", "gif"),
}  # fmt: skip
"""File name → what makes it."""


def write_pictures(folder: Path) -> dict[str, Path]:
    """Writes them all."""
    paths = {name: folder / name for name in PICTURES}
    for name, path in paths.items():
        path.write_bytes(PICTURES[name]())
    return paths
