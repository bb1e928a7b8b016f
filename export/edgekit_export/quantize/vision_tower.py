"""A vision tower in torch, for calibration: the graph's arithmetic, with the matrices left to the caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from edgekit.errors import DataError
from edgekit.types import F32, Array
from edgekit_export.architectures.vision import (
    CONNECTOR_NORM,
    LAST_NORM,
    PATCH_BIAS,
    PATCH_WEIGHT,
    POSITION,
    PROJECTION,
    VisionShape,
    check_size,
    position_rows,
)
from edgekit_export.quantize.decoder import Linear, rms_norm

if TYPE_CHECKING:
    import torch

Read = Callable[[str], F32]
"""Reads one tensor by its name, now."""


def checked_pictures(shape: VisionShape, pictures: Array) -> F32:
    """Calibration pictures as the tower takes them, ``(pictures, 3, size, size)`` float32.

    Raises:
        DataError: there are none, or they are something else.
        UsageError: the tower has no positions for their size.
    """
    found = np.asarray(pictures, np.float32)
    if found.ndim != 4 or not len(found) or found.shape[1] != 3 or found.shape[2] != found.shape[3]:
        raise DataError(
            f"calibration: expected prepared pictures (pictures, 3, size, size), got shape {found.shape}",
            "prepare them as the bundle does",
        )
    check_size(shape, found.shape[2])
    return found


def embed_patches(shape: VisionShape, read: Read, linear: Linear, pictures: F32) -> torch.Tensor:
    """What the first layer reads, ``(pictures, patches, hidden)``; ``linear`` is asked for ``vision.patch``."""
    import torch

    count, side = len(pictures), pictures.shape[2]
    grid = side // shape.patch
    apart = pictures.reshape(count, 3, grid, shape.patch, grid, shape.patch).transpose(0, 2, 4, 1, 3, 5)
    patches = torch.from_numpy(np.ascontiguousarray(apart).reshape(count, grid * grid, -1))
    placed = read(POSITION)[position_rows(shape, side)] + read(PATCH_BIAS)
    return linear(PATCH_WEIGHT, patches) + torch.from_numpy(placed)


def encode_layer(shape: VisionShape, index: int, read: Read, linear: Linear, x: torch.Tensor) -> torch.Tensor:
    """One layer.

    Args:
        shape: of the model.
        index: of the layer.
        read: gives norms and biases.
        linear: multiplies with a matrix, given its tensor's name and what it reads; biases are added here.
        x: ``(pictures, patches, hidden)`` float32.

    Returns:
        The same shape.
    """
    from torch.nn import functional

    prefix = f"vision.layers.{index}"

    def with_bias(name: str, y: torch.Tensor) -> torch.Tensor:
        return linear(f"{prefix}.{name}.weight", y) + _vector(read, f"{prefix}.{name}.bias")

    def heads(name: str, y: torch.Tensor) -> torch.Tensor:
        return with_bias(f"self_attn.{name}_proj", y).unflatten(-1, (shape.heads, -1)).transpose(1, 2)

    y = layer_norm(shape, read, f"{prefix}.layer_norm1", x)
    query, key, value = (heads(part, y) for part in "qkv")
    attended = functional.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    x = x + with_bias("self_attn.out_proj", attended)
    y = layer_norm(shape, read, f"{prefix}.layer_norm2", x)
    return x + with_bias("mlp.fc2", functional.gelu(with_bias("mlp.fc1", y), approximate="tanh"))


def connect(shape: VisionShape, read: Read, linear: Linear, x: torch.Tensor) -> torch.Tensor:
    """Image features, ``(pictures, tokens, output)``, of what the last layer gives."""
    import torch

    y = layer_norm(shape, read, LAST_NORM, x)
    count, patches, hidden = y.shape
    side, scale = int(patches**0.5) // shape.scale, shape.scale
    apart = y.reshape(count, side, scale, side, scale, hidden)
    if shape.connector == "pixel_shuffle":
        return linear(PROJECTION, apart.transpose(2, 3).reshape(count, side * side, -1))
    pooled = apart.mean((2, 4)).reshape(count, side * side, hidden)
    return linear(PROJECTION, rms_norm(pooled, torch.from_numpy(read(CONNECTOR_NORM)), shape.epsilon))


def layer_norm(shape: VisionShape, read: Read, name: str, x: torch.Tensor) -> torch.Tensor:
    """Layer norm over the last axis (Ba et al. 2016, arXiv 1607.06450)."""
    from torch.nn import functional

    vectors = (_vector(read, f"{name}.{part}") for part in ("weight", "bias"))
    return functional.layer_norm(x, (shape.hidden,), *vectors, eps=shape.epsilon)


def rounded_tokens(x: torch.Tensor) -> torch.Tensor:
    """What the graph multiplies with: each token over its largest number, then 8 bits for the range of all.

    ``DynamicQuantizeLinear`` of one picture at a time (:mod:`edgekit_export.vision.product`).
    """
    largest = x.abs().amax(-1, keepdim=True).clamp_min(1e-12)
    evened = x / largest
    low = evened.amin((1, 2), keepdim=True).clamp_max(0)
    step = ((evened.amax((1, 2), keepdim=True).clamp_min(0) - low) / 255).clamp_min(1e-30)
    zero = (-low / step).round()
    return (((evened / step).round() + zero).clamp(0, 255) - zero) * step * largest


def _vector(read: Read, name: str) -> torch.Tensor:
    import torch

    return torch.from_numpy(read(name))
