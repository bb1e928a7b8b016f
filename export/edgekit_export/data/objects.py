"""Drawn things that detectors of everyday objects know: golden pictures that are no one's photo."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edgekit.types import U8
from edgekit_export.data.vocabulary import Rng

WIDTH, HEIGHT = 320, 240
_RED, _WHITE, _BLACK, _ORANGE = (190, 20, 30), (245, 245, 245), (25, 25, 25), (235, 130, 20)


def draw_objects(seed: int) -> U8:
    """One or two drawn things in front of smooth colours.

    Args:
        seed: same seed, same picture.

    Returns:
        ``(240, 320, 3)`` uint8 RGB.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    coarse = rng.integers(60, 220, (3, 4, 3), dtype=np.uint8)
    picture: U8 = np.asarray(
        cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR_EXACT), np.uint8
    )
    first, second = rng.choice(len(_THINGS), 2, replace=False)
    _THINGS[first](picture, rng, (int(rng.integers(70, 110)), HEIGHT // 2), int(rng.integers(48, 70)))
    if seed % 2:
        _THINGS[second](picture, rng, (int(rng.integers(220, 250)), HEIGHT // 2), int(rng.integers(40, 60)))
    return picture


def _stop_sign(picture: U8, rng: Rng, center: tuple[int, int], radius: int) -> None:
    for size, color in ((radius, _WHITE), (radius * 0.93, _RED)):
        angles = np.pi / 8 + np.arange(8) * np.pi / 4
        corners = np.stack([np.cos(angles), np.sin(angles)], axis=1) * size + center
        cv2.fillPoly(picture, [np.round(corners).astype(np.int32)], color, cv2.LINE_AA)
    scale = radius / 38
    (width, height), _ = cv2.getTextSize("STOP", cv2.FONT_HERSHEY_SIMPLEX, scale, 3)
    origin = center[0] - width // 2, center[1] + height // 2
    cv2.putText(picture, "STOP", origin, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, 3, cv2.LINE_AA)


def _clock(picture: U8, rng: Rng, center: tuple[int, int], radius: int) -> None:
    cv2.circle(picture, center, radius, _BLACK, cv2.FILLED, cv2.LINE_AA)
    cv2.circle(picture, center, int(radius * 0.9), _WHITE, cv2.FILLED, cv2.LINE_AA)
    for hour in range(12):
        _spoke(picture, center, hour / 12, radius * 0.72, radius * 0.84, 2)
    _spoke(picture, center, float(rng.uniform()), 0, radius * 0.65, 2)
    _spoke(picture, center, float(rng.uniform()), 0, radius * 0.45, 4)


def _spoke(picture: U8, center: tuple[int, int], turn: float, start: float, end: float, width: int) -> None:
    way = np.array([np.sin(2 * np.pi * turn), -np.cos(2 * np.pi * turn)])
    ends = [tuple(int(v) for v in np.round(way * reach + center)) for reach in (start, end)]
    cv2.line(picture, ends[0], ends[1], _BLACK, width, cv2.LINE_AA)


def _traffic_light(picture: U8, rng: Rng, center: tuple[int, int], radius: int) -> None:
    x, y = center
    half = radius * 2 // 5
    cv2.line(picture, (x, y + radius), (x, HEIGHT), _BLACK, 6)
    cv2.rectangle(picture, (x - half, y - radius), (x + half, y + radius), _BLACK, cv2.FILLED)
    lit = int(rng.integers(3))
    for place, color in enumerate(((230, 40, 30), (240, 190, 40), (50, 210, 90))):
        shown = color if place == lit else tuple(v // 4 for v in color)
        cv2.circle(
            picture, (x, y + (place - 1) * radius * 3 // 5), radius // 4, shown, cv2.FILLED, cv2.LINE_AA
        )


def _ball(picture: U8, rng: Rng, center: tuple[int, int], radius: int) -> None:
    cv2.circle(picture, center, radius, _ORANGE, cv2.FILLED, cv2.LINE_AA)
    for angle in (0, 90):
        cv2.ellipse(picture, center, (radius, radius // 3), angle, 0, 360, _BLACK, 2, cv2.LINE_AA)
    cv2.circle(picture, center, radius, _BLACK, 2, cv2.LINE_AA)


def _bottle(picture: U8, rng: Rng, center: tuple[int, int], radius: int) -> None:
    x, y = center
    color = tuple(int(v) for v in rng.integers(20, 120, 3))
    third = radius * 2 // 5
    cv2.rectangle(picture, (x - third, y - radius // 4), (x + third, y + radius * 3 // 2), color, cv2.FILLED)
    cv2.ellipse(picture, (x, y - radius // 4), (third, third), 0, 180, 360, color, cv2.FILLED, cv2.LINE_AA)
    neck = third // 3
    cv2.rectangle(picture, (x - neck, y - radius * 5 // 4), (x + neck, y - radius // 2), color, cv2.FILLED)
    cv2.rectangle(picture, (x - third, y + radius // 4), (x + third, y + radius), _WHITE, cv2.FILLED)


_THINGS: tuple[Callable[[U8, Rng, tuple[int, int], int], None], ...] = (
    _stop_sign,
    _clock,
    _traffic_light,
    _ball,
    _bottle,
)
