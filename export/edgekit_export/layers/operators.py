"""The operators of a graph that can be reduced, and how a reduced graph stores their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, attribute
from edgekit_export.quantize.placement import LAYERS, POINTWISE, WEIGHT_BITS, Mode

_PLAIN: Mapping[str, Callable[..., Array]] = {
    "Mul": np.multiply,
    "Add": np.add,
    "Sub": np.subtract,
    "Floor": np.floor,
    "Reshape": np.reshape,
    "Slice": lambda row, start, end: row[start[0] : end[0]],
}
PACKED = tuple(mode for mode, bits in WEIGHT_BITS.items() if bits not in (8, 16))
_UNFOLDED = frozenset(
    {"DequantizeLinear", "Cast", "Mul", "Floor", "Sub", "Add", "Concat", "Reshape", "Slice"}
)
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
        stored = self._view.constants[self._sources[name]]
        return self.value(name).shape if stored.data_type == onnx.TensorProto.UINT8 else tuple(stored.dims)

    def mode(self, name: str) -> Mode:
        """How the layer with this weight computes: each mode stores it in its own way."""
        kind = self._view.constants[self._sources[name]].data_type
        if kind == onnx.TensorProto.INT8:
            behind = self._view.producer[name].op_type
            return Mode.INT8 if behind == "DequantizeLinear" else Mode.WEIGHT8
        if kind == onnx.TensorProto.UINT8:
            return self._packed_mode(name)
        if kind == onnx.TensorProto.INT16:
            unit = self.value(self._view.producer[name].input[1])
            return (
                Mode.WIDE if (np.frexp(unit)[0] == 0.5).all() else Mode.WEIGHT16
            )  # wide units: powers of two
        return Mode.HALF if kind == onnx.TensorProto.FLOAT16 else Mode.FLOAT

    def _packed_mode(self, name: str) -> Mode:
        """By the bytes that a weight's planes take."""
        pending, planes = [name], set()
        while pending:
            found = pending.pop()
            if found not in self._view.constants:
                pending.extend(self._view.producer[found].input)
            elif self._view.constants[found].data_type == onnx.TensorProto.UINT8:
                planes.add(found)
        packed = sum(self._view.constants[plane].dims[0] for plane in planes)
        bits = packed * 8 / np.prod(self.shape(name))
        return min(PACKED, key=lambda mode: abs(WEIGHT_BITS[mode] - bits))

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
        if node.op_type in _PLAIN:
            return np.asarray(_PLAIN[node.op_type](*given))
        if node.op_type == "Concat":
            return np.concatenate(given, axis=attribute(node, "axis", 0))
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
