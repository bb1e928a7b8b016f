"""Variants that also look at pictures, one for each size of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from edgekit.bundle.check import variant_bytes
from edgekit.bundle.manifest import Model, Variant
from edgekit_export.language.staged import Plan
from edgekit_export.sources.eyes import Eyes
from edgekit_export.vision.write import VISION_WEIGHTS, vision_file, write_vision

ROLE = "vision"


def stage_towers(
    folder: Path, eyes: Eyes, plan: Plan, sizes: Sequence[int], advance: Callable[[], None]
) -> list[Model]:
    """Writes a tower for each size, whose equal weights lie in one file; gives their entries.

    Args:
        folder: of the bundle, where the language model is staged.
        eyes: of the model.
        plan: name and weights.
        sizes: sides of a tile.
        advance: called after each layer, and after each connector.

    Raises:
        UsageError: the tower has no positions for a size.
    """
    assert plan.read_vision is not None
    write_vision(folder / plan.name, eyes.shape, sizes, plan.read_vision, advance)
    return [
        Model(
            path=f"{plan.name}/{vision_file(size)}",
            format="onnx",
            input=seen.tiles,
            head=seen.head,
            external=(f"{plan.name}/{VISION_WEIGHTS}",),
        )
        for size, seen in ((size, eyes.at(size)) for size in sizes)
    ]


def with_towers(
    folder: Path, variant: Variant, sizes: Sequence[int], towers: Sequence[Model]
) -> tuple[Variant, ...]:
    """A variant for each tower; all share the language model's files.

    Args:
        folder: of the bundle.
        variant: of the language model.
        sizes: sides of a tile; of the first, the variant is called as the language model's.
        towers: one a size.
    """
    names = [variant.name, *(f"{variant.name}-{size}" for size in sizes[1:])]
    every = (*variant.models.values(), *towers)
    bytes_of = {path: (folder / path).stat().st_size for m in every for path in (m.path, *m.external)}
    found = []
    for name, tower in zip(names, towers, strict=True):
        models = {**variant.models, ROLE: tower}
        found.append(
            replace(variant, name=name, models=models, bytes=variant_bytes(models.values(), bytes_of))
        )
    return tuple(found)
