"""Variants that also look at pictures, one for each size of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgekit.bundle.manifest import Model, Variant
from edgekit_export.language.staged import Plan, TextStaging
from edgekit_export.sources.eyes import Eyes
from edgekit_export.vision.write import VISION_WEIGHTS, vision_file, write_vision

ROLE = "vision"


def with_eyes(
    staging: TextStaging,
    variant: Variant,
    eyes: Eyes,
    plan: Plan,
    sizes: Sequence[int],
    advance: Callable[[], None],
) -> tuple[Variant, ...]:
    """Writes a tower for each size; all share the language model's files, and weights that are the same.

    Args:
        staging: the bundle's folder.
        variant: of the language model, staged.
        eyes: of the model.
        plan: weights.
        sizes: sides of a tile; of the first, the variant is called as the language model's.
        advance: called after each layer, and after each connector.

    Raises:
        UsageError: the tower has no positions for a size.
    """
    assert plan.read_vision is not None
    write_vision(staging.folder / plan.name, eyes.shape, sizes, plan.read_vision, advance)
    models = [
        Model(
            path=f"{plan.name}/{vision_file(size)}",
            format="onnx",
            input=seen.tiles,
            head=seen.head,
            external=(f"{plan.name}/{VISION_WEIGHTS}",),
        )
        for size, seen in ((size, eyes.at(size)) for size in sizes)
    ]
    names = [variant.name, *(f"{variant.name}-{size}" for size in sizes[1:])]
    return tuple(
        staging.variant(plan, name, {**variant.models, ROLE: model})
        for name, model in zip(names, models, strict=True)
    )
