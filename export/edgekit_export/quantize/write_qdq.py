"""Writing the quantised graph: QuantizeLinear and DequantizeLinear pairs in the patterns that engines fuse.

For each coded tensor one QuantizeLinear and one DequantizeLinear; for each integer layer a DequantizeLinear on
the int8 weight (a scale an output channel) and one on the int32 bias (``input scale × weight scale``). An
engine that fuses them computes in integers; one that does not computes the same in float.

A layer that stays in float never reads a DequantizeLinear: onnxruntime ≥ 1.21 rounds the float weight of a Conv,
ConvTranspose or Gemm behind one to int8 with one scale a tensor (its WeightBiasQuantization pass). It reads
``Cast``, ``Sub`` and ``Mul`` instead, which say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper

from edgekit.types import Array
from edgekit_export.convert.graph import GraphView, constant, copy_node, set_nodes
from edgekit_export.convert.lift_constants import merge_constants
from edgekit_export.convert.remove_dead import remove_dead
from edgekit_export.convert.shorten_names import strip_metadata
from edgekit_export.quantize.integer import Affine
from edgekit_export.quantize.picture import picture_zero_point
from edgekit_export.quantize.placement import WEIGHT_BITS, Mode, Placement
from edgekit_export.quantize.weights import Codes, LayerWeights
from edgekit_export.quantize.wide import Fine, WideWeights
from edgekit_export.quantize.write_dynamic import write_dynamic
from edgekit_export.quantize.write_packed import write_packed

_TRAPPED = frozenset({"Conv", "ConvTranspose", "Gemm"})
Code = Affine | Fine
_WHOLE = {8: np.int8, 16: np.int16}
"""Bits of a weight that has a type of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What is written for one layer.

    Attributes:
        mode: how it computes.
        weights: its float parameters (after equalisation and corrections of the bias).
        codes: integer weight; None for ``half`` and ``float``.
        shift: ``(outputs,)`` float64, what corrected the bias for the error of the codes; 0 where nothing did.
    """

    mode: Mode
    weights: LayerWeights
    codes: Codes | WideWeights | None
    shift: Array | float = 0.0


class _Writer:
    def __init__(
        self,
        model: onnx.ModelProto,
        placement: Placement,
        codes: Mapping[str, Code],
        layers: Mapping[str, Layer],
    ) -> None:
        self.view, self.placement, self.layers = GraphView(model), placement, layers
        self.codes = {name: codes[placement.same_code.get(name, name)] for name in placement.coded}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}
        self.made: set[str] = set()
        self.pictures: dict[str, str] = {}

    def add(self, operator: str, inputs: list[str], output: str, **attributes: int) -> str:
        """Adds a node, once for each output name."""
        if output not in self.made:
            self.made.add(output)
            self.nodes.append(_node(operator, inputs, output, attributes))
        return output

    def const(self, name: str, array: Array) -> str:
        """Adds an initialiser."""
        self.constants[name] = constant(name, array)
        return name

    def bytes_of(self, name: str) -> str:
        """The uint8 tensor of a coded tensor."""
        return self.pictures.get(name, f"{name}.q")

    def affine(self, name: str) -> list[str]:
        """Initialisers of the scale and zero point of a tensor with uint8 codes."""
        code = self.codes[name]
        assert isinstance(code, Affine)
        scale = self.const(f"{name}.s", np.asarray(code.scale, np.float32))
        return [scale, self.const(f"{name}.z", np.asarray(code.zero_point, np.uint8))]

    def encode(self, name: str, source: str) -> None:
        """Quantises ``source`` (the float value) as the coded tensor ``name``."""
        pair = self.affine(name)
        self.add("QuantizeLinear", [source, *pair], f"{name}.q")
        self.add("DequantizeLinear", [f"{name}.q", *pair], f"{name}.d")

    def whole(self, name: str) -> str:
        """``code - zero_point`` of a coded tensor as float32."""
        code = self.codes[name]
        if isinstance(code, Fine):
            return f"{name}.i"
        floats = self.add("Cast", [self.bytes_of(name)], f"{name}.i", to=onnx.TensorProto.FLOAT)
        if code.zero_point == 0:
            return floats
        zero = self.const(f"{name}.iz", np.asarray(code.zero_point, np.float32))
        return self.add("Sub", [floats, zero], f"{name}.c")

    def real(self, name: str) -> str:
        """The value of a coded tensor for an operator that must not read a DequantizeLinear."""
        scale = self.const(f"{name}.rs", np.asarray(self.codes[name].scale, np.float32))
        return self.add("Mul", [self.whole(name), scale], f"{name}.r")

    def copy(self, node: onnx.NodeProto) -> None:
        """Writes a node that is no layer; it reads the values of coded tensors."""
        made = copy_node(node)
        unfused = node.op_type in _TRAPPED or node.output[0] in self.placement.apart
        for position, name in enumerate(made.input):
            if name in self.codes:
                made.input[position] = self.real(name) if unfused else f"{name}.d"
        self.nodes.append(made)


def _node(operator: str, inputs: list[str], output: str, attributes: Mapping[str, int]) -> onnx.NodeProto:
    node = helper.make_node(operator, inputs, [output])
    node.attribute.extend(helper.make_attribute(name, attributes[name]) for name in sorted(attributes))
    return node


def write_qdq(
    model: onnx.ModelProto, placement: Placement, codes: Mapping[str, Code], layers: Mapping[str, Layer]
) -> onnx.ModelProto:
    """The quantised model.

    Args:
        model: the normalised float graph that ``placement`` was made for.
        placement: where codes are.
        codes: code of every tensor of ``placement.own_code``: fine ones for ``placement.fine``.
        layers: layer name → what to write.
    """
    writer = _Writer(model, placement, codes, layers)
    for name in [n for n in writer.view.inputs if n in writer.codes]:
        writer.encode(name, name)
    for node in model.graph.node:
        _write_node(writer, node)
    return _assemble(model, writer)


def _write_node(writer: _Writer, node: onnx.NodeProto) -> None:
    name = node.output[0]
    if name in writer.placement.absorbed:
        source = writer.placement.absorbed[name]
        if writer.placement.modes.get(source) is not Mode.WIDE:  # a wide layer has encoded it already
            writer.encode(name, source)
        return
    if name in writer.pictures:
        return
    if _write_picture(writer, node):
        return
    if name in writer.layers:
        layer = writer.layers[name]
        if layer.mode is Mode.WIDE:
            _write_wide(writer, node, layer)
            return
        _write_layer(writer, node, layer)
    else:
        writer.copy(node)
    for output in node.output:
        if output in writer.codes:
            writer.encode(output, output)


def _write_layer(writer: _Writer, node: onnx.NodeProto, layer: Layer) -> None:
    if layer.mode is Mode.DYNAMIC:
        assert isinstance(layer.codes, Codes)
        source = node.input[0]
        source = f"{source}.d" if source in writer.codes else source
        write_dynamic(writer, node, source, layer.weights, layer.codes)
        return
    if layer.mode is Mode.INT8:
        data, parameters = f"{node.input[0]}.d", _int8_parameters(writer, node, layer)
    else:
        data, parameters = node.input[0], _float_parameters(writer, node.output[0], layer)
        if data in writer.codes:
            data = writer.real(data) if node.op_type in _TRAPPED else f"{data}.d"
    made = copy_node(node)
    del made.input[:]
    made.input.extend([data, *parameters])
    writer.nodes.append(made)


def _int8_parameters(writer: _Writer, node: onnx.NodeProto, layer: Layer) -> list[str]:
    name, codes, weights = node.output[0], layer.codes, layer.weights
    source = writer.codes[node.input[0]]
    assert isinstance(codes, Codes) and isinstance(source, Affine)
    stored = codes.codes.T if weights.transposed else codes.codes
    scale = writer.const(f"{name}.ws", codes.scale)
    zero = writer.const(f"{name}.wz", np.zeros(len(codes.scale), np.int8))
    whole = writer.const(f"{name}.wq", stored.astype(np.int8))
    weight = writer.add(
        "DequantizeLinear", [whole, scale, zero], f"{name}.wd", axis=1 if weights.transposed else 0
    )
    if weights.bias is None:
        return [weight]
    bias_scale = np.float32(source.scale) * codes.scale
    bias = np.rint(weights.bias / bias_scale.astype(np.float64))
    stored_bias = writer.const(f"{name}.bq", np.clip(bias, -(2**31), 2**31 - 1).astype(np.int32))
    pair = [stored_bias, writer.const(f"{name}.bs", bias_scale)]
    return [weight, writer.add("DequantizeLinear", pair, f"{name}.bd", axis=0)]


def _float_parameters(writer: _Writer, name: str, layer: Layer) -> list[str]:
    weights = layer.weights
    stored = weights.weight.T if weights.transposed else weights.weight
    bias = [] if weights.bias is None else [writer.const(f"{name}.b", weights.bias.astype(np.float32))]
    if layer.mode is Mode.HALF:
        half = writer.const(f"{name}.wh", stored.astype(np.float16))
        return [writer.add("Cast", [half], f"{name}.wd", to=onnx.TensorProto.FLOAT), *bias]
    if layer.mode in WEIGHT_BITS:
        assert isinstance(layer.codes, Codes)
        bits, codes = WEIGHT_BITS[layer.mode], layer.codes
        return [_scaled_integers(writer, name, codes.codes, codes.scale, weights, bits), *bias]
    return [writer.const(f"{name}.w", stored.astype(np.float32)), *bias]


def _scaled_integers(
    writer: _Writer, name: str, codes: Array, scale: Array, weights: LayerWeights, bits: int
) -> str:
    """Integer weight → float → times the channel's scale; the engine folds this when it loads the model."""
    shape = (1, -1) if weights.transposed else (-1, *[1] * (codes.ndim - 1))
    stored = codes.T if weights.transposed else codes
    if bits in _WHOLE:
        whole = writer.const(f"{name}.wq", stored.astype(_WHOLE[bits]))
        floats = writer.add("Cast", [whole], f"{name}.wf", to=onnx.TensorProto.FLOAT)
    else:
        floats = write_packed(writer, name, stored, bits)
    return writer.add("Mul", [floats, writer.const(f"{name}.ws", scale.reshape(shape))], f"{name}.wd")


