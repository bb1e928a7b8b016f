"""Second moments of what a layer reads: how an error in its weight shows at its output.

For a layer ``y = W x`` and a weight error ``E`` the mean squared output error is ``E C Eᵀ`` with ``C`` the
second moment of ``x``. A bias takes up the mean, so ``C`` is the covariance where the layer has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from edgekit.errors import DataError
from edgekit.types import Array
from edgekit_export.convert.graph import attribute
from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.tap import Batch, Tap
from edgekit_export.quantize.wide import Fine

_POSITIONS = 128
"""Positions taken of one sample: neighbours say almost the same, and early layers have 12,544 of them."""
_FEWEST, _ENOUGH = 12, 160 * 128
"""Of many samples fewer positions each, down to 12: another picture says more than another position of this one."""


@dataclass(slots=True)
class Moments:
    """Sums over positions of what a layer reads, by group.

    Attributes:
        total: ``(groups, inputs)`` sum of x.
        products: ``(groups, inputs, inputs)`` sum of x xᵀ.
        count: positions.
        waiting: values that are not added yet.
    """

    total: Array
    products: Array
    count: int
    waiting: list[Array] = field(default_factory=list)

    def add(self, x: Array) -> None:
        """Adds ``(groups, positions, inputs)`` values; a few positions wait for others, a product costs the same."""
        self.waiting.append(x)
        if sum(part.shape[1] for part in self.waiting) >= _POSITIONS:
            self.settle()

    def settle(self) -> None:
        """Adds what waits."""
        if not self.waiting:
            return
        x = self.waiting[0] if len(self.waiting) == 1 else np.concatenate(self.waiting, axis=1)
        self.waiting = []
        self.total += x.sum(axis=1, dtype=np.float64)
        self.products += np.matmul(x.transpose(0, 2, 1), x)
        self.count += x.shape[1]

    def without(self, part: Moments | None) -> Moments:
        """What is left of them when a part is taken out."""
        self.settle()
        if part is None:
            return self
        part.settle()
        return Moments(self.total - part.total, self.products - part.products, self.count - part.count)

    @property
    def mean(self) -> Array:
        """``(groups, inputs)``."""
        self.settle()
        return self.total / self.count

    def second(self, *, centred: bool) -> Array:
        """``(groups, inputs, inputs)``: covariance, or second moment about zero."""
        self.settle()
        raw = self.products / self.count
        return raw - self.mean[:, :, None] * self.mean[:, None, :] if centred else raw


def collect_moments(
    model: onnx.ModelProto,
    wanted: Sequence[onnx.NodeProto],
    shapes: Mapping[str, tuple[int, ...]],
    codes: Mapping[str, Affine | Fine],
    batches: Iterable[Batch],
    threads: int = 2,
    samples: int = 0,
) -> dict[str, Moments]:
    """Moments of the inputs of layers, rounded to their codes where they have one.

    Args:
        model: normalised float graph.
        wanted: layers.
        shapes: layer name → shape of its weight, output channels first.
        codes: tensor → its affine code.
        batches: calibration data.
        threads: threads inside one operator.
        samples: how many batches these are some of; 0 where unknown.

    Raises:
        DataError: there is no batch.
    """
    positions = positions_of(samples)
    found: dict[str, Moments] = {}
    sources = list(dict.fromkeys(node.input[0] for node in wanted))
    for values in Tap(model, sources, threads).over(batches):
        for node in wanted:
            source, name = node.input[0], node.output[0]
            patches = layer_patches(
                node, values[source], shapes[name], positions
            )  # thinned, so rounded after
            patches = codes[source].round_trip(patches) if source in codes else patches.astype(np.float32)
            if name not in found:
                groups, _, inputs = patches.shape
                found[name] = Moments(np.zeros((groups, inputs)), np.zeros((groups, inputs, inputs)), 0)
            found[name].add(patches)
    if wanted and not found:
        raise DataError("calibration: expected at least one sample, got none", "name a folder of pictures")
    return found


def bias_shift(error: Array, moments: Moments) -> Array:
    """What a weight error takes from a layer's mean output, ``(outputs,)``.

    Args:
        error: float weight minus rounded weight, output channels first.
        moments: of what the layer reads.
    """
    groups = len(moments.total)
    by_group = error.reshape(groups, len(error) // groups, -1)
    shift: Array = np.einsum("gok,gk->go", by_group, moments.mean).reshape(-1)
    return shift


def positions_of(samples: int) -> int:
    """Positions to take of each of so many samples."""
    return int(np.clip(_ENOUGH // max(samples, 1), _FEWEST, _POSITIONS))


def layer_patches(node: onnx.NodeProto, x: Array, shape: tuple[int, ...], most: int = _POSITIONS) -> Array:
    """What each output position of a layer reads, ``(groups, positions, inputs)``; positions are thinned."""
    if node.op_type != "Conv":
        flat = x.reshape(1, -1, x.shape[-1])
        return flat[:, :: max(flat.shape[1] // most, 1)]
    groups, kernel = attribute(node, "group", 1), shape[2:]
    rank = len(kernel)
    strides = attribute(node, "strides", [1] * rank)
    dilations = attribute(node, "dilations", [1] * rank)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads = _pads(node, x.shape[2:], spans, strides)
    outputs = [(x.shape[2 + i] + pads[i] + pads[rank + i] - spans[i]) // strides[i] + 1 for i in range(rank)]
    positions = x.shape[0] * math.prod(outputs)
    chosen = np.arange(0, positions, max(positions // most, 1))
    sample, *places = np.unravel_index(chosen, (x.shape[0], *outputs))
    reads: list[Array] = []
    inside = np.ones((len(chosen), *[1] * rank), bool)
    for i in range(rank):
        at = places[i][:, None] * strides[i] + np.arange(kernel[i]) * dilations[i] - pads[i]
        at = at.reshape(len(chosen), *(kernel[i] if axis == i else 1 for axis in range(rank)))
        inside = inside & (at >= 0) & (at < x.shape[2 + i])
        reads.append(np.clip(at, 0, x.shape[2 + i] - 1))
    where: tuple[Any, ...] = (sample.reshape(-1, *[1] * rank), slice(None), *reads)
    taken = np.where(inside[..., None], x[where], x.dtype.type(0))  # (positions, kernel ..., channels)
    taken = np.moveaxis(taken, -1, 1).reshape(len(chosen), groups, -1)
    by_group: Array = taken.transpose(1, 0, 2)
    return by_group


def _pads(
    node: onnx.NodeProto, size: Sequence[int], spans: Sequence[int], strides: Sequence[int]
) -> list[int]:
    """Zeros before and behind each axis, all the ones before first."""
    rank = len(spans)
    mode = attribute(node, "auto_pad", b"NOTSET")
    pads = list(attribute(node, "pads", [0] * (2 * rank)))
    if mode in (b"SAME_UPPER", b"SAME_LOWER"):
        for i in range(rank):
            total = max((-(-size[i] // strides[i]) - 1) * strides[i] + spans[i] - size[i], 0)
            small = total // 2
            ends = (small, total - small) if mode == b"SAME_UPPER" else (total - small, small)
            pads[i], pads[rank + i] = ends
    return pads
