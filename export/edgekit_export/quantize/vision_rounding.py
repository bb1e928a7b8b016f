"""A tower's matrices rounded layer by layer, each seeing what the rounded ones before it make of its inputs.

Two streams of hidden states pass the layers, the reference's and the rounded tower's, as for text models
(:mod:`edgekit_export.quantize.text_gptq`). The projection of many patches at once is rounded patch by patch: the second
moment of all its inputs would take a gigabyte.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from edgekit.types import Array
from edgekit_export.architectures.vision import PROJECTION, VisionShape
from edgekit_export.quantize.gptq import DAMPING, gptq_tiered
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.text_gptq import NEAREST_FROM_BITS
from edgekit_export.quantize.tiered import Tiered, TieredFormat, round_tiered
from edgekit_export.quantize.vision_tower import (
    Read,
    checked_pictures,
    connect,
    embed_patches,
    encode_layer,
    rounded_tokens,
)

if TYPE_CHECKING:
    import torch

_ROWS = 1 << 14
"""Tokens whose moments are taken: what more would add is within what other pictures change."""


def round_vision(
    shape: VisionShape,
    read: Read,
    pictures: Array,
    formats: Mapping[str, TieredFormat],
    progress: Progress = silent,
) -> dict[str, Tiered]:
    """The matrices that have a format, in codes.

    Memory holds both streams' states and one layer: 16 pictures of 512 pixels with 768 wide patches take 0.1 GB, and
    0.4 GB for what is between a layer's two parts.

    Args:
        shape: of the model.
        read: gives the tensors.
        pictures: ``(pictures, 3, size, size)`` float32, prepared; 16 of 512 pixels are plenty.
        formats: tensor name → format; others stay as they are.
        progress: told of every layer.

    Raises:
        DataError, UsageError: as :func:`~edgekit_export.quantize.vision_tower.checked_pictures`.
    """
    import torch

    pixels = checked_pictures(shape, pictures)
    found: dict[str, Tiered] = {}
    with torch.no_grad():
        stage = _Stage(shape, read, formats, found)
        exact = embed_patches(shape, read, stage.reference, pixels)
        rounded = embed_patches(shape, read, stage.rounding, pixels)
        for index in range(shape.layers):
            stage = _Stage(shape, read, formats, found)
            exact = encode_layer(shape, index, read, stage.reference, exact)
            rounded = encode_layer(shape, index, read, stage.rounding, rounded)
            progress("round", index + 1, shape.layers + 1)
        stage = _Stage(shape, read, formats, found)
        connect(shape, read, stage.reference, exact)
        connect(shape, read, stage.rounding, rounded)
        progress("round", shape.layers + 1, shape.layers + 1)
    return found


class _Stage:
    """Some matrices: first run as they are, then rounded in the order of the data's flow."""

    def __init__(
        self, shape: VisionShape, read: Read, formats: Mapping[str, TieredFormat], found: dict[str, Tiered]
    ) -> None:
        self._shape, self._read, self._formats, self._found = shape, read, formats, found
        self._reads: dict[str, torch.Tensor] = {}
        self._source: torch.Tensor | None = None
        self._seen: _Seen | None = None

    def reference(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Multiplies with the matrix as it is, and keeps what it read."""
        self._reads[name] = x
        return x @ self._weight(name).T

    def rounding(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """Rounds the matrix for what it reads now, and multiplies with the rounded one."""
        import torch

        form, weight = self._formats.get(name), self._weight(name)
        if form is None:
            return x @ weight.T
        if form.bits >= NEAREST_FROM_BITS:
            coded, read = round_tiered(weight.numpy(), form), rounded_tokens(x)
        else:
            seen = self._saw(name, x)
            coded, read = gptq_tiered(seen.moved(weight), seen.moments, form), seen.read
        self._found[name] = coded
        return read @ torch.from_numpy(coded.dequantized()).T

    def _saw(self, name: str, x: torch.Tensor) -> _Seen:
        if self._seen is None or self._source is not x:
            groups = self._shape.scale**2 if name == PROJECTION and x.shape[-1] > self._shape.hidden else 1
            self._source, self._seen = x, _Seen(self._reads[name], x, groups)
        return self._seen

    def _weight(self, name: str) -> torch.Tensor:
        import torch

        weight = self._read(name)
        return torch.from_numpy(np.ascontiguousarray(weight).reshape(len(weight), -1))


class _Seen:
    """What matrices with the same input share.

    Attributes:
        read: the input as the graph reads it.
        moments: ``(groups, inputs / groups, inputs / groups)`` second moments of it.
    """

    def __init__(self, exact: torch.Tensor, source: torch.Tensor, groups: int) -> None:
        import torch

        self.read = rounded_tokens(source)
        rows = self.read.flatten(0, 1)
        some = torch.arange(0, len(rows), -(-len(rows) // _ROWS))
        read = rows[some].unflatten(-1, (groups, -1)).transpose(0, 1)
        missed = exact.flatten(0, 1)[some].unflatten(-1, (groups, -1)).transpose(0, 1) - read
        moments = read.transpose(1, 2) @ read / len(some)
        cross = missed.transpose(1, 2) @ read / len(some)
        unit = torch.eye(moments.shape[-1])
        power = moments.diagonal(dim1=1, dim2=2).mean(-1).clamp_min(1e-12)
        damped = moments + DAMPING * power[:, None, None] * unit
        factor = torch.linalg.cholesky(damped.double())
        self._move = (
            unit + torch.cholesky_solve(cross.transpose(1, 2).double(), factor).transpose(1, 2).float()
        )
        self.moments: Array = moments.numpy()

    def moved(self, weight: torch.Tensor) -> Array:
        """The weight that gives the reference's outputs best from what is read now."""
        parts = weight.unflatten(-1, (len(self._move), -1)).transpose(0, 1) @ self._move
        found: Array = parts.transpose(0, 1).flatten(1).contiguous().numpy()
        return found
