"""Nodes and constants of an ONNX graph as a converter writes them."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import helper

from edgekit.types import Array
from edgekit_export.convert.graph import constant


class NodeWriter:
    """Collects what a graph will consist of.

    Attributes:
        nodes: in the order they were written.
        constants: name → tensor.
    """

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: object) -> None:
        """Writes a node."""
        self.nodes.append(helper.make_node(op, list(inputs), [output], **attributes))

    def constant(self, name: str, value: Array) -> str:
        """Writes a constant and gives its name."""
        self.constants[name] = constant(name, value)
        return name
