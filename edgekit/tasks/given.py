"""What a language model is given, place by place: tokens, and what pictures have in place of tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from edgekit.types import F32


class ImageToken(NamedTuple):
    """A place of a prompt that a row of a tile's features takes.

    Attributes:
        tile: identity of the tile: equal ones have equal pixels.
        row: of its features.
    """

    tile: bytes
    row: int


Item: TypeAlias = int | ImageToken
"""A token's id, or a place of a picture. Equal items behind equal items mean the same to the model."""

Features: TypeAlias = Mapping[bytes, F32]
"""Identity of a tile → its features, ``(tokens, hidden)`` float32."""

Tiles: TypeAlias = Mapping[bytes, Callable[[], F32]]
"""Identity of a tile → gives its pixels, ``(1, 3, size, size)`` float32."""


@dataclass(frozen=True, slots=True)
class Given:
    """A prompt.

    Attributes:
        items: what the model is given.
        tokens: the same as ids; placeholders where pictures are.
        tiles: identity → gives its pixels, of all tiles that items name.
    """

    items: Sequence[Item]
    tokens: Sequence[int]
    tiles: Tiles = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def shown(self) -> int:
        """Places of pictures."""
        return sum(isinstance(item, ImageToken) for item in self.items)

    def tiles_from(self, place: int) -> list[bytes]:
        """Tiles that places from this one on name, each once, in order."""
        return list(dict.fromkeys(item.tile for item in self.items[place:] if isinstance(item, ImageToken)))


TILE = 4
"""Places that engines' kernels take together: those left over are computed by others, whose last bits differ."""


def reusable(known: Sequence[Item], wanted: Sequence[Item], *, both_ways: bool = False) -> int:
    """How much of what a decoder knows need not be given again: all that both begin with, but for a few places.

    Calls begin at whole tiles, and none is of a single place. So each place of a prompt is computed by the same kernel
    however much of it was known, and an answer does not depend on what was remembered.

    Args:
        known: items that it remembers.
        wanted: the prompt.
        both_ways: as :func:`calls` has it; what is known does not end inside a picture then, and texts in front of
            and behind one are cut into tiles of their own.
    """
    both = min(common(known, wanted), max(len(wanted) - 1, 0))
    for part in reversed(_stretches(wanted, both_ways)):
        if both_ways and isinstance(wanted[part.start], ImageToken):
            if (
                part.start < both
            ):  # both go on with a picture, and so cut the text in front of it in the same way
                return part.start
        elif part.start <= both:
            size = max(min(both, part.stop - 2) - part.start, 0)
            return part.start + size - size % TILE
    return 0


def calls(items: Sequence[Item], start: int, most: int, *, both_ways: bool = False) -> Iterator[slice]:
    """Cuts a prompt into calls; see :func:`parts`.

    Args:
        items: the prompt.
        start: where the first call begins.
        most: places of a call of text.
        both_ways: the places of a picture look at each other both ways: they are one call, and nothing else is in it.
            (:func:`edgekit.tasks.places.placed` has seen to it that pictures have something between them.)
    """
    for part in _stretches(items, both_ways):
        if both_ways and isinstance(items[part.start], ImageToken) and part.start >= start:
            yield slice(part.start, part.stop)
        else:
            yield from parts(max(part.start, start), part.stop, most)


def _stretches(items: Sequence[Item], apart: bool) -> list[range]:
    """What calls do not cross: texts and pictures in turn where these are apart, else the whole."""
    kinds = [apart and isinstance(item, ImageToken) for item in items]
    inner = (i for i in range(1, len(items)) if kinds[i] != kinds[i - 1])
    return [range(*pair) for pair in pairwise([0, *inner, len(items)])] if items else []


def parts(start: int, end: int, most: int) -> Iterator[slice]:
    """Cuts the places from ``start`` to ``end`` into calls of up to ``most``: whole tiles, and what is left over.

    The last one is not of one place if that can be.
    """
    most -= most % TILE if most > TILE else 0
    while start < end:
        size = min(most, end - start)
        if end - start - size == 1 and size > TILE:
            size -= TILE
        yield slice(start, start + size)
        start += size


def common(first: Sequence[Item], second: Sequence[Item]) -> int:
    """Length of the longest beginning that both share."""
    for place, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return place
    return min(len(first), len(second))
