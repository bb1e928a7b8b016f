"""Nodes and weights of one graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from edgekit.types import I8, Array
from edgekit_export.language.weights_file import WeightsFile

CONTRIB = "com.microsoft"
_OPSETS = (("", 21), (CONTRIB, 1))
_IR_VERSION = 10
_INLINE_BYTES = 1024
"""Smaller constants stay in the graph: shape arithmetic wants to read them."""


class GraphWriter:
    """Collects what a graph consists of; big constants go to the weights' file at once.

    Args:
        weights: shared by the graphs of a variant.
    """

    def __init__(self, weights: WeightsFile) -> None:
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._made: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether a node gives it already."""
        return name in self._made

    def add(
        self,
        operator: str,
        inputs: Sequence[str],
        outputs: str | Sequence[str],
        domain: str = "",
        **attributes: object,
    ) -> str:
        """Writes a node; gives its first output."""
        names = [outputs] if isinstance(outputs, str) else list(outputs)
        given = {key: value for key, value in attributes.items() if value is not None}
        self._nodes.append(
            helper.make_node(operator, list(inputs), names, name=names[0], domain=domain, **given)
        )
        self._made.update(names)
        return names[0]

    def constant(self, name: str, array: Array, key: str = "", rows: tuple[int, int] | None = None) -> str:
        """Writes a constant once and gives its name; see :meth:`WeightsFile.tensor` for ``key`` and ``rows``."""
        if name not in self._constants:
            if array.nbytes < _INLINE_BYTES and not key:
                self._constants[name] = numpy_helper.from_array(np.asarray(array, order="C"), name)
            else:
                self._constants[name] = self._weights.tensor(name, array, key, rows)
        return name

    def nibbles(self, name: str, codes: I8) -> str:
        """Writes a constant of 4-bit integers; see :meth:`WeightsFile.nibbles`."""
        self._constants[name] = self._weights.nibbles(name, codes)
        return name

    def branch(self) -> GraphWriter:
        """A writer of nodes that only run on one side of an ``If``; they read what is here, and constants go here."""
        made = GraphWriter(self._weights)
        made._constants = self._constants
        return made

    def choose(self, condition: str, name: str, then: GraphWriter, other: GraphWriter) -> None:
        """Writes an ``If``.

        Args:
            condition: a bool of one element.
            name: what it gives; the branches call theirs ``{name}.then`` and ``{name}.else``.
            then, other: where the condition holds, and where it does not.
        """
        graphs = {
            f"{side}_branch": helper.make_graph(
                branch._nodes, f"{name}.{side}", [], [onnx.ValueInfoProto(name=f"{name}.{side}")]
            )
            for side, branch in (("then", then), ("else", other))
        }
        self.add("If", [condition], name, **graphs)

    def model(
        self,
        name: str,
        inputs: Sequence[onnx.ValueInfoProto],
        outputs: Sequence[onnx.ValueInfoProto],
    ) -> onnx.ModelProto:
        """The graph."""
        graph = helper.make_graph(self._nodes, name, inputs, outputs, list(self._constants.values()))
        opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
        return helper.make_model(graph, producer_name="edgekit", opset_imports=opsets, ir_version=_IR_VERSION)
