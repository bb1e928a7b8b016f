"""The operators of a graph that can be reduced, and how a reduced graph stores their parameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, attribute
from edgekit_export.quantize.placement import LAYERS, POINTWISE, Mode

_UNFOLDED = frozenset({"DequantizeLinear", "Cast", "Mul"})
"""What stands between a stored parameter and the float that a layer reads."""


@dataclass(frozen=True, slots=True, eq=False)
class Operator:
    """A layer, or a pointwise operator of computed tensors.

    Attributes:
        node: in its graph.
        shape: of its weight as stored; of a pointwise operator, empty.
    """

    node: onnx.NodeProto
    shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.node.op_type} {'×'.join(map(str, self.shape))}".strip()


class Parameters:
    """Constants of a graph, those behind an unfolded DequantizeLinear, Cast or Mul included."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._sources = {name: name for name in view.constants}
        for node in view.graph.node:
            if node.op_type in _UNFOLDED and all(name in self._sources for name in node.input):
                self._sources[node.output[0]] = self._sources[node.input[0]]

    def __contains__(self, name: str) -> bool:
        return name in self._sources

    def shape(self, name: str) -> tuple[int, ...]:
        """Of the stored array."""
        return tuple(self._view.constants[self._sources[name]].dims)

    def mode(self, name: str) -> Mode:
        """How the layer with this weight computes: each mode stores it in its own way."""
        kind = self._view.constants[self._sources[name]].data_type
        if kind == onnx.TensorProto.INT8:
            behind = self._view.producer[name].op_type
            return Mode.INT8 if behind == "DequantizeLinear" else Mode.WEIGHT8
        kinds = {onnx.TensorProto.INT16: Mode.WIDE, onnx.TensorProto.FLOAT16: Mode.HALF}
        return kinds.get(kind, Mode.FLOAT)

    def value(self, name: str) -> Array:
        """The array that a layer reads."""
        stored = self._view.value(name)
        if stored is not None:
            return stored
        node = self._view.producer[name]
        given = [self.value(part) for part in node.input]
        if node.op_type == "Cast":
            kind = onnx.helper.tensor_dtype_to_np_dtype(attribute(node, "to"))
            return given[0].astype(kind)
        if node.op_type == "Mul":
            return np.asarray(given[0] * given[1])
        return _dequantized(given, attribute(node, "axis", 1))


def _dequantized(given: Sequence[Array], axis: int) -> Array:
    codes, scale = given[0], given[1]
    shape = [1] * codes.ndim
    if scale.ndim:
        shape[axis] = -1
    zero = given[2].astype(np.float32).reshape(shape) if len(given) > 2 else np.float32(0)
    return np.asarray((codes.astype(np.float32) - zero) * scale.reshape(shape))


def operators(view: GraphView, parameters: Parameters) -> list[Operator]:
    """Layers and pointwise operators, in graph order."""
    found = []
    for node in view.graph.node:
        given = [name for name in node.input if name]
        if node.op_type in LAYERS and given[0] not in parameters and given[1] in parameters:
            found.append(Operator(node, parameters.shape(given[1])))
        elif node.op_type in POINTWISE and not any(name in parameters for name in given):
            found.append(Operator(node, ()))
    return found


def paired(full: Sequence[Operator], reduced: Sequence[Operator]) -> list[tuple[Operator, Operator]]:
    """Each operator of the full-precision graph with the reduced graph's.

    A reduced graph keeps their order, types and the shapes of their weights, whatever its tensors are named.

    Raises:
        ModelError: the graphs are not of the same network.
    """
    for number, (one, other) in enumerate(zip(full, reduced, strict=False)):
        if str(one) != str(other):
            raise ModelError(
                f"layers: operator {number} is {one} ({one.node.output[0]}) in full precision and {other} "
                f"({other.node.output[0]}) in the reduced graph",
                "compare a bundle with the reference that was written with it",
            )
    if len(full) != len(reduced):
        raise ModelError(
            f"layers: {len(full)} operators in full precision, {len(reduced)} in the reduced graph",
            "compare a bundle with the reference that was written with it",
        )
    return list(zip(full, reduced, strict=True))


def real_unit(weight: Array, stored: Array) -> float:
    """Real value of one unit of ``stored``: what makes it nearest to ``weight``, in the least-squares sense."""
    flat, units = weight.astype(np.float64).ravel(), stored.astype(np.float64).ravel()
    power = float(units @ units)
    unit = float(flat @ units) / power if power > 0 else 1.0
    return unit if unit > 0 and math.isfinite(unit) else 1.0
