"""Pass: transposes to channels-last and back, which networks of TensorFlow carry between layers, go.

Keras and TensorFlow keep channels last, ONNX's convolutions want them first: converters put a Transpose on either
side of each. What lies between two of them (sums with constants, activations, padding) does the same on planar
tensors, so the first one is moved behind it until both meet and cancel. Only then can a batch normalisation
written as Sub, Mul and Add join its convolution.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from edgekit_export.convert.graph import (
    GraphView,
    attribute,
    constant,
    copy_node,
    fresh_name,
    set_nodes,
    tensor_names,
)

TO_LAST = [0, 2, 3, 1]
TO_FIRST = [0, 3, 1, 2]
_ALONE = frozenset(
    {"Relu", "Sigmoid", "Tanh", "Clip", "LeakyRelu", "Elu", "HardSigmoid", "HardSwish", "Cast"}
)
_PAIRS = frozenset({"Add", "Sub", "Mul", "Div"})


def move_transposes(model: onnx.ModelProto) -> None:
    """Moves transposes to channels-last behind what can do without; nothing changes unless fewer are left.

    Constants that nobody reads any more stay for :func:`edgekit_export.convert.remove_dead.remove_dead`.
    """
    moved = _Moved(model)
    for node in model.graph.node:
        moved.take(node)
    moved.settle()
    before = sum(node.op_type == "Transpose" for node in model.graph.node)
    if sum(node.op_type == "Transpose" for node in moved.nodes) < before:
        set_nodes(model.graph, moved.nodes)
        model.graph.initializer.extend(moved.constants)
        del model.graph.value_info[:]


class _Moved:
    """The graph as it becomes, node by node.

    Attributes:
        nodes: so far.
        constants: new ones.
        planar: channels-last tensor of the old graph → the same with channels first, in the new one.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.planar: dict[str, str] = {}
        self._view = GraphView(model)
        self._taken = tensor_names(model)
        self._there: set[str] = set()

    def take(self, node: onnx.NodeProto) -> None:
        """Adds one node, on planar tensors where it can be."""
        perm = attribute(node, "perm") if node.op_type == "Transpose" else None
        if perm == TO_LAST:
            self.planar[node.output[0]] = node.input[0]
        elif perm == TO_FIRST and node.input[0] in self.planar:
            self.nodes.append(
                helper.make_node("Identity", [self.planar[node.input[0]]], [node.output[0]], node.name)
            )
        elif (inputs := self._planar_inputs(node)) is not None:
            made = copy_node(node)
            del made.input[:]
            made.input.extend(inputs)
            if node.op_type == "ReduceMean" and not attribute(node, "keepdims", 1):
                self.nodes.append(made)  # what is left has no axes to swap
                return
            made.output[0] = fresh_name(self._taken, f"{node.output[0]}.planar")
            self.planar[node.output[0]] = made.output[0]
            self.nodes.append(made)
        else:
            for name in node.input:
                self._bring(name)
            self.nodes.append(copy_node(node))

    def settle(self) -> None:
        """Gives the graph's outputs the layout that they had."""
        for name in self._view.outputs:
            self._bring(name)

    def _bring(self, name: str) -> None:
        """Makes the channels-last tensor ``name`` itself, once, for a node that needs it so."""
        if name in self.planar and name not in self._there:
            self._there.add(name)
            self.nodes.append(helper.make_node("Transpose", [self.planar[name]], [name], perm=TO_LAST))

    def _planar_inputs(self, node: onnx.NodeProto) -> list[str] | None:
        """What a node reads when it computes on planar tensors; None where it cannot."""
        names = list(node.input)
        if node.op_type in _ALONE and names[0] in self.planar:
            return [self.planar[names[0]], *names[1:]]
        if node.op_type in _PAIRS and any(name in self.planar for name in names):
            found = [self.planar.get(name) or self._turned(name) for name in names]
            return None if None in found else [name for name in found if name is not None]
        if node.op_type == "Pad" and names[0] in self.planar and not any(names[3:]):
            pads = self._view.value(names[1])
            if pads is not None and pads.size == 8:
                return [
                    self.planar[names[0]],
                    self._new(names[1], pads.reshape(2, 4)[:, TO_FIRST].reshape(-1)),
                    *names[2:3],
                ]
        if node.op_type == "ReduceMean" and names[0] in self.planar and len(names) > 1:
            axes = self._view.value(names[1])
            if axes is not None and sorted(axes.reshape(-1) % 4) == [1, 2]:
                return [self.planar[names[0]], self._new(names[1], np.array([2, 3], np.int64))]
        return None

    def _turned(self, name: str) -> str | None:
        """A constant as it is added to planar tensors; None for a computed tensor."""
        array = self._view.value(name)
        if array is None or array.ndim > 4:
            return None
        if array.size == 1:
            return name
        whole = array.reshape((1,) * (4 - array.ndim) + array.shape)
        return self._new(name, whole.transpose(TO_FIRST))

    def _new(self, name: str, array: np.ndarray) -> str:
        made = constant(fresh_name(self._taken, f"{name}.planar"), array)
        self.constants.append(made)
        return str(made.name)
