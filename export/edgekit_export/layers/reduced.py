"""What was reduced, and how: the layers of a finished graph beside those of its full-precision one.

Everything is read from the two graphs, so that a report made while exporting and one made of finished bundles
are the same.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import onnx

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView
from edgekit_export.layers.coding import Coding
from edgekit_export.layers.operators import Parameters, operators, paired, real_unit
from edgekit_export.quantize.integer import U8_MAX
from edgekit_export.quantize.placement import CODED, LAYERS, Mode, behind_activation, moves


@dataclass(frozen=True, slots=True)
class Reading:
    """One computed input of a layer.

    Attributes:
        source: tensor of the full-precision graph.
        mean: taken off it first, where it is a picture whose mean was made whole.
        coding: the codes that it is rounded to; ``None`` where it is read as it is.
    """

    source: str
    mean: float = 0.0
    coding: Coding | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ReducedLayer:
    """An operator that computes in lower precision, or whose output is rounded to codes.

    Attributes:
        node: in the full-precision graph.
        mode: how it computes; an operator without a weight has ``int8``.
        inputs: what it reads.
        parameters: weight and bias as reduced, laid out as the node's own: real values, but for a wide layer,
            which computes in whole numbers.
        coding: of what it gives; ``None`` where that is a float.
        compared: tensor of the full-precision graph that it gives: behind the activation that its codes absorb.
        held: tensor of the reduced graph that has the same, as codes or as floats.
    """

    node: onnx.NodeProto
    mode: Mode
    inputs: tuple[Reading, ...]
    parameters: tuple[Array, ...]
    coding: Coding | None
    compared: str
    held: str

    @property
    def name(self) -> str:
        """The tensor that its node gives."""
        return str(self.node.output[0])


def reduced_layers(full: onnx.ModelProto, reduced: onnx.ModelProto) -> list[ReducedLayer]:
    """Layers that are not in full precision any more, in graph order.

    Args:
        full: normalised float graph.
        reduced: made of it by :func:`edgekit_export.quantize.quantize`.

    Raises:
        ModelError: the graphs are not of the same network.
    """
    return _Reader(full, reduced).layers()


class _Reader:
    """Reads two graphs side by side.

    Attributes:
        given: tensor of stored codes → what they stand for, where a wide layer gives them: the graph itself
            keeps no scale for these.
        read: tensor of the full-precision graph → the codes that layers read in its place.
    """

    def __init__(self, full: onnx.ModelProto, reduced: onnx.ModelProto) -> None:
        self.full, self.reduced = GraphView(full), GraphView(reduced)
        self.ours, self.theirs = Parameters(self.full), Parameters(self.reduced)
        self.given: dict[str, Coding] = {}
        self.read: dict[str, str] = {}

    def layers(self) -> list[ReducedLayer]:
        """Those that the full-precision graph has in floats."""
        computed = self._computed()
        coded = {layer.compared for layer in computed if layer.coding is not None}
        found = {layer.name: layer for layer in [*self._rounded(coded), *computed]}
        return [found[node.output[0]] for node in self.full.graph.node if node.output[0] in found]

    def _computed(self) -> list[ReducedLayer]:
        """Layers and pointwise operators."""
        both = paired(operators(self.full, self.ours), operators(self.reduced, self.theirs))
        found = []
        for one, other in both:
            read = self._layer if one.node.op_type in LAYERS else self._pointwise
            layer = read(one.node, other.node)
            if layer is not None:
                found.append(layer)
        return found

    def _rounded(self, coded: Collection[str]) -> list[ReducedLayer]:
        """Operators that compute in floats, whose output is rounded because a layer reads codes."""
        found = []
        for ours, codes in dict(self._unmoved(*pair) for pair in self.read.items()).items():
            node = self.full.producer.get(ours)
            if ours not in coded and node is not None and node.output[0] == ours:
                inputs = tuple(Reading(name) for name in node.input)
                found.append(ReducedLayer(node, Mode.INT8, inputs, (), self._coding(codes), ours, codes))
        return found

    def _unmoved(self, ours: str, codes: str) -> tuple[str, str]:
        """The tensor and the codes that operators between have only moved."""
        while True:
            mover, maker = self.full.producer.get(ours), self.reduced.producer.get(codes)
            same = None if maker is None else self.reduced.producer.get(maker.input[0])
            if mover is None or same is None or mover.op_type != same.op_type or not moves(mover):
                return ours, codes
            inner, _ = _codes_behind(self.reduced, same.input[0])
            if inner == same.input[0]:
                return ours, codes
            ours, codes = mover.input[0], inner

    def _layer(self, ours: onnx.NodeProto, theirs: onnx.NodeProto) -> ReducedLayer | None:
        mode = self.theirs.mode(theirs.input[1])
        if mode is Mode.FLOAT or self.ours.mode(ours.input[1]) is not Mode.FLOAT:
            return None
        values = [self.theirs.value(name) for name in theirs.input[1:] if name]
        source = self._reading(ours.input[0], theirs.input[0])
        if mode not in CODED:
            source = replace(source, coding=None)  # of its neighbours' making
        if mode is not Mode.WIDE:
            return self._made(ours, theirs, mode, (source,), values)
        assert source.coding is not None
        unit = real_unit(self.ours.value(ours.input[1]), values[0]) * source.coding.scale
        return self._made(ours, theirs, mode, (source,), values, unit)

    def _pointwise(self, ours: onnx.NodeProto, theirs: onnx.NodeProto) -> ReducedLayer | None:
        name = theirs.output[0]
        if _codes_of(self.reduced, name, Mode.INT8) == name:
            return None
        pairs = zip(ours.input, theirs.input, strict=True)
        inputs = tuple(self._reading(*names) for names in pairs)
        return self._made(ours, theirs, Mode.INT8, inputs, [])

    def _made(
        self,
        ours: onnx.NodeProto,
        theirs: onnx.NodeProto,
        mode: Mode,
        inputs: tuple[Reading, ...],
        values: list[Array],
        unit: float = 1.0,
    ) -> ReducedLayer:
        """``unit``: real value of one unit of what a wide layer's node gives."""
        compared, held = ours.output[0], _codes_of(self.reduced, theirs.output[0], mode)
        if held == theirs.output[0]:
            return ReducedLayer(ours, mode, inputs, tuple(values), None, compared, held)
        coding = self._coding(held)
        if mode is Mode.WIDE:
            coding = self.given[held] = replace(coding, scale=self._scale_behind(held) or unit)
        ending = behind_activation(self.full, compared)
        if not self._kept(self.full.producer[ending].op_type, held):
            compared = ending
        return ReducedLayer(ours, mode, inputs, tuple(values), coding, compared, held)

    def _kept(self, activation: str, held: str) -> bool:
        """Whether an activation still stands behind codes, instead of being their saturation."""
        real = [node.output[0] for node in self._dequantizers(held)]
        return any(n.op_type == activation for name in real for n in self.reduced.consumers.get(name, []))

    def _scale_behind(self, held: str) -> float | None:
        """Of codes that someone dequantises."""
        scales = [self.reduced.scalar(node.input[1]) for node in self._dequantizers(held)]
        return scales[0] if scales else None

    def _dequantizers(self, codes: str) -> list[onnx.NodeProto]:
        return [n for n in self.reduced.consumers.get(codes, []) if n.op_type == "DequantizeLinear"]

    def _reading(self, ours: str, theirs: str) -> Reading:
        """What is read as ``theirs``: a float, dequantised codes, or codes as whole numbers."""
        if theirs in self.given:
            return Reading(ours, coding=self.given[theirs])
        codes, zero = _codes_behind(self.reduced, theirs)
        maker = self.reduced.producer.get(codes)
        if maker is not None and maker.op_type == "QuantizeLinear":
            self.read[ours] = codes
            return Reading(ours, coding=self._coding(codes))
        taken = self.full.producer.get(ours)
        if codes == theirs or taken is None or taken.op_type != "Sub":
            return Reading(ours)
        return Reading(taken.input[0], zero, Coding(1.0, -int(zero), U8_MAX - int(zero)))

    def _coding(self, codes: str) -> Coding:
        """Of stored codes; those of a wide layer have no scale of their own, but 1."""
        if codes in self.given:
            return self.given[codes]
        node = self.reduced.producer[codes]
        if node.op_type == "Round":
            ends = [self.reduced.scalar(name) for name in self.reduced.producer[node.input[0]].input[1:3]]
            return Coding(1.0, int(ends[0] or 0), int(ends[1] or 0))
        scale, zero = (self.reduced.scalar(name) for name in node.input[1:3])
        return Coding(scale or 1.0, -int(zero or 0), U8_MAX - int(zero or 0))