def _write_wide(writer: _Writer, node: onnx.NodeProto, layer: Layer) -> None:
    """``whole numbers → float kernel → codes``, or a float value where the output is not coded."""
    name, wide = node.output[0], layer.codes
    assert isinstance(wide, WideWeights)
    weight = _scaled_integers(writer, name, wide.codes, wide.unit, layer.weights, 16)
    made = copy_node(node)
    del made.input[:]
    bias = [writer.const(f"{name}.b", wide.bias)] if layer.weights.bias is not None else []
    made.input.extend([writer.whole(node.input[0]), weight, *bias])
    target = next((o for o, i in writer.placement.absorbed.items() if i == name), name)
    if target not in writer.codes:
        writer.nodes.append(made)
        return
    sums = f"{name}.u"
    made.output[0] = sums
    writer.nodes.append(made)
    code = writer.codes[target]
    if isinstance(code, Fine):
        ends = [np.asarray(end, np.float32) for end in (code.lowest, code.highest)]
        clipped = [writer.const(f"{target}.{part}", end) for part, end in zip("lh", ends, strict=True)]
        writer.add("Round", [writer.add("Clip", [sums, *clipped], f"{target}.k")], f"{target}.i")
        return
    pair = writer.affine(target)
    one = writer.const(f"{target}.one", np.asarray(1, np.float32))
    writer.add("QuantizeLinear", [sums, one, pair[1]], f"{target}.q")
    writer.add("DequantizeLinear", [f"{target}.q", *pair], f"{target}.d")


