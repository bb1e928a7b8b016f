"""Reading and editing an ONNX graph: who makes a tensor, who uses it, what is constant.

A :class:`GraphView` is a snapshot of the wiring. A pass that edits takes a fresh one afterwards; the graphs of
small models have at most a few thousand nodes, so a snapshot costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edgekit.types import Array


class GraphView:
    """Wiring of the top-level graph of a model.

    Attributes:
        graph: the graph itself; edits go through it.
        producer: tensor name → the node that makes it.
        consumers: tensor name → nodes that read it, in graph order (a node once for each use).
        constants: initialiser name → its tensor.
        inputs: names of the graph's real inputs (initialisers excepted).
        outputs: names of the graph's outputs.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.producer = {name: node for node in self.graph.node for name in node.output if name}
        self.consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.graph.node:
            for name in node.input:
                if name:
                    self.consumers.setdefault(name, []).append(node)
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.inputs = [v.name for v in self.graph.input if v.name not in self.constants]
        self.outputs = [v.name for v in self.graph.output]

    def value(self, name: str) -> Array | None:
        """The array of an initialiser, or None where ``name`` is computed."""
        tensor = self.constants.get(name)
        return None if tensor is None else numpy_helper.to_array(tensor)

    def scalar(self, name: str) -> float | None:
        """The value of a one-element initialiser, else None."""
        array = self.value(name)
        return float(array.reshape(-1)[0]) if array is not None and array.size == 1 else None

    def only_consumer(self, name: str) -> onnx.NodeProto | None:
        """The node that alone reads ``name``, or None where several do or it is a graph output."""
        users = self.consumers.get(name, [])
        return users[0] if len(users) == 1 and name not in self.outputs else None

    def uses(self, name: str) -> int:
        """How often ``name`` is read, a graph output counting as one."""
        return len(self.consumers.get(name, [])) + (name in self.outputs)


def attribute(node: onnx.NodeProto, name: str, default: Any = None) -> Any:  # noqa: ANN401 (any ONNX type)
    """Value of an attribute of ``node``, or ``default`` where it is not set."""
    for item in node.attribute:
        if item.name == name:
            return helper.get_attribute_value(item)
    return default


def constant(name: str, array: Array) -> onnx.TensorProto:
    """An initialiser with raw data in C order."""
    return numpy_helper.from_array(np.asarray(array, order="C"), name)


def replace_input(nodes: Iterable[onnx.NodeProto], old: str, new: str) -> None:
    """Makes every node of ``nodes`` that reads ``old`` read ``new``."""
    for node in nodes:
        for position, name in enumerate(node.input):
            if name == old:
                node.input[position] = new


def remove_nodes(graph: onnx.GraphProto, gone: Sequence[onnx.NodeProto]) -> None:
    """Takes nodes out of the graph; the others stay the objects they are."""
    ids = {id(node) for node in gone}
    for position in [i for i, node in enumerate(graph.node) if id(node) in ids][::-1]:
        del graph.node[position]


def set_nodes(graph: onnx.GraphProto, nodes: Sequence[onnx.NodeProto]) -> None:
    """Makes ``nodes`` the nodes of the graph, in that order."""
    kept = [copy_node(node) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)


def copy_node(node: onnx.NodeProto) -> onnx.NodeProto:
    """An independent copy of a node."""
    made = onnx.NodeProto()
    made.CopyFrom(node)
    return made


def set_constants(graph: onnx.GraphProto, constants: Sequence[onnx.TensorProto]) -> None:
    """Makes ``constants`` the initialisers of the graph, in that order."""
    kept = list(constants)
    copies = []
    for tensor in kept:
        made = onnx.TensorProto()
        made.CopyFrom(tensor)
        copies.append(made)
    del graph.initializer[:]
    graph.initializer.extend(copies)


def fresh_name(taken: set[str], wanted: str) -> str:
    """``wanted``, or ``wanted`` with the first free number; the result is added to ``taken``."""
    name, count = wanted, 1
    while name in taken:
        count += 1
        name = f"{wanted}.{count}"
    taken.add(name)
    return name


def tensor_names(model: onnx.ModelProto) -> set[str]:
    """Every tensor name in use."""
    graph = model.graph
    names = {t.name for t in graph.initializer} | {v.name for v in [*graph.input, *graph.output]}
    return names.union(*(set(n.input) | set(n.output) for n in graph.node)) if graph.node else names


def topological_order(graph: onnx.GraphProto) -> None:
    """Sorts the nodes so that each follows what it reads; among the ready ones, graph order is kept."""
    known = {t.name for t in graph.initializer} | {v.name for v in graph.input} | {""}
    waiting, ordered = list(graph.node), []
    while waiting:
        later = []
        for node in waiting:
            if all(name in known for name in node.input):
                ordered.append(node)
                known.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise ValueError(f"graph has a cycle or an unknown tensor at node {later[0].output[0]!r}")
        waiting = later
    set_nodes(graph, ordered)
