"""How pictures go into a language model: cut into tiles of one size, whose features take the places of tokens."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from edgekit.bundle.decoder_input import Length
from edgekit.bundle.fields import Line, Strict
from edgekit.bundle.picture_input import ResizeAlgorithm
from edgekit.bundle.step_input import Token

TileSide: TypeAlias = Annotated[int, Meta(ge=8, le=4096)]
Longest: TypeAlias = Annotated[int, Meta(ge=1, le=4096)]
"""The reference processors enlarge no picture beyond 4,096 pixels."""

Mean: TypeAlias = Annotated[float, Meta(ge=-16, le=16)]
Std: TypeAlias = Annotated[float, Meta(ge=1 / 256, le=256)]

MAX_TILES_A_SIDE = 16
"""Of a split picture. (SmolVLM has 4, Idefics3 has marks for 6.)"""


class TilesInput(Strict, frozen=True, tag="tiles", tag_field="kind"):
    """How a picture becomes tiles, ``(1, 3, size, size)`` float32 RGB each, one tile a call.

    The picture is scaled to ``longest``, if that is given, then stretched to ``size`` × ``size``; pixels become
    ``(x / 255 - mean) / std``. With ``split`` it is stretched to multiples of ``size`` instead and cut, row by row, and
    the whole picture follows as the last tile; ``docs/bundle-processing.md``, section 4.10, says how exactly.

    Attributes:
        tensor: the graph's input.
        size: side of a tile.
        longest: longest side after the first scaling; ``None`` leaves that out.
        split: whether large pictures are cut into tiles; needs ``longest``.
        mean, std: of red, green, blue, where white is 1.
        algorithm: of each scaling.
    """

    tensor: Line
    size: TileSide
    longest: Longest | None
    split: bool
    mean: tuple[Mean, Mean, Mean]
    std: tuple[Std, Std, Std]
    algorithm: ResizeAlgorithm = "pillow_lanczos"

    @property
    def tiles_a_side(self) -> int:
        """Most tiles beside each other, or above each other, that a picture is cut into."""
        if not self.split or self.longest is None:
            return 1
        return -(-(self.longest + self.longest % 2) // self.size)  # the other side is made even


class FeaturesHead(Strict, frozen=True, tag="features_head", tag_field="op"):
    """Vectors that take the places of tokens' embeddings in a prompt.

    Attributes:
        tensor: ``(1, tokens, hidden)`` float32.
        tokens: places that a tile takes.
        placeholder: token that stands at these places, in the vocabulary of the role ``decode``.
        layout: which marks stand around them; see :mod:`edgekit.processing.image_prompt`.
    """

    tensor: Line
    tokens: Length
    placeholder: Token
    layout: Literal["idefics3", "gemma3"]

    @property
    def both_ways(self) -> bool:
        """Whether the places of a picture look at each other both ways, not only at those before: Gemma 3's do."""
        return self.layout == "gemma3"
