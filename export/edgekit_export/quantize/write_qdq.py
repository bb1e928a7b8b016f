"""Writing the quantised graph: QuantizeLinear and DequantizeLinear pairs in the patterns that engines fuse.

For each coded tensor one QuantizeLinear and one DequantizeLinear; for each integer layer a DequantizeLinear on
the int8 weight (a scale an output channel) and one on the int32 bias (``input scale × weight scale``). An
engine that fuses them computes in integers; one that does not computes the same in float.
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
from edgekit_export.quantize.placement import Mode, Placement
from edgekit_export.quantize.weights import Codes, LayerWeights
from edgekit_export.quantize.wide import wide_nodes


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What is written for one layer.

    Attributes:
        mode: how it computes.
        weights: its float parameters (after equalisation and corrections of the bias).
        codes: integer weight, None for ``half`` and ``float``.
    """

    mode: Mode
    weights: LayerWeights
    codes: Codes | None


class _Writer:
    def __init__(
        self, model: onnx.ModelProto, placement: Placement, codes: Mapping[str, Affine], layers: Mapping[str, Layer]
    ) -> None:
        self.view, self.placement, self.layers = GraphView(model), placement, layers
        self.codes = {
            name: codes[placement.same_code.get(name, name)] for name in placement.coded
        }
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.pictures: dict[str, str] = {}

    def add(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def const(self, name: str, array: Array) -> str:
        self.constants.append(constant(name, array))
        return name

    def read(self, name: str) -> str:
        """The name under which nodes read ``name``: its dequantised value where it is coded."""
        return f"{name}.d" if name in self.codes else name

    def coded(self, name: str) -> str:
        """The uint8 tensor of a coded tensor."""
        return self.pictures.get(name, f"{name}.q")

    def affine(self, name: str) -> list[str]:
        """Initialisers of the scale and zero point of a coded tensor."""
        code = self.codes[name]
        scale = self.const(f"{name}.s", np.asarray(code.scale, np.float32))
        return [scale, self.const(f"{name}.z", np.asarray(code.zero_point, np.uint8))]

    def encode(self, name: str, source: str) -> None:
        """Quantises ``source`` (the float value) as the coded tensor ``name``."""
        pair = self.affine(name)
        self.add("QuantizeLinear", [source, *pair], f"{name}.q")
        self.add("DequantizeLinear", [f"{name}.q", *pair], f"{name}.d")

    def copy(self, node: onnx.NodeProto) -> None:
        made = copy_node(node)
        for position, name in enumerate(made.input):
            made.input[position] = self.read(name)
        self.nodes.append(made)

    def layer(self, node: onnx.NodeProto, layer: Layer) -> None:
        """Writes one layer with its parameters."""
        if layer.mode is Mode.WIDE:
            wide_nodes(self, node, layer)
            return
        made, name = copy_node(node), node.output[0]
        if layer.mode is Mode.INT8:
            weight, bias = self._int8_parameters(node, layer)
        else:
            weight, bias = self._float_parameters(name, layer)
        del made.input[:]
        made.input.extend([self.read(node.input[0]), weight, *([bias] if bias else [])])
        self.nodes.append(made)

    def _int8_parameters(self, node: onnx.NodeProto, layer: Layer) -> tuple[str, str | None]:
        name, codes = node.output[0], layer.codes
        assert codes is not None
        axis = 1 if layer.weights.transposed else 0
        stored = codes.codes.T if layer.weights.transposed else codes.codes
        scale = self.const(f"{name}.ws", codes.scale)
        zero = self.const(f"{name}.wz", np.zeros(len(codes.scale), np.int8))
        weight = self.const(f"{name}.wq", stored.astype(np.int8))
        self.add("DequantizeLinear", [weight, scale, zero], f"{name}.wd", axis=axis)
        if layer.weights.bias is None:
            return f"{name}.wd", None
        bias_scale = bias_scales(self.codes[node.input[0]], codes)
        bias = np.rint(layer.weights.bias / bias_scale.astype(np.float64))
        stored_bias = np.clip(bias, -(2**31), 2**31 - 1).astype(np.int32)
        pair = [self.const(f"{name}.bq", stored_bias), self.const(f"{name}.bs", bias_scale)]
        self.add("DequantizeLinear", pair, f"{name}.bd", axis=0)
        return f"{name}.wd", f"{name}.bd"

    def _float_parameters(self, name: str, layer: Layer) -> tuple[str, str | None]:
        stored = layer.weights.weight.T if layer.weights.transposed else layer.weights.weight
        bias = layer.weights.bias
        bias_name = None if bias is None else self.const(f"{name}.b", bias.astype(np.float32))
        if layer.mode is Mode.HALF:
            half = self.const(f"{name}.wh", stored.astype(np.float16))
            return self.add("Cast", [half], f"{name}.wd", to=onnx.TensorProto.FLOAT), bias_name
        if layer.mode is Mode.WEIGHT8:
            assert layer.codes is not None
            transposed = layer.weights.transposed
            codes = layer.codes.codes.T if transposed else layer.codes.codes
            scale = layer.codes.scale.reshape(1, -1) if transposed else layer.codes.scale.reshape(
                -1, *[1] * (codes.ndim - 1)
            )
            whole = self.const(f"{name}.wq", codes.astype(np.int8))
            floats = self.add("Cast", [whole], f"{name}.wf", to=onnx.TensorProto.FLOAT)
            return self.add("Mul", [floats, self.const(f"{name}.ws", scale)], f"{name}.wd"), bias_name
        return self.const(f"{name}.w", stored.astype(np.float32)), bias_name


def bias_scales(code: Affine, weight: Codes) -> Array:
    """Scale of the int32 bias, ``(outputs,)`` float32: input scale times weight scale, as engines require."""
    return np.float32(code.scale) * weight.scale


def write_qdq(
    model: onnx.ModelProto, placement: Placement, codes: Mapping[str, Affine], layers: Mapping[str, Layer]
) -> onnx.ModelProto:
    """The quantised model.

    Args:
        model: the normalised float graph that ``placement`` was made for.
        placement: where codes are.
        codes: affine code of every tensor of ``placement.own_code``.
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
        if writer.placement.modes.get(source) is Mode.WIDE:
            return  # the wide layer has encoded it already
        writer.encode(name, source)
        return
    if name in writer.layers:
        writer.layer(node, writer.layers[name])
        if writer.layers[name].mode is Mode.WIDE:
            return
    elif _is_picture(writer, node):
        _picture_codes(writer, node)
        return
    else:
        writer.copy(node)
    for output in node.output:
        if output in writer.codes:
            writer.encode(output, output)


def _is_picture(writer: _Writer, node: onnx.NodeProto) -> bool:
    """Whether ``node`` is the subtraction of a whole mean from the uint8 picture: then pixels are codes."""
    name = node.output[0]
    code = writer.codes.get(name)
    return node.op_type == "Sub" and code is not None and picture_zero_point(writer.view, node) == code.zero_point


def picture_zero_point(view: GraphView, node: onnx.NodeProto) -> int | None:
    """The mean that ``Sub(Cast(uint8), mean)`` takes off, where it is one whole number 0–255; else None."""
    mean, cast = view.value(node.input[1]), view.producer.get(node.input[0])
    if node.op_type != "Sub" or mean is None or cast is None or cast.op_type != "Cast":
        return None
    first = float(mean.reshape(-1)[0])
    if (mean != first).any() or first != np.rint(first) or not 0 <= first <= 255:
        return None
    transpose = view.producer.get(cast.input[0])
    source = transpose.input[0] if transpose is not None and transpose.op_type == "Transpose" else cast.input[0]
    value = next((v for v in view.graph.input if v.name == source), None)
    if value is None or value.type.tensor_type.elem_type != onnx.TensorProto.UINT8:
        return None
    return int(first)


def _picture_codes(writer: _Writer, node: onnx.NodeProto) -> None:
    name, cast = node.output[0], writer.view.producer[node.input[0]]
    writer.pictures[name] = cast.input[0]
    writer.add("DequantizeLinear", [cast.input[0], *writer.affine(name)], f"{name}.d")


def _assemble(model: onnx.ModelProto, writer: _Writer) -> onnx.ModelProto:
    made = onnx.ModelProto()
    made.CopyFrom(model)
    del made.graph.initializer[:]
    made.graph.initializer.extend(_once([*writer.constants, *writer.view.constants.values()]))
    _name_outputs(made, writer)
    set_nodes(made.graph, writer.nodes)
    remove_dead(made)
    merge_constants(made, scalars_only=True)
    strip_metadata(made)
    return made


def _once(tensors: list[onnx.TensorProto]) -> list[onnx.TensorProto]:
    """The first tensor of each name: parameters that were written anew win over those of the float graph."""
    found: dict[str, onnx.TensorProto] = {}
    for tensor in tensors:
        found.setdefault(tensor.name, tensor)
    return list(found.values())


def _name_outputs(made: onnx.ModelProto, writer: _Writer) -> None:
    """A coded graph output is given dequantised, under its own name."""
    for value in made.graph.output:
        if value.name in writer.codes:
            name = value.name
            for node in writer.nodes:
                for names in (node.input, node.output):
                    for position, found in enumerate(names):
                        if found == name:
                            names[position] = f"{name}.f"
                        elif found == f"{name}.d":
                            names[position] = name
