"""What makes a text model look at pictures: a tower and a connector, and how pictures go in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from msgspec.structs import replace as with_fields

from edgekit.bundle.manifest import FeaturesHead, TilesInput
from edgekit.types import F32
from edgekit_export.architectures.vision import VisionShape, image_tokens


@dataclass(frozen=True, slots=True, eq=False)
class Eyes:
    """Of a checkpoint.

    Attributes:
        shape: of tower and connector.
        read: reads one of their tensors by our name, now, as float32; nothing is kept.
        tiles: how a picture goes in.
        head: what takes the places of tokens.
    """

    shape: VisionShape
    read: Callable[[str], F32]
    tiles: TilesInput
    head: FeaturesHead

    @property
    def block(self) -> int:
        """Places of a picture that look at each other both ways, and so are one call of the decoder; 0 for none."""
        return self.head.tokens if self.head.both_ways else 0

    def at(self, size: int) -> Eyes:
        """For tiles of another side: what pictures are scaled to first, and the tokens of a tile, go with it.

        Raises:
            UsageError: the tower has no positions for it.
        """
        tokens, longest = image_tokens(self.shape, size), self.tiles.longest
        scaled = None if longest is None else max(longest * size // self.tiles.size, 1)
        return replace(
            self,
            tiles=with_fields(self.tiles, size=size, longest=scaled),
            head=with_fields(self.head, tokens=tokens),
        )