def _write_picture(writer: _Writer, node: onnx.NodeProto) -> bool:
    """Where ``node`` takes a whole mean off the uint8 picture, pixels are codes already."""
    name = node.output[0]
    code = writer.codes.get(name)
    if node.op_type != "Sub" or code is None or picture_zero_point(writer.view, node) is None:
        return False
    cast = writer.view.producer[node.input[0]]
    writer.pictures[name] = cast.input[0]
    writer.add("DequantizeLinear", [cast.input[0], *writer.affine(name)], f"{name}.d")
    return True


def _assemble(model: onnx.ModelProto, writer: _Writer) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(model)
    kept = [tensor for tensor in made.graph.initializer if tensor.name not in writer.constants]
    fresh = [*writer.constants.values(), *kept]
    copies = [onnx.TensorProto() for _ in fresh]
    for copy, tensor in zip(copies, fresh, strict=True):
        copy.CopyFrom(tensor)
    del made.graph.initializer[:]
    made.graph.initializer.extend(copies)
    _name_outputs(made, writer)
    set_nodes(made.graph, writer.nodes)
    remove_dead(made)
    merge_constants(made, scalars_only=True)
    strip_metadata(made)
    return made


def _name_outputs(made: onnx.ModelProto, writer: _Writer) -> None:
    """A coded graph output is given dequantised, under its own name."""
    for name in [value.name for value in made.graph.output if value.name in writer.codes]:
        renamed = {name: f"{name}.f", f"{name}.d": name}
        for node in writer.nodes:
            for names in (node.input, node.output):
                for position, found in enumerate(names):
                    names[position] = renamed.get(found, found)
