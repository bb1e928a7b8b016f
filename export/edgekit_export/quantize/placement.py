"""Which operators compute in integers, and which tensors are therefore stored as uint8 codes.

A *layer* is an operator with a constant weight: Conv, Gemm, MatMul. It is named by its output tensor. Each
layer has a :class:`Mode`; the tensors between follow from the modes:

- a layer that reads or gives codes makes its input (and output, behind ReLU or Clip) a coded tensor;
- an operator that only moves or selects elements keeps the code of its input;
- a pointwise operator (Add, Mul, Concat, pooling) computes in integers where all it reads is coded and what it
  gives is wanted as codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import onnx

from edgekit_export.convert.graph import GraphView, attribute


class Mode(StrEnum):
    """How a layer computes and how its weight is stored."""

    INT8 = "int8"
    """uint8 × int8 → int32, requantised: the engine's integer kernels."""
    WIDE = "wide"
    """Codes and int16 weights as whole numbers in float kernels, every partial sum exact (see ``wide.py``)."""
    WEIGHT8 = "weight8"
    """int8 weight, expanded to float when the model is loaded; float activations."""
    WEIGHT4 = "weight4"
    """As ``weight8`` with weights of 4 bits, two a byte; so are ``weight5`` to ``weight16`` (see ``packed.py``)."""
    WEIGHT5 = "weight5"
    WEIGHT6 = "weight6"
    WEIGHT7 = "weight7"
    WEIGHT9 = "weight9"
    WEIGHT10 = "weight10"
    WEIGHT11 = "weight11"
    WEIGHT12 = "weight12"
    WEIGHT13 = "weight13"
    WEIGHT14 = "weight14"
    WEIGHT16 = "weight16"
    DYNAMIC = "dynamic"
    """int8 weight; the input is coded as it comes, each row by its own range (see ``write_dynamic.py``)."""
    HALF = "half"
    """float16 weight, expanded when the model is loaded; float activations."""
    FLOAT = "float"
    """float32 weight and activations."""


