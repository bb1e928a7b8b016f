"""Pictures of one coloured shape, drawn from a seed: the kind that easy-vqa has, and harder ones."""

import io
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE_PX = 64
KINDS = ("circle", "rectangle", "triangle")
# The names of CSS, which easy-vqa draws with too (`green` is CSS's lime).
COLORS = {
    "black": (0, 0, 0),
    "blue": (0, 0, 255),
    "brown": (165, 42, 42),
    "gray": (128, 128, 128),
    "green": (0, 255, 0),
    "red": (255, 0, 0),
    "teal": (0, 128, 128),
    "yellow": (255, 255, 0),
}
_SCALE = 4  # drawn this much larger, then reduced, for soft edges
_CONTRAST = 170  # of a varied background to its shape: sum of the channels' differences

Rgb = tuple[int, int, int]
Outline = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a picture shows."""

    kind: str
    color: str


class Drawing(NamedTuple):
    """A picture (64 × 64 RGB) and which share of each pixel the shape covers ((64, 64) float32, 0..1)."""

    picture: Image.Image
    cover: np.ndarray


def any_shape(rng: random.Random) -> Shape:
    """A shape: each kind and each colour as likely as another."""
    return Shape(rng.choice(KINDS), rng.choice(list(COLORS)))


def plain_picture(rng: random.Random, shape: Shape) -> Drawing:
    """A picture as easy-vqa has them: 64 × 64 RGB, one upright shape of 8 to 33 pixels on a pale ground."""
    ground = _rgb(rng.randint(230, 255) for _ in range(3))
    width, height = _extent(rng, shape.kind, 33)
    x, y = rng.uniform(0, SIDE_PX - width), rng.uniform(0, SIDE_PX - height)
    if rng.random() < 0.5:  # on whole pixels, as a renderer without soft edges places it
        width, height, x, y = (float(round(value)) for value in (width, height, x, y))
    outline = _outline(shape.kind, width, height, 0.0)
    centre = (x + width / 2, y + height / 2)
    return _draw(ground, COLORS[shape.color], outline, centre, Image.Resampling.BOX)


def varied_picture(rng: random.Random, shape: Shape) -> Drawing:
    """A harder one: turned, up to 52 pixels, on a ground of any colour, blurred, noisy, compressed as JPEG."""
    color = _rgb(_byte(value + rng.uniform(-12, 12)) for value in COLORS[shape.color])
    width, height = _extent(rng, shape.kind, 52)
    outline = _outline(shape.kind, width, height, rng.choice((0.0, rng.uniform(-math.pi, math.pi))))
    reach_x = max(abs(x) for x, _ in outline)
    reach_y = max(abs(y) for _, y in outline)
    centre = (_between(rng, reach_x), _between(rng, reach_y))
    picture, cover = _draw(_far_from(rng, color), color, outline, centre, Image.Resampling.LANCZOS)
    if rng.random() < 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.0)))
    if rng.random() < 0.5:
        picture = _noisy(rng, picture, rng.uniform(1, 8))
    if rng.random() < 0.5:
        picture = _compressed(picture, rng.randint(40, 95))
    return Drawing(picture, cover)


def _extent(rng: random.Random, kind: str, longest_px: int) -> tuple[float, float]:
    """Width and height in pixels; a triangle has three equal sides."""
    width = rng.uniform(8, longest_px)
    if kind == "rectangle":
        return width, rng.uniform(8, longest_px)
    return width, width * math.sqrt(3) / 2 if kind == "triangle" else width


def _outline(kind: str, width: float, height: float, angle: float) -> Outline:
    """The corners around the middle (0, 0) of the upright shape's box, turned by `angle` (radians)."""
    if kind == "circle":
        turns = [2 * math.pi * i / 48 for i in range(48)]
        return [(math.cos(a) * width / 2, math.sin(a) * height / 2) for a in turns]
    half_w, half_h = width / 2, height / 2
    upper = [(0.0, -half_h)] if kind == "triangle" else [(-half_w, -half_h), (half_w, -half_h)]
    sin, cos = math.sin(angle), math.cos(angle)
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in [*upper, (half_w, half_h), (-half_w, half_h)]]


def _draw(
    ground: Rgb, color: Rgb, outline: Outline, centre: tuple[float, float], resample: Image.Resampling
) -> Drawing:
    corners = [((x + centre[0]) * _SCALE, (y + centre[1]) * _SCALE) for x, y in outline]
    cover = Image.new("L", (SIDE_PX * _SCALE, SIDE_PX * _SCALE))
    ImageDraw.Draw(cover).polygon(corners, fill=255)
    cover = cover.resize((SIDE_PX, SIDE_PX), resample)
    picture = Image.composite(
        Image.new("RGB", cover.size, color), Image.new("RGB", cover.size, ground), cover
    )
    return Drawing(picture, np.asarray(cover, np.float32) / 255)


def _between(rng: random.Random, reach: float) -> float:
    """A middle that keeps a shape of this reach in the picture, where it fits at all."""
    return rng.uniform(min(reach, SIDE_PX / 2), max(SIDE_PX - reach, SIDE_PX / 2))


def _far_from(rng: random.Random, color: Rgb) -> Rgb:
    """A colour for the ground, most often pale, that stands out from the shape's."""
    while True:
        lowest = rng.choice((0, 150, 215))
        ground = _rgb(rng.randint(lowest, 255) for _ in range(3))
        if sum(abs(a - b) for a, b in zip(ground, color, strict=True)) > _CONTRAST:
            return ground


def _noisy(rng: random.Random, picture: Image.Image, deviation: float) -> Image.Image:
    noise = np.random.default_rng(rng.getrandbits(32)).normal(0, deviation, (SIDE_PX, SIDE_PX, 3))
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def _compressed(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _byte(value: float) -> int:
    return max(0, min(255, round(value)))


def _rgb(values: Iterable[int]) -> Rgb:
    red, green, blue = values
    return red, green, blue
