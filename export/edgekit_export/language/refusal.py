"""Sizes that no codes have, told before anything is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod
from pathlib import Path

from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.vision import POSITION, vision_tensor_shapes
from edgekit_export.budget.frontier import Limits
from edgekit_export.budget.refusal import WayOut
from edgekit_export.language.making import BESIDE_BYTES
from edgekit_export.language.matrices import matrices_of
from edgekit_export.package import Package
from edgekit_export.quantize.widths import smallest_bytes, too_small
from edgekit_export.sources.text_model import TextModel

_SIZE_BYTES = 500_000
"""Graph and golden vectors of a further size of pictures."""

_POSITION_BYTES = 2

_BRANCH_BYTES = 3_300
"""Of a layer's second attention, for pictures whose places look at each other both ways."""


def refused_size(
    model: TextModel,
    out: Path,
    limit: int | None,
    context: int,
    image_sizes: Sequence[int] = (),
    spare_bytes: int = 0,
) -> Package | None:
    """A refusal where no codes are so narrow; ``None`` elsewhere.

    Args:
        model: as it will be, of its vocabulary too.
        out: of the bundle.
        limit: bytes of it; ``None`` for none.
        context: tokens that it is made for.
        image_sizes: that it is made for; its own where empty.
        spare_bytes: how far above the limit the estimate may be.
    """
    if limit is None:
        return None
    matrices, beside = matrices_of(model), beside_bytes(model, context, image_sizes)
    least = smallest_bytes(matrices) + beside
    if least - spare_bytes <= limit:
        return None
    reason, remedy = too_small(matrices, limit, beside, can_prune=model.eyes is None)
    way = WayOut(least, None, f"{remedy}.", reason)
    refusal = f"the size does not hold: the smallest bundle has about {least:,} bytes, over {limit:,}"
    return Package(out, None, 0, (), (), None, (), Limits(limit, None, ""), refusal=refusal, way_out=way)


def beside_bytes(model: TextModel, context: int, image_sizes: Sequence[int] = ()) -> int:
    """Bytes of a bundle beside its codes, near enough: tokenizer, what stays in floats, graphs, golden vectors."""
    shape, coded = model.shape, matrices_of(model).sizes
    tables = len(set(shape.ropes)) * shape.head_dim * 4 * context
    found = len(model.words.tokenizer) + tables + _floats(tensor_shapes(shape), coded) + BESIDE_BYTES
    if model.eyes is None:
        return found
    eyes, sizes = model.eyes.shape, image_sizes or (model.eyes.tiles.size,)
    positions = sum((size // eyes.patch) ** 2 for size in sizes) * eyes.hidden * _POSITION_BYTES
    others = {name: size for name, size in vision_tensor_shapes(eyes).items() if name != POSITION}
    branches = _BRANCH_BYTES * shape.layers if model.eyes.block else 0
    return found + branches + _floats(others, coded) + positions + (len(sizes) - 1) * _SIZE_BYTES


def _floats(sizes: Mapping[str, tuple[int, ...]], coded: Collection[str]) -> int:
    """Bytes of what is not in codes."""
    return 4 * sum(prod(size) for name, size in sizes.items() if name not in coded)
