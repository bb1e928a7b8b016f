"""What of a vision tower and its connector is stored in codes, and what of it in one form."""

from __future__ import annotations

from math import prod
from typing import Literal

from edgekit_export.architectures.vision import (
    PATCH_WEIGHT,
    PROJECTION,
    VISION_MATRICES,
    VisionShape,
    vision_tensor_shapes,
)
from edgekit_export.quantize.tiered import TieredFormat
from edgekit_export.quantize.widths import Matrices

_BITS = (3, 4, 5, 6, 8)
"""What is chosen among: whole numbers times whole numbers, which is fast."""

_BLOCKS = (32, 16)
"""The larger one that divides a matrix' inputs; one that neither does stays in floats."""

_STAGES = (VISION_MATRICES[:3], VISION_MATRICES[3:4], VISION_MATRICES[4:5], VISION_MATRICES[5:])
"""Matrices that read the same are alike."""


def vision_matrices(shape: VisionShape) -> Matrices[TieredFormat]:
    """Patches, the connector's projection, and four stages a layer; positions stay floats."""
    layers = tuple(
        tuple(f"vision.layers.{index}.{name}.weight" for name in stage)
        for index in range(shape.layers)
        for stage in _STAGES
    )
    shapes = vision_tensor_shapes(shape)
    every = ((PATCH_WEIGHT,), (PROJECTION,), *layers)
    sizes = {name: (shapes[name][0], prod(shapes[name][1:])) for stage in every for name in stage}
    formats = {name: found for name, size in sizes.items() if (found := _formats(name, size[1]))}
    stages = tuple(stage for stage in every if stage[0] in formats)
    return Matrices({name: sizes[name] for name in formats}, stages, formats)


def _formats(name: str, inputs: int) -> tuple[TieredFormat, ...]:
    block = next((block for block in _BLOCKS if inputs % block == 0), None)
    if block is None:
        return ()
    return tuple(TieredFormat(bits, block) for bits in ((8,) if name == PATCH_WEIGHT else _BITS))


def plain_vision_formats(shape: VisionShape, recipe: Literal["int8", "int4"]) -> dict[str, TieredFormat]:
    """``int8``: 8 bits; ``int4``: 4 bits, but patches and projection, through which all goes, in 8."""
    broad = (PATCH_WEIGHT, PROJECTION)
    return {
        name: next(form for form in formats if form.bits == (8 if recipe == "int8" or name in broad else 4))
        for name, formats in vision_matrices(shape).formats.items()
    }
