"""Pillow's algorithms as docs/bundle-processing.md defines them, against Pillow."""

from __future__ import annotations

import math

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")


def triangle(x: float) -> float:
    return 1 - abs(x) if abs(x) < 1 else 0.0


def cubic(x: float, a: float = -0.5) -> float:
    x = abs(x)
    if x < 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2 else 0.0


def sinc(x: float) -> float:
    return 1.0 if x == 0 else math.sin(x * math.pi) / (x * math.pi)


def lanczos(x: float) -> float:
    return sinc(x) * sinc(x / 3) if -3 <= x < 3 else 0.0


FILTERS = {"BILINEAR": (triangle, 1.0), "BICUBIC": (cubic, 2.0), "LANCZOS": (lanczos, 3.0)}


def resize_rows(pixels: np.ndarray, m: int, name: str) -> np.ndarray:
    """Resizes axis 1."""
    f, r = FILTERS[name]
    n = pixels.shape[1]
    if n == m:
        return pixels
    s = n / m
    t = max(s, 1.0)
    w, u = r * t, 1 / t
    made = np.empty((pixels.shape[0], m, pixels.shape[2]), np.uint8)
    for i in range(m):
        c = (i + 0.5) * s
        first, end = max(0, math.trunc(c - w + 0.5)), min(n, math.trunc(c + w + 0.5))
        k = [f((j + first - c + 0.5) * u) for j in range(end - first)]
        total = sum(k)
        k = [v / total for v in k] if total else k
        q = np.array([math.trunc(v * 2**22 + (0.5 if v >= 0 else -0.5)) for v in k], np.int64)
        summed = 2**21 + np.tensordot(pixels[:, first:end].astype(np.int64), q, axes=(1, 0))
        made[:, i] = np.clip(summed >> 22, 0, 255)
    return made


def resize(pixels: np.ndarray, width: int, height: int, name: str) -> np.ndarray:
    rows = resize_rows(pixels, width, name)
    return resize_rows(rows.transpose(1, 0, 2), height, name).transpose(1, 0, 2)


def nearest(n: int, m: int) -> list[int]:
    s = n / m
    found, o = [], s / 2
    for _ in range(m):
        found.append(math.floor(o))
        o += s
    return found


SIZES = [(7, 5, 7, 5), (1, 9, 13, 4), (31, 17, 8, 40), (64, 3, 5, 3), (50, 41, 49, 1), (23, 29, 224, 60)]


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize(("w", "h", "to_w", "to_h"), SIZES)
def test_the_definition_is_what_pillow_computes(name, w, h, to_w, to_h):
    pixels = np.random.default_rng(w).integers(0, 256, (h, w, 3), dtype=np.uint8)
    filtering = getattr(Image.Resampling, name)
    pillow = np.array(Image.fromarray(pixels).resize((to_w, to_h), filtering))
    difference = np.abs(pillow.astype(int) - resize(pixels, to_w, to_h, name)).max()
    assert difference <= (1 if name == "LANCZOS" else 0)


@pytest.mark.parametrize(("w", "h", "to_w", "to_h"), SIZES)
def test_nearest(w, h, to_w, to_h):
    pixels = np.random.default_rng(w).integers(0, 256, (h, w, 3), dtype=np.uint8)
    pillow = np.array(Image.fromarray(pixels).resize((to_w, to_h), Image.Resampling.NEAREST))
    assert np.array_equal(pillow, pixels[nearest(h, to_h)][:, nearest(w, to_w)])
