"""What rounding each matrix of a tower costs in noise on the image features, before any is rounded.

An error ``E`` of a matrix moves the features by ``J E``. With signs ``v`` drawn at random for each feature the mean of
``(vᵀ J E)²`` is ``|J E|²`` (Hutchinson 1990), and ``vᵀ J`` is the gradient of the matrix: one pass backward gives it
for all. Errors of single weights know nothing of each other, so each counts with its own variance, ``Δ²/12``, and its
own squared gradient; that it is one error for all patches, which attention averages, is in it. Rounding that sees the
inputs (:mod:`edgekit_export.quantize.vision_rounding`) leaves what the inputs to come cannot make up for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from edgekit.types import F32, Array
from edgekit_export.architectures.vision import PROJECTION, VisionShape
from edgekit_export.quantize.block_grid import Format
from edgekit_export.quantize.gptq import DAMPING
from edgekit_export.quantize.progress import Progress, silent
from edgekit_export.quantize.round_weights import damped_factor
from edgekit_export.quantize.steps import Steps
from edgekit_export.quantize.text_gptq import NEAREST_FROM_BITS
from edgekit_export.quantize.tiered import TieredFormat
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

_BYTE = 8
"""Bits of codes that are multiplied as they are; narrower ones come out as whole numbers of 8 bits too."""


def measure_vision_costs(
    shape: VisionShape,
    read: Read,
    pictures: Array,
    formats: Mapping[str, Sequence[TieredFormat]],
    seed: int = 0,
    progress: Progress = silent,
) -> dict[str, tuple[float, ...]]:
    """Noise on the features, relative to their power, that each matrix would add in each of its formats.

    Args:
        shape: of the model.
        read: gives the tensors.
        pictures: ``(pictures, 3, size, size)`` float32, prepared; the states of all layers are kept in memory.
        formats: tensor name → ways to store it; blocks divide its inputs.
        seed: of the signs.
        progress: told of every layer, forward and backward.

    Raises:
        DataError, UsageError: as :func:`~edgekit_export.quantize.vision_tower.checked_pictures`.
    """
    import torch

    pixels = checked_pictures(shape, pictures)
    parts: list[Callable[[_Recorder, torch.Tensor], torch.Tensor]] = [
        lambda linear, _: embed_patches(shape, read, linear, pixels),
        *(
            lambda linear, x, index=index: encode_layer(shape, index, read, linear, x)
            for index in range(shape.layers)
        ),
        lambda linear, x: connect(shape, read, linear, x),
    ]
    states, steps = [torch.zeros(0)], 2 * len(parts)
    with torch.no_grad():
        for number, part in enumerate(parts):
            states.append(part(_Recorder(read), states[-1]))
            progress("sensitivity", number + 1, steps)
    features = states.pop()
    power = float(features.square().sum())
    signs = torch.randint(0, 2, features.shape, generator=torch.Generator().manual_seed(seed))
    gradient, found = signs.to(features.dtype) * 2 - 1, {}
    for number, part in enumerate(reversed(parts)):
        leaf, recorder = states.pop().requires_grad_(), _Recorder(read)
        part(recorder, leaf).backward(gradient)  # type: ignore[no-untyped-call]
        for name in recorder.outputs.keys() & formats.keys():
            groups = shape.scale**2 if name == PROJECTION and recorder.wide(name, shape.hidden) else 1
            found[name] = recorder.costs(name, formats[name], power, groups)
        gradient = leaf.grad if leaf.grad is not None else gradient
        progress("sensitivity", len(parts) + number + 1, steps)
    return {name: found[name] for name in formats}


@dataclass(slots=True)
class _Recorder:
    """Multiplies with matrices as they are, and keeps what they read and gave.

    Attributes:
        read: gives the matrices.
        inputs, outputs: by the tensor's name; ``outputs`` have gradients after a pass backward.
    """

    read: Read
    inputs: dict[str, torch.Tensor] = field(default_factory=dict)
    outputs: dict[str, torch.Tensor] = field(default_factory=dict)
    _left: tuple[torch.Tensor, Array] | None = None

    def __call__(self, name: str, x: torch.Tensor) -> torch.Tensor:
        """``x`` times the matrix."""
        import torch

        out = x @ torch.from_numpy(self.matrix(name)).T
        if torch.is_grad_enabled():
            self.inputs[name], self.outputs[name] = x.detach(), out.requires_grad_()
            out.retain_grad()
        return out

    def matrix(self, name: str) -> F32:
        """``(outputs, inputs)``."""
        weight = self.read(name)
        return np.ascontiguousarray(weight).reshape(len(weight), -1)

    def wide(self, name: str, hidden: int) -> bool:
        """Whether it reads several patches at once."""
        return self.inputs[name].shape[-1] > hidden

    def costs(
        self, name: str, formats: Sequence[TieredFormat], power: float, groups: int
    ) -> tuple[float, ...]:
        """``Σ gradient² · Δ²/12 · left`` over the features' power, of each format."""
        weight, squares = self.matrix(name), self._squares(name)
        left = self._left_of(self.inputs[name], groups)
        steps = Steps(weight)
        whole = float(
            squares.sum(axis=1) @ steps.variance(Format(_BYTE, weight.shape[1], symmetric=True))[:, 0]
        )
        found = []
        for form in formats:
            counted = squares * left if form.bits < NEAREST_FROM_BITS else squares
            blocks = counted.reshape(len(weight), -1, form.block).sum(axis=2)
            coarse = 0.0 if form.bits == _BYTE else float((blocks * steps.variance(form.grid)).sum())
            found.append((coarse + whole) / power)
        return tuple(found)

    def _squares(self, name: str) -> Array:
        """``(outputs, inputs)``: squared gradients of the matrix, of each picture apart."""
        slope, total = self.outputs[name].grad, np.zeros(self.matrix(name).shape)
        assert slope is not None
        for given, read in zip(slope, self.inputs[name], strict=True):
            total += (given.T @ read).square().numpy()
        return total

    def _left_of(self, x: torch.Tensor, groups: int) -> Array:
        """``(inputs,)``: share of each that those to come cannot make up for; kept for the next that reads the same."""
        if self._left is None or self._left[0] is not x:
            flat = rounded_tokens(x).flatten(0, -2).unflatten(-1, (groups, -1)).transpose(0, 1)
            moments = (flat.transpose(1, 2) @ flat / flat.shape[1]).numpy().astype(np.float64)
            left = [_left_over(moment) for moment in moments]
            self._left = (x, np.concatenate(left))
        return self._left[1]


def _left_over(moment: Array) -> Array:
    """``1/U²`` over the variance, 1 at the most."""
    damped, factor = damped_factor(moment[np.newaxis], DAMPING)
    found: Array = 1 / np.square(np.diagonal(factor[0])) / np.diagonal(damped[0])
    return found
