"""Pass: a converter's graph gets short unique names, those that the bundle's head reads, and no scale in front."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from edgekit.errors import ModelError
from edgekit_export.tflite.flatbuffer import Graph, indices, read_tflite, write_tflite
from edgekit_export.tflite.fold_scale import fold_scale

SIGNATURE = b"serving_default"


def tidy(data: bytes, inputs: Sequence[str], outputs: Sequence[str], *, cut: bool = False) -> bytes:
    """The same graph; tensors are named by the operator that makes them and its number, as ``conv_2d0``.

    Args:
        data: a TFLite file of one graph and one signature.
        inputs: names of the inputs, in the signature's order.
        outputs: names of the outputs, in the signature's order.
        cut: end before the softmax that the only output comes from; the bundle's head applies it.

    Raises:
        ModelError: it has an operator that plain TFLite has not, another number of outputs, or no softmax to cut.
    """
    graph = read_tflite(data, "model.tflite")
    _refuse_foreign(graph)
    signature = graph.model.signatureDefs[0]
    given = sorted(signature.outputs, key=lambda entry: _position(entry.name))
    taken = sorted(signature.inputs, key=lambda entry: _position(entry.name))
    if len(taken) != len(inputs):
        raise ModelError(
            f"the TFLite graph takes {len(taken)} inputs, expected {len(inputs)}: {', '.join(inputs)}"
        )
    if len(given) != len(outputs):
        raise ModelError(
            f"the network gives {len(given)} outputs, expected {len(outputs)}: {', '.join(outputs)}"
        )
    if cut:
        _cut_softmax(graph)
    fold_scale(graph)
    _name_tensors(graph)
    signature.signatureKey = SIGNATURE
    for entry, name in zip(taken, inputs, strict=True):
        entry.name = name.encode()
        graph.rename(int(entry.tensorIndex), name)
    for entry, name in zip(given, outputs, strict=True):
        entry.name = name.encode()
        graph.rename(int(entry.tensorIndex), name)
    graph.model.metadata, graph.model.description = [], b"edgekit"
    return write_tflite(graph)


def _cut_softmax(graph: Graph) -> None:
    last = graph.producer(graph.outputs[0])
    if len(graph.outputs) != 1 or last is None or graph.kind(last) != "SOFTMAX":
        kind = "nothing" if last is None else graph.kind(last)
        raise ModelError(f"the TFLite graph ends in {kind}, expected the softmax that the ONNX graph ends in")
    graph.main.outputs = np.array([last.inputs[0]], np.int32)
    graph.model.signatureDefs[0].outputs[0].tensorIndex = int(last.inputs[0])
    graph.remove(last)


def _position(name: bytes) -> int:
    """The converter numbers outputs: ``output_0``, ``output_1`` …"""
    return int(name.rpartition(b"_")[2])


def _refuse_foreign(graph: Graph) -> None:
    for operator in graph.operators:
        if not graph.is_builtin(operator):
            raise ModelError(
                f"the TFLite converter has no form for operator {graph.kind(operator)} but a custom one",
                "export it with --format onnx",
            )


def _name_tensors(graph: Graph) -> None:
    counts: Counter[str] = Counter()
    named: set[int] = set()
    for operator in graph.operators:
        kind = graph.kind(operator).lower()
        for tensor in indices(operator.outputs):
            graph.rename(tensor, f"{kind}{counts[kind]}")
            counts[kind] += 1
            named.add(tensor)
    for tensor in range(len(graph.main.tensors)):
        if tensor not in named:
            graph.rename(tensor, f"constant{counts['constant']}")
            counts["constant"] += 1