CODED = frozenset({Mode.INT8, Mode.WIDE})
WEIGHT_BITS = {Mode(f"weight{bits}"): bits for bits in (*range(4, 15), 16)}
"""Bits of a weight that is stored small and computed in float."""
LAYERS = frozenset({"Conv", "Gemm", "MatMul"})
MOVES = frozenset({"MaxPool", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Slice", "Resize"})
"""Resize where it is ``nearest``, see :func:`moves`."""
POINTWISE = frozenset({"Add", "Mul", "Concat", "GlobalAveragePool", "AveragePool"})
ACTIVATIONS = frozenset({"Relu", "Clip"})


@dataclass(slots=True)
class Placement:
    """Where codes are.

    Attributes:
        modes: layer name → mode.
        coded: coded tensors, in graph order; each is stored as the result of a QuantizeLinear, or moves codes.
        same_code: coded tensor → the tensor whose code it keeps.
        absorbed: output of a ReLU or Clip → its input: saturation of the code does what the node did.
        limits: coded tensor → largest value it can take, from an absorbed Clip.
        fine: coded tensors between wide layers only, which need not be uint8.
        apart: pointwise operators that compute in float although all around them is coded.
    """

    modes: dict[str, Mode]
    coded: list[str] = field(default_factory=list)
    same_code: dict[str, str] = field(default_factory=dict)
    absorbed: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    fine: list[str] = field(default_factory=list)
    apart: set[str] = field(default_factory=set)

    @property
    def own_code(self) -> list[str]:
        """Coded tensors that need a range of their own."""
        return [name for name in self.coded if name not in self.same_code]


def layers(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Operators with a constant weight, in graph order."""
    view = GraphView(model)
    return [n for n in model.graph.node if n.op_type in LAYERS and is_layer(view, n)]


def moves(node: onnx.NodeProto) -> bool:
    """Whether ``node`` only moves or selects elements, so that codes may go through it."""
    if node.op_type == "Resize":
        return bool(attribute(node, "mode", b"nearest") == b"nearest")
    return node.op_type in MOVES


def is_layer(view: GraphView, node: onnx.NodeProto) -> bool:
    """Whether ``node`` is a product of one computed tensor with a constant weight that has an integer kernel."""
    if node.op_type not in LAYERS or node.input[1] not in view.constants or node.input[0] in view.constants:
        return False
    rank = len(view.constants[node.input[1]].dims)
    if node.op_type == "Conv":
        return rank in (3, 4) and (len(node.input) < 3 or node.input[2] in view.constants)
    if node.op_type == "Gemm":
        plain = attribute(node, "alpha", 1.0) == 1.0 and attribute(node, "beta", 1.0) == 1.0
        return (
            plain
            and not attribute(node, "transA", 0)
            and (len(node.input) < 3 or node.input[2] in view.constants)
        )
    return rank == 2


def place(model: onnx.ModelProto, modes: Mapping[str, Mode]) -> Placement:
    """Places codes for the given modes.

    Args:
        model: a normalised float graph.
        modes: layer name → mode; layers that are not named stay in float.
    """
    view = GraphView(model)
    full = {n.output[0]: modes.get(n.output[0], Mode.FLOAT) for n in layers(model)}
    placed = Placement(full)
    wanted = _wanted(model, view, placed)
    _absorb(model, view, placed, wanted)
    _list_coded(model, view, placed, wanted)
    placed.fine = [name for name in placed.own_code if _is_fine(view, placed, name)]
    return placed


def _is_fine(view: GraphView, placed: Placement, name: str) -> bool:
    """Whether a wide layer makes ``name`` and only wide layers read it, as data."""
    maker = placed.absorbed.get(name, name)
    readers = view.consumers.get(name, [])
    return (
        placed.modes.get(maker) is Mode.WIDE
        and name not in view.outputs
        and bool(readers)
        and all(placed.modes.get(n.output[0]) is Mode.WIDE and n.input[0] == name for n in readers)
    )


def _wanted(model: onnx.ModelProto, view: GraphView, placed: Placement) -> set[str]:
    """Tensors to be coded: next to layers first, then through pointwise operators until nothing changes."""
    wanted: set[str] = set()
    for node in model.graph.node:
        mode = placed.modes.get(node.output[0])
        if mode in CODED:
            wanted.add(node.input[0])
            if (
                mode is Mode.INT8 and node.op_type == "Conv"
            ):  # the integer kernel gives codes; others can give floats
                wanted.add(behind_activation(view, node.output[0]))
    pointwise = [n for n in model.graph.node if n.op_type in POINTWISE]
    changed = True
    while changed:
        before = len(wanted)
        for node in pointwise:
            ending = behind_activation(view, node.output[0])
            computed = [name for name in node.input if name and name not in view.constants]
            if len(computed) == len([n for n in node.input if n]) and ending in wanted:
                wanted.update(name for name in computed if _makes_codes(view, placed, name, wanted))
        for node in model.graph.node:
            if moves(node) and node.output[0] in wanted:
                wanted.add(node.input[0])
        changed = len(wanted) != before
    return {name for name in wanted if name not in view.constants}


def _makes_codes(view: GraphView, placed: Placement, name: str, wanted: set[str]) -> bool:
    """Whether coding ``name`` costs nothing: its maker is an integer layer or reads codes already."""
    maker = view.producer.get(name)
    while maker is not None and (maker.op_type in ACTIVATIONS or moves(maker)):
        maker = view.producer.get(maker.input[0])
    if maker is None:
        return False
    return placed.modes.get(maker.output[0]) in CODED or (
        maker.op_type in POINTWISE and maker.input[0] in wanted
    )


def behind_activation(view: GraphView, name: str) -> str:
    """The ReLU or Clip output that alone uses ``name``, else ``name``."""
    user = view.only_consumer(name)
    return user.output[0] if user is not None and _ceiling(view, user) is not None else name


def _ceiling(view: GraphView, node: onnx.NodeProto) -> float | None:
    """Upper bound of a node that clips below at zero; inf for ReLU; None for anything else."""
    if node.op_type == "Relu":
        return float("inf")
    if node.op_type != "Clip" or len(node.input) < 2 or view.scalar(node.input[1]) != 0.0:
        return None
    if len(node.input) < 3 or not node.input[2]:
        return float("inf")
    ceiling = view.scalar(node.input[2])
    return ceiling if ceiling is not None and ceiling > 0 else None


def _absorb(model: onnx.ModelProto, view: GraphView, placed: Placement, wanted: set[str]) -> None:
    for node in model.graph.node:
        ceiling = _ceiling(view, node)
        if ceiling is None or node.output[0] not in wanted or view.only_consumer(node.input[0]) is None:
            continue
        if node.input[0] in view.inputs or node.input[0] in wanted:
            continue
        placed.absorbed[node.output[0]] = node.input[0]
        if ceiling != float("inf"):
            placed.limits[node.output[0]] = ceiling


def _list_coded(model: onnx.ModelProto, view: GraphView, placed: Placement, wanted: set[str]) -> None:
    placed.coded = [name for name in view.inputs if name in wanted]
    for node in model.graph.node:
        for name in node.output:
            if name in wanted:
                placed.coded.append(name)
                if moves(node) and node.input[0] in wanted:
                    placed.same_code[name] = placed.same_code.get(node.input[0], node.input[0])
