"""A picture as a vision-language model is given it: its tiles, each with an identity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from edgekit.bundle.manifest import TilesInput
from edgekit.types import F32, Array, Frame

if TYPE_CHECKING:
    from pathlib import Path

    from edgekit.processing.tiles import Tiles

Image: TypeAlias = "Picture | Frame | Array | str | Path | Any"
"""What a caller calls a picture: one that is cut already, or what :func:`edgekit.processing.images.to_frame` takes."""

Images: TypeAlias = "Image | list[Image] | tuple[Image, ...] | None"


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture, cut for one bundle. Whoever asks about it again gives this, and it is not read again.

    Attributes:
        tiles: its pixels.
        identities: of each tile, the BLAKE2b digest of its pixels: 32 bytes.
    """

    tiles: Tiles
    identities: tuple[bytes, ...]

    def pixels(self) -> dict[bytes, Callable[[], F32]]:
        """Identity of a tile → gives what the graph takes of it."""
        return {one: partial(self.tiles.tensor, index) for index, one in enumerate(self.identities)}


def cut(image: Image, spec: TilesInput) -> Picture:
    """Reads a picture and cuts it.

    Raises:
        DataError: it cannot be read, or is no picture.
        EnvironmentLacks: the bundle resizes as Pillow does, which is not installed.
    """
    if isinstance(image, Picture):
        return image
    from edgekit.processing.images import to_frame  # OpenCV takes a while, and texts need none
    from edgekit.processing.tiles import cut_tiles

    tiles = cut_tiles(to_frame(image), spec)
    return Picture(tiles, tuple(_identity(tile, tiles.color) for tile in tiles.pixels))


def cut_all(images: Images, spec: TilesInput) -> tuple[Picture, ...]:
    """The same of one picture, several, or none."""
    if images is None:
        return ()
    return tuple(cut(image, spec) for image in (images if isinstance(images, list | tuple) else (images,)))


def _identity(pixels: Array, color: str) -> bytes:
    """What says that two tiles are the same; sizes are one bundle's, and so equal."""
    made = hashlib.blake2b(color.encode(), digest_size=32)
    made.update(np.ascontiguousarray(pixels).data)
    return made.digest()