def _codes_of(view: GraphView, name: str, mode: Mode) -> str:
    """The codes that ``name`` becomes, where it becomes nothing else, or ``name`` itself."""
    user = view.only_consumer(name)
    if user is not None and user.op_type == "Clip" and mode is Mode.WIDE:
        user = view.only_consumer(user.output[0])
        return str(user.output[0]) if user is not None and user.op_type == "Round" else name
    return str(user.output[0]) if user is not None and user.op_type == "QuantizeLinear" else name


def _codes_behind(view: GraphView, name: str) -> tuple[str, float]:
    """The codes behind what an operator reads, and the code of 0; ``name`` itself where there are none.

    They are read through a DequantizeLinear, or through Cast, Sub and Mul. So is a picture less its mean.
    """
    zero = 0.0
    node = view.producer.get(name)
    if node is not None and node.op_type == "DequantizeLinear":
        return node.input[0], (view.scalar(node.input[2]) or 0.0) if len(node.input) > 2 else 0.0
    if node is not None and node.op_type == "Mul" and view.scalar(node.input[1]) is not None:
        node = view.producer.get(node.input[0])
    if node is not None and node.op_type == "Sub" and view.scalar(node.input[1]) is not None:
        zero = view.scalar(node.input[1]) or 0.0
        node = view.producer.get(node.input[0])
    return (node.input[0], zero) if node is not None and node.op_type == "Cast" else (name, 0.0)
