"""A TFLite file of one graph, written operator by operator: for graphs that we make, not ones that we convert.

Weights lie behind the flatbuffer, at multiples of 16 bytes (``Buffer.offset`` and ``size`` of the schema, version 3):
so they are copied once, and a file of gigabytes takes little memory beside its own bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit.bundle.tflite_model import IDENTIFIER
from edgekit.types import Array
from edgekit_export.tflite.flatbuffer import ALIGNMENT_BYTES, Builder, schema

_PLACE = 1 << 60
"""Where a weight lies until that is known; 0 and 1 would not be written."""

_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int64": schema.TensorType.INT64,
    "int32": schema.TensorType.INT32,
    "int8": schema.TensorType.INT8,
    "bool": schema.TensorType.BOOL,
}


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the graph: its number, and its shape with ``None`` for the side that a caller chooses."""

    index: int
    shape: tuple[int | None, ...]
    dtype: str


class GraphWriter:
    """Collects tensors and operators, in the order they run, and writes the file."""

    def __init__(self) -> None:
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: dict[tuple[str, int], int] = {}
        self._data: list[Array] = []
        self._same: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    def tensor(self, name: str, shape: Sequence[int | None], dtype: str = "float32") -> Value:
        """Adds a tensor that is given or computed; a ``None`` side is 1 until a caller resizes it."""
        made = schema.TensorT()
        made.name, made.type, made.buffer, made.hasRank = name.encode(), _TYPES[dtype], 0, True
        made.shape = np.array([1 if side is None else side for side in shape], np.int32)
        if None in shape:
            made.shapeSignature = np.array([-1 if side is None else side for side in shape], np.int32)
        self._tensors.append(made)
        return Value(len(self._tensors) - 1, tuple(shape), dtype)

    def constant(self, name: str, values: Array) -> Value:
        """Adds a constant, as it is stored; int8 are codes of whole numbers.

        The values are not copied, so they must stay as they are until :meth:`finish`.
        """
        self._data.append(values)
        return self._stored(name, values.shape, str(values.dtype), len(self._data))

    def view(self, constant: Value, shape: Sequence[int]) -> Value:
        """The same stored values in another shape, as one more tensor."""
        tensor = self._tensors[constant.index]
        return self._stored(tensor.name.decode() + ".view", shape, constant.dtype, tensor.buffer)

    def _stored(self, name: str, shape: Sequence[int], dtype: str, buffer: int) -> Value:
        value = self.tensor(name, shape, dtype)
        made = self._tensors[value.index]
        made.buffer = buffer
        if dtype == "int8":
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.ones(1, np.float32)
            made.quantization.zeroPoint = np.zeros(1, np.int64)
        return value

    def small(self, values: Array) -> Value:
        """A constant of few numbers, written once however often it is asked for."""
        key = (str(values.dtype), values.shape, values.tobytes())
        if key not in self._same:
            self._same[key] = self.constant(f"constant{len(self._same)}", values)
        return self._same[key]

    def add(
        self,
        kind: str,
        inputs: Sequence[Value],
        outputs: Sequence[Value],
        options: Mapping[str, Any] | None = None,
        *,
        version: int = 1,
    ) -> None:
        """Adds an operator.

        Args:
            kind: the operator's name in the schema, such as ``FULLY_CONNECTED``.
            inputs, outputs: its tensors.
            options: fields of its options; those of ``{"": "MulOptions"}`` are the defaults of that class.
            version: the first that takes these types.
        """
        made = schema.OperatorT()
        key = (kind, version)
        made.opcodeIndex = self._codes.setdefault(key, len(self._codes))
        made.inputs = np.array([value.index for value in inputs], np.int32)
        made.outputs = np.array([value.index for value in outputs], np.int32)
        if options is not None:
            fields = dict(options)
            name = fields.pop("")
            made.builtinOptionsType = getattr(schema.BuiltinOptions, name)
            made.builtinOptions = getattr(schema, f"{name}T")()
            for field, value in fields.items():
                setattr(made.builtinOptions, field, value)
        self._operators.append(made)

    def finish(self, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> bytes:
        """The file: the same bytes for the same calls.

        Args:
            inputs, outputs: name in the signature ``serving_default`` → tensor, in the graph's order.
        """
        model = self._model(inputs, outputs)
        start = len(_packed(model))
        for buffer, values in zip(model.buffers[1:], self._data, strict=True):
            start += -start % ALIGNMENT_BYTES
            buffer.offset, buffer.size = start, values.nbytes
            start += values.nbytes
        made = bytearray(start)
        head = _packed(model)
        made[: len(head)] = head
        for buffer, values in zip(model.buffers[1:], self._data, strict=True):
            target = np.frombuffer(made, np.uint8, buffer.size, buffer.offset)
            target[:] = np.ascontiguousarray(values).reshape(-1).view(np.uint8)
        return bytes(made)

    def _model(self, inputs: Mapping[str, Value], outputs: Mapping[str, Value]) -> Any:  # noqa: ANN401
        graph, model, signature = schema.SubGraphT(), schema.ModelT(), schema.SignatureDefT()
        graph.name, graph.tensors, graph.operators = b"main", self._tensors, self._operators
        graph.inputs = np.array([value.index for value in inputs.values()], np.int32)
        graph.outputs = np.array([value.index for value in outputs.values()], np.int32)
        signature.signatureKey, signature.inputs = b"serving_default", _entries(inputs)
        signature.outputs = _entries(outputs)
        model.version, model.description, model.subgraphs = 3, b"edgekit", [graph]
        model.operatorCodes = [_code(kind, version) for kind, version in self._codes]
        model.signatureDefs = [signature]
        model.buffers = [schema.BufferT(), *(_far_buffer() for _ in self._data)]
        return model


def _entries(values: Mapping[str, Value]) -> list[Any]:
    found = []
    for name, value in values.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), value.index
        found.append(entry)
    return found


def _code(kind: str, version: int) -> Any:  # noqa: ANN401
    made = schema.OperatorCodeT()
    made.builtinCode = getattr(schema.BuiltinOperator, kind)
    made.deprecatedBuiltinCode, made.version = min(made.builtinCode, 127), version
    return made


def _far_buffer() -> Any:  # noqa: ANN401
    made = schema.BufferT()
    made.offset = made.size = _PLACE
    return made


def _packed(model: Any) -> bytes:  # noqa: ANN401
    builder = Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
