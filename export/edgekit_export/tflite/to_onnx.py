"""A float TFLite file as ONNX: the same inputs and outputs, but pictures come in planar (NCHW)."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import TensorProto, helper

from edgekit.errors import ModelError
from edgekit_export.tflite.flatbuffer import Graph, indices
from edgekit_export.tflite.onnx_operators import INTERLEAVED, OPERATORS, PLANAR, Writer

OPSET = 18
IR_VERSION = 9
_EXPANDS = "DEQUANTIZE"  # of float16 constants, which are read through


def tflite_to_onnx(graph: Graph, image: str, outputs: Sequence[str]) -> onnx.ModelProto:
    """Converts a graph of one picture.

    Args:
        graph: of float32, its weights float32 or float16.
        image: name of the input.
        outputs: names of the outputs, in the graph's order. They have TFLite's shapes.

    Raises:
        ModelError: it is quantised, keeps weights sparsely, or has operators that are not known here; all are named.
    """
    _refuse_others(graph)
    writer = Writer(graph)
    (source,) = graph.inputs
    shape = writer.shape(source)
    writer.names[source] = image
    for tensor, name in zip(graph.outputs, outputs, strict=True):
        if len(writer.shape(tensor)) != 4 and tensor != source:
            writer.names[tensor] = name
    for operator in graph.operators:
        if graph.kind(operator) != _EXPANDS:
            OPERATORS[graph.kind(operator)](writer, operator)
    for tensor, name in zip(graph.outputs, outputs, strict=True):
        if len(writer.shape(tensor)) == 4:
            writer.add("Transpose", [writer.names[tensor]], name, perm=INTERLEAVED)
        elif writer.names[tensor] != name:  # given twice
            writer.add("Identity", [writer.names[tensor]], name)
    planar = [shape[axis] for axis in PLANAR]
    made = helper.make_model(
        helper.make_graph(
            writer.nodes,
            "graph",
            [helper.make_tensor_value_info(image, TensorProto.FLOAT, planar)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
            list(writer.constants.values()),
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    typed = onnx.shape_inference.infer_shapes(made, strict_mode=True)
    onnx.checker.check_model(typed)
    return typed


def _refuse_others(graph: Graph) -> None:
    kinds = {graph.kind(operator) for operator in graph.operators}
    if unknown := sorted(kinds - OPERATORS.keys() - {_EXPANDS}):
        raise ModelError(f"TFLite operators that are not converted to ONNX: {', '.join(unknown)}")
    for operator in graph.operators:
        read = [i for i in indices(operator.inputs) if graph.constant(i) is None]
        computed = graph.kind(operator) == _EXPANDS and read
        if computed or any(graph.dtype(i) in ("int8", "uint8") for i in indices(operator.inputs)):
            raise ModelError(
                f"{graph.kind(operator)} {graph.name(int(operator.outputs[0]))}: computes with codes of integers",
                "the file is quantised already, or keeps weights sparsely: it is wrapped as it is",
            )
