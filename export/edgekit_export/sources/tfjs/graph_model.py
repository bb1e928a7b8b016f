"""Reading a TensorFlow.js graph model: ``model.json`` with the graph, and the weights' files beside it.

The format is TensorFlow's GraphDef as JSON (texts in base64, integers as texts) and a list of weights that lie one
after the other (tensorflow/tfjs, ``tfjs-core/src/io/types.ts``).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from edgekit.errors import ModelError
from edgekit.types import Array

_STORED = {"float32": "<f4", "float16": "<f2", "int32": "<i4"}


class _Quantization(msgspec.Struct):
    dtype: str


class _Weight(msgspec.Struct):
    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: _Quantization | None = None


class _Group(msgspec.Struct):
    paths: tuple[str, ...]
    weights: tuple[_Weight, ...]


class _Node(msgspec.Struct):
    name: str
    op: str
    input: tuple[str, ...] = ()
    attr: dict[str, Any] = msgspec.field(default_factory=dict)


class _Topology(msgspec.Struct):
    node: tuple[_Node, ...]


class _ModelJson(msgspec.Struct, rename="camel"):
    model_topology: _Topology
    weights_manifest: tuple[_Group, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: its name, which is its first output's too, type, inputs and attributes as TensorFlow has them."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class GraphModel:
    """A graph and its constants.

    Attributes:
        nodes: name → operator, constants excepted.
        constants: name → value; float16 weights as float32.
    """

    nodes: Mapping[str, Node]
    constants: Mapping[str, Array]


def read_graph_model(data: bytes, name: str, beside: Callable[[str], bytes]) -> GraphModel:
    """Parses ``model.json`` and its weights.

    Args:
        data: the JSON file.
        name: what to call it in messages.
        beside: gives a weights' file by the path that the JSON file names.

    Raises:
        ModelError: it is no graph model, is damaged, or stores weights in a way that is not known here.
    """
    try:
        content = msgspec.json.decode(data, type=_ModelJson)
        nodes = {
            node.name: Node(node.name, node.op, _data_inputs(node), _attributes(node))
            for node in content.model_topology.node
            if node.op != "Const"
        }
    except (msgspec.DecodeError, binascii.Error, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{name}: is no TensorFlow.js graph model: {error}") from error
    constants: dict[str, Array] = {}
    for group in content.weights_manifest:
        stored = b"".join(beside(path) for path in group.paths)
        constants.update(_weights(group, stored, name))
    return GraphModel(nodes, constants)


def _data_inputs(node: _Node) -> tuple[str, ...]:
    return tuple(name.removesuffix(":0") for name in node.input if not name.startswith("^"))


def _attributes(node: _Node) -> dict[str, Any]:
    return {key: _value(value) for key, value in node.attr.items()}


def _value(value: Mapping[str, Any]) -> Any:  # noqa: ANN401 (whatever TensorFlow stores)
    """A Python value of an attribute: text, bool, number, or a list of them; what else there is stays as it is."""
    if "s" in value:
        return base64.b64decode(value["s"], validate=True).decode("utf-8", "replace")
    if "b" in value:
        return value["b"]
    if "i" in value:
        return int(value["i"])
    if "list" in value:
        kind, items = next(iter(value["list"].items()), ("i", ()))
        return [_value({kind: item}) for item in items]
    return value


def _weights(group: _Group, stored: bytes, name: str) -> dict[str, Array]:
    found: dict[str, Array] = {}
    start = 0
    for weight in group.weights:
        kind = weight.quantization.dtype if weight.quantization else weight.dtype
        if kind not in _STORED or (weight.quantization and kind != "float16"):
            raise ModelError(
                f"{name}: weight {weight.name} is stored as {kind}", "expected float32, float16 or int32"
            )
        count = int(np.prod(weight.shape, dtype=np.int64))
        size = count * np.dtype(_STORED[kind]).itemsize
        if start + size > len(stored):
            raise ModelError(f"{name}: weight {weight.name} ends at byte {start + size} of {len(stored)}")
        values = np.frombuffer(stored, _STORED[kind], count, start).reshape(weight.shape)
        found[weight.name] = values.astype(np.float32) if kind == "float16" else values
        start += size
    if start != len(stored):
        raise ModelError(f"{name}: {len(stored)} bytes of weights, expected {start}")
    return found
