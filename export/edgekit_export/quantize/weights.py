"""Weights as integers with one scale an output channel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, attribute
from edgekit_export.quantize.integer import S8_MAX


@dataclass(frozen=True, slots=True, eq=False)
class LayerWeights:
    """The parameters of one layer in float, output channels first.

    Attributes:
        weight: ``(outputs, inputs / groups, ...)`` float64; for Gemm and MatMul ``(outputs, inputs)``.
        bias: ``(outputs,)`` float64, or None where the layer has none (a MatMul).
        groups: of a convolution, else 1.
        transposed: the stored weight is ``(inputs, outputs)``.
    """

    weight: Array
    bias: Array | None
    groups: int
    transposed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """An integer weight: ``real = codes * scale[channel]``.

    Attributes:
        codes: integers, output channels first, as float64 or an integer dtype.
        scale: ``(outputs,)`` float32, above 0.
    """

    codes: Array
    scale: Array

    @property
    def real(self) -> Array:
        """The weight that the codes stand for, float64."""
        return self.codes.astype(np.float64) * broadcast(self.scale.astype(np.float64), self.codes.ndim)


def broadcast(per_channel: Array, rank: int) -> Array:
    """``(outputs,)`` laid out to multiply ``(outputs, ...)`` of that rank."""
    return per_channel.reshape(-1, *[1] * (rank - 1))


def read_weights(view: GraphView, node: onnx.NodeProto) -> LayerWeights:
    """The parameters of a layer as :func:`edgekit_export.quantize.placement.is_layer` accepts it."""
    weight = view.value(node.input[1])
    assert weight is not None
    transposed = node.op_type == "MatMul" or (node.op_type == "Gemm" and not attribute(node, "transB", 0))
    weight = (weight.T if transposed else weight).astype(np.float64)
    bias: Array | None = None
    if node.op_type != "MatMul":
        found = view.value(node.input[2]) if len(node.input) > 2 and node.input[2] else None
        bias = np.zeros(len(weight)) if found is None else np.broadcast_to(found.reshape(-1), (len(weight),))
        bias = bias.astype(np.float64)
    return LayerWeights(weight, bias, attribute(node, "group", 1), transposed)


TINIEST_SCALE = 1e-30
"""Times the scale of an activation this is still a normal float32."""

BIAS_LIMIT = 2**29
"""Largest int32 bias code, so that bias and sum of products together never overflow."""


def smallest_scale(weights: LayerWeights, input_scale: float) -> Array:
    """The finest weight scale a channel for which its bias still fits, ``(outputs,)`` float64.

    A channel that training has all but switched off has weights of 1e-10 beside a bias of 1: with a scale
    that follows the weights alone, the bias would overflow its int32.
    """
    if weights.bias is None:
        return np.zeros(len(weights.weight))
    return np.abs(weights.bias) / (BIAS_LIMIT * input_scale)


def nearest(weight: Array, finest: Array | float = 0.0, limit: int = S8_MAX) -> Codes:
    """Rounds to nearest with the scale that covers the largest weight of each channel.

    Args:
        weight: output channels first.
        finest: no channel's scale is below this, see :func:`smallest_scale`.
        limit: largest code.
    """
    largest = np.abs(weight).reshape(len(weight), -1).max(axis=1)
    return with_scale(weight, usable_scale(largest / limit, finest), limit)


def usable_scale(wanted: Array, finest: Array | float = 0.0) -> Array:
    """Scales as float32, at least ``finest``; 1 for a channel of zeros, never so small that a product underflows."""
    scale = np.maximum(wanted, finest)
    return np.where(scale > 0, np.maximum(scale, TINIEST_SCALE), 1.0).astype(np.float32)


def with_scale(weight: Array, scale: Array, limit: int = S8_MAX) -> Codes:
    """Rounds to nearest with given scales, saturating at ``±limit``."""
    codes = np.rint(weight / broadcast(scale.astype(np.float64), weight.ndim))
    return Codes(np.clip(codes, -limit, limit), scale)
