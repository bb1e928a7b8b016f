"""What the eyes of a vision-language model are: a tower of transformer layers, and a connector to the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from edgekit.errors import ModelError, UsageError
from edgekit.types import Array


@dataclass(frozen=True, slots=True)
class VisionShape:
    """Numbers and choices that make the graph; tensors are those of :func:`vision_tensor_shapes`.

    Attributes:
        architecture: ``idefics3`` (SmolVLM too) or ``gemma3``.
        image_size: side, in pixels, of the pictures that the position table is for.
        patch: side of a patch in pixels.
        hidden, layers, heads, intermediate: sizes of the tower.
        epsilon: of all norms.
        connector: ``pixel_shuffle``: neighbouring patches side by side; ``average_pool``: their mean, with an RMS norm.
        scale: patches of a side that become one token.
        output: hidden size of the decoder.
    """

    architecture: Literal["idefics3", "gemma3"]
    image_size: int
    patch: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    epsilon: float
    connector: Literal["pixel_shuffle", "average_pool"]
    scale: int
    output: int


PATCH_WEIGHT, PATCH_BIAS = "vision.patch.weight", "vision.patch.bias"
POSITION = "vision.position.weight"
PROJECTION, CONNECTOR_NORM = "connector.projection.weight", "connector.norm.weight"
LAST_NORM = "vision.post_layernorm"
"""Outside of layers; the last is a norm's name, of a weight and a bias."""

VISION_MATRICES = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.out_proj",
    "mlp.fc1",
    "mlp.fc2",
)
"""Of a layer: ``vision.layers.{i}.{name}.weight``, ``(outputs, inputs)``, and ``.bias``, ``(outputs,)``."""

VISION_NORMS = ("layer_norm1", "layer_norm2")
"""Of a layer: ``vision.layers.{i}.{name}.weight`` and ``.bias``, ``(hidden,)``."""


def vision_tensor_shapes(shape: VisionShape) -> dict[str, tuple[int, ...]]:
    """All tensors by our names.

    The connector's norm is multiplied with as it is (transformers' Gemma stores it less one), and the projection is
    ``(outputs, inputs)`` (transformers' Gemma stores inputs first).
    """
    hidden, grid = shape.hidden, shape.image_size // shape.patch
    found: dict[str, tuple[int, ...]] = {
        PATCH_WEIGHT: (hidden, 3, shape.patch, shape.patch),
        PATCH_BIAS: (hidden,),
        POSITION: (grid * grid, hidden),
        f"{LAST_NORM}.weight": (hidden,),
        f"{LAST_NORM}.bias": (hidden,),
        PROJECTION: (shape.output, connector_inputs(shape)),
    }
    if shape.connector == "average_pool":
        found[CONNECTOR_NORM] = (hidden,)
    wide = {"mlp.fc1": (shape.intermediate, hidden), "mlp.fc2": (hidden, shape.intermediate)}
    for i in range(shape.layers):
        for name in VISION_MATRICES:
            size = wide.get(name, (hidden, hidden))
            found[f"vision.layers.{i}.{name}.weight"] = size
            found[f"vision.layers.{i}.{name}.bias"] = size[:1]
        for name in VISION_NORMS:
            found |= {f"vision.layers.{i}.{name}.{part}": (hidden,) for part in ("weight", "bias")}
    return found


def connector_inputs(shape: VisionShape) -> int:
    """Numbers that the projection makes one token of."""
    return shape.hidden * (shape.scale**2 if shape.connector == "pixel_shuffle" else 1)


def image_tokens(shape: VisionShape, size: int) -> int:
    """Tokens that a picture of ``size`` × ``size`` pixels becomes.

    Raises:
        UsageError: as :func:`check_size`.
    """
    check_size(shape, size)
    return int((size // (shape.patch * shape.scale)) ** 2)


def check_vision(shape: VisionShape, where: str) -> None:
    """Refuses what no graph can be made of.

    Args:
        shape: of a checkpoint that is not trusted.
        where: the file, for messages.

    Raises:
        ModelError: heads do not divide the hidden size, or patches and tokens the picture.
    """
    if shape.hidden % shape.heads:
        raise ModelError(f"{where}: vision: {shape.heads} heads do not divide {shape.hidden}")
    step = shape.patch * shape.scale
    if shape.image_size % step:
        raise ModelError(
            f"{where}: vision: expected pictures of a multiple of {step} pixels ({shape.scale} patches of "
            f"{shape.patch}), got {shape.image_size}"
        )


def check_size(shape: VisionShape, size: int) -> None:
    """Refuses sizes that the tower has no positions for.

    Raises:
        UsageError: the size is no whole number of tokens or is larger than the table; or Gemma's, which has one size.
    """
    step = shape.patch * shape.scale
    if shape.architecture == "gemma3" and size != shape.image_size:
        raise UsageError(f"image size: gemma3 takes {shape.image_size} pixels only, got {size}")
    if size < step or size > shape.image_size or size % step:
        raise UsageError(
            f"image size: expected a multiple of {step} pixels up to {shape.image_size}, got {size}",
            f"choose {max(min(size, shape.image_size) // step * step, step)}",
        )


def position_rows(shape: VisionShape, size: int) -> Array:
    """Row of the position table for each patch of a picture, ``(patches,)`` int64.

    A smaller grid takes the row of the cell of the large one that its patch begins in (``bucketize`` of fractions in
    ``Idefics3VisionEmbeddings``), in float32 as there. At a cell's edge rounding decides, and torch's own
    sequences depend on the width of the CPU's vectors: tables of 19, 25, 29 and of 38 or more cells a side may differ
    from it by one, those of powers of two, of 26 and of 27 do not. Gemma's table is taken row by row.

    Raises:
        UsageError: as :func:`check_size`.
    """
    check_size(shape, size)
    grid, full = size // shape.patch, shape.image_size // shape.patch
    if shape.architecture == "gemma3":
        return np.arange(grid * grid)
    edges = np.arange(1 / full, 1.0, 1 / full).astype(np.float32)
    step = np.float32(1) / np.float32(grid)
    starts = np.minimum(np.arange(grid, dtype=np.float32) * step, np.float32(1 - 1e-6))
    cells = np.searchsorted(edges, starts, side="right")
    found: Array = (cells[:, None] * full + cells[None]).reshape(-1).astype(np.int64)
    return found
