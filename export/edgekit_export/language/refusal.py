"""Sizes that no codes have, told before anything is made."""

from __future__ import annotations

from math import prod
from pathlib import Path

from edgekit_export.architectures.architecture import tensor_shapes
from edgekit_export.architectures.vision import vision_tensor_shapes
from edgekit_export.budget.frontier import Limits
from edgekit_export.budget.refusal import WayOut
from edgekit_export.language.making import BESIDE_BYTES
from edgekit_export.language.matrices import matrices_of
from edgekit_export.package import Package
from edgekit_export.quantize.widths import smallest_bytes, too_small
from edgekit_export.sources.text_model import TextModel


def refused_size(
    model: TextModel, out: Path, limit: int | None, context: int, spare_bytes: int = 0
) -> Package | None:
    """A refusal where no codes are so narrow; ``None`` elsewhere.

    Args:
        model: as it will be, of its vocabulary too.
        out: of the bundle.
        limit: bytes of it; ``None`` for none.
        context: tokens that it is made for.
        spare_bytes: how far above the limit the estimate may be.
    """
    if limit is None:
        return None
    matrices, beside = matrices_of(model), beside_bytes(model, context)
    least = smallest_bytes(matrices) + beside
    if least - spare_bytes <= limit:
        return None
    reason, remedy = too_small(matrices, limit, beside)
    way = WayOut(least, None, f"{remedy}.", reason)
    refusal = f"the size does not hold: the smallest bundle has about {least:,} bytes, over {limit:,}"
    return Package(out, None, 0, (), (), None, (), Limits(limit, None, ""), refusal=refusal, way_out=way)


def beside_bytes(model: TextModel, context: int) -> int:
    """Bytes of a bundle beside its codes, near enough: tokenizer, what stays float32, graphs, golden vectors."""
    shape = model.shape
    tables = len(set(shape.ropes)) * shape.head_dim * 4 * context
    sizes = {**tensor_shapes(shape), **({} if model.eyes is None else vision_tensor_shapes(model.eyes.shape))}
    coded = matrices_of(model).sizes
    floats = 4 * sum(prod(size) for name, size in sizes.items() if name not in coded)
    return len(model.words.tokenizer) + tables + floats + BESIDE_BYTES
