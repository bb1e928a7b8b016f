"""TFLite files as objects, and back: the only file that imports the schema's classes.

Schema: tensorflow/lite/schema/schema.fbs, version 3. Weights are written inside the flatbuffer, each at a multiple
of 16 bytes (``force_align`` of the schema, which the generated Python ignores): kernels read them where they lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema  # the classes of the schema, for all modules

from edgekit.bundle.ranges import BytesRange
from edgekit.bundle.tflite_model import IDENTIFIER, check_tflite
from edgekit.errors import BundleError, ModelError
from edgekit.types import Array

ALIGNMENT_BYTES = 16

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_DTYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.FLOAT16: "float16",
    schema.TensorType.INT32: "int32",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT64: "int64",
    schema.TensorType.BOOL: "bool",
    schema.TensorType.INT16: "int16",
    schema.TensorType.INT8: "int8",
    schema.TensorType.FLOAT64: "float64",
}
"""Types that numpy has as well; strings, complex numbers and codes of less than a byte are not among them."""

_PACKED = {"int4": schema.TensorType.INT4, "int2": schema.TensorType.INT2}
"""Types of less than a byte, several codes in each."""

_TYPES = {name: code for code, name in _DTYPES.items()} | _PACKED

_OPTIONS = {"ADD": schema.AddOptionsT, "MUL": schema.MulOptionsT, "BATCH_MATMUL": schema.BatchMatMulOptionsT}
"""Operator → class of its options, of those that are added here and have any."""

_FUSED = {
    schema.ActivationFunctionType.NONE: "",
    schema.ActivationFunctionType.RELU: "RELU",
    schema.ActivationFunctionType.RELU6: "RELU6",
}


class Graph:
    """The main graph of a TFLite file, to read and to change. Tensors are known by their index, operators too.

    Attributes:
        model: the file's root object.
        main: its first subgraph, the one that an interpreter runs.
    """

    def __init__(self, model: Any) -> None:  # noqa: ANN401 (generated classes have no types)
        self.model = model
        self.main = model.subgraphs[0]

    @property
    def operators(self) -> list[Any]:
        """In the order they run."""
        return list(self.main.operators)

    @property
    def inputs(self) -> list[int]:
        """Tensors that a caller gives."""
        return [int(i) for i in self.main.inputs]

    @property
    def outputs(self) -> list[int]:
        """Tensors that a caller gets."""
        return [int(i) for i in self.main.outputs]

    def kind(self, operator: Any) -> str:  # noqa: ANN401
        """The operator's name in the schema, such as ``CONV_2D``; a custom one's own name."""
        name = self._builtin(operator)
        if name == "CUSTOM":
            return _text(self.model.operatorCodes[operator.opcodeIndex].customCode) or name
        return name

    def is_builtin(self, operator: Any) -> bool:  # noqa: ANN401
        """Whether every interpreter has the operator."""
        name = self._builtin(operator)
        return name != "CUSTOM" and not name.startswith(("STABLEHLO_", "operator "))

    def _builtin(self, operator: Any) -> str:  # noqa: ANN401
        code = self.model.operatorCodes[operator.opcodeIndex]
        number = max(code.builtinCode or 0, code.deprecatedBuiltinCode or 0)
        return _OPERATORS.get(number, f"operator {number}")

    def fused(self, operator: Any) -> str:  # noqa: ANN401
        """The activation that an operator ends with: ``RELU``, ``RELU6`` or nothing; another one by its number."""
        number = getattr(operator.builtinOptions, "fusedActivationFunction", 0)
        return str(_FUSED.get(number, f"activation {number}"))

    def pads_same(self, operator: Any) -> bool:  # noqa: ANN401
        """Whether a convolution or pooling pads as ``SAME`` does, else as ``VALID``."""
        return bool(operator.builtinOptions.padding == schema.Padding.SAME)

    def strides(self, operator: Any) -> tuple[int, int]:  # noqa: ANN401
        """Steps of a convolution or pooling, down and across."""
        return int(operator.builtinOptions.strideH), int(operator.builtinOptions.strideW)

    def name(self, tensor: int) -> str:
        """A tensor's name."""
        return _text(self.main.tensors[tensor].name)

    def rename(self, tensor: int, name: str) -> None:
        """Gives a tensor another name."""
        self.main.tensors[tensor].name = name.encode()

    def shape(self, tensor: int) -> tuple[int, ...]:
        """A tensor's shape; −1 where the file leaves it open."""
        found = self.main.tensors[tensor]
        shape = found.shapeSignature if found.shapeSignature is not None else found.shape
        return tuple(int(size) for size in shape) if shape is not None else ()

    def dtype(self, tensor: int) -> str:
        """A tensor's type as numpy names it, else as ``type 17``."""
        number = self.main.tensors[tensor].type
        return _DTYPES.get(number, f"type {number}")

    def constant(self, tensor: int) -> Array | None:
        """The values of a constant; ``None`` for one that is computed, stored sparsely, or of no numpy type."""
        found = self.main.tensors[tensor]
        buffer = self.model.buffers[found.buffer]
        dtype = _DTYPES.get(found.type)
        if buffer.data is None or not len(buffer.data) or dtype is None or found.sparsity is not None:
            return None
        raw = np.ascontiguousarray(buffer.data, np.uint8).tobytes()
        return np.frombuffer(raw, dtype).reshape(
            [int(s) for s in found.shape] if found.shape is not None else ()
        )

    def stored_bytes(self) -> dict[str, int]:
        """Type → bytes of the constants of it."""
        found: dict[str, int] = {}
        for buffer, dtype in {t.buffer: self.dtype(i) for i, t in enumerate(self.main.tensors)}.items():
            data = self.model.buffers[buffer].data
            found[dtype] = found.get(dtype, 0) + (0 if data is None else len(data))
        return found

    def set_constant(self, tensor: int, values: Array) -> None:
        """Replaces the values of a constant, of the type and shape it has; tensors that shared them keep theirs."""
        buffer = self.main.tensors[tensor].buffer
        if sum(other.buffer == buffer for other in self.main.tensors) > 1:
            buffer = self.main.tensors[tensor].buffer = len(self.model.buffers)
            self.model.buffers = [*self.model.buffers, schema.BufferT()]
        assert str(values.dtype) == self.dtype(tensor)
        self.model.buffers[buffer].data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)

    def set_scale(self, tensor: int, scale: Array) -> None:
        """Replaces the scales of a quantised tensor, float32; there are as many as before."""
        quantization = self.main.tensors[tensor].quantization
        assert len(quantization.scale) == len(scale)
        quantization.scale = scale.astype(np.float32)

    def scale(self, tensor: int) -> Array:
        """The scales of a tensor, float32; empty for one that is not quantised."""
        quantization = self.main.tensors[tensor].quantization
        found = None if quantization is None else quantization.scale
        return np.zeros(0, np.float32) if found is None else np.asarray(found, np.float32)

    def add_tensor(self, name: str, shape: Sequence[int], dtype: str = "float32") -> int:
        """Adds a tensor without values; ``dtype`` as numpy names it, or ``int4``, ``int2``."""
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name.encode(), np.int32(shape), _TYPES[dtype], 0
        self.main.tensors = [*self.main.tensors, made]
        return len(self.main.tensors) - 1

    def add_constant(
        self,
        name: str,
        values: Array,
        packed: tuple[str, Sequence[int]] | None = None,
        code: tuple[float, int] | None = None,
    ) -> int:
        """Adds a constant.

        Args:
            name: of its tensor.
            values: as they are stored.
            packed: type and shape where ``values`` are bytes that each hold several codes, the first one lowest.
            code: scale and zero point where it is quantised: ``real = (stored - zero_point) * scale``.
        """
        dtype, shape = packed or (str(values.dtype), values.shape)
        tensor = self.add_tensor(name, shape, dtype)
        made = self.main.tensors[tensor]
        made.buffer = len(self.model.buffers)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self.model.buffers = [*self.model.buffers, buffer]
        if code is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = np.array(code[:1], np.float32)
            made.quantization.zeroPoint = np.array(code[1:], np.int64)
        return tensor

    def insert(
        self,
        before: Any,  # noqa: ANN401
        kind: str,
        inputs: Sequence[int],
        output: int,
        *,
        version: int = 1,
        fused: int = 0,
    ) -> int:
        """Adds an operator in front of another one and returns ``output``; ``fused`` is the schema's number."""
        made = schema.OperatorT()
        made.opcodeIndex = self._opcode(kind, version)
        made.inputs, made.outputs = np.int32(inputs), np.int32([output])
        if kind in _OPTIONS:
            made.builtinOptions = _OPTIONS[kind]()
            made.builtinOptionsType = getattr(
                schema.BuiltinOptions, _OPTIONS[kind].__name__.removesuffix("T")
            )
            if fused:
                made.builtinOptions.fusedActivationFunction = fused
        place = next(i for i, other in enumerate(self.main.operators) if other is before)
        self.main.operators = [*self.main.operators[:place], made, *self.main.operators[place:]]
        return output

    def _opcode(self, kind: str, version: int) -> int:
        number = getattr(schema.BuiltinOperator, kind)
        for index, code in enumerate(self.model.operatorCodes):
            if (
                max(code.builtinCode or 0, code.deprecatedBuiltinCode or 0) == number
                and code.version == version
            ):
                return index
        made = schema.OperatorCodeT()
        made.builtinCode, made.deprecatedBuiltinCode, made.version = number, min(number, 127), version
        self.model.operatorCodes = [*self.model.operatorCodes, made]
        return len(self.model.operatorCodes) - 1

    def remove(self, operator: Any) -> None:  # noqa: ANN401
        """Takes an operator out; what read its output reads another tensor by now."""
        self.main.operators = [other for other in self.main.operators if other is not operator]

    def producer(self, tensor: int) -> Any | None:  # noqa: ANN401
        """The operator that computes a tensor; ``None`` for inputs and constants."""
        return next((op for op in self.main.operators if tensor in indices(op.outputs)), None)

    def computed(self) -> Iterator[int]:
        """Tensors that operators compute, in the order they are made."""
        for operator in self.main.operators:
            yield from indices(operator.outputs)


def indices(tensors: Sequence[int] | None) -> list[int]:
    """Tensors of an operator, without inputs that are left out (−1)."""
    return [] if tensors is None else [int(i) for i in tensors if i >= 0]


def read_tflite(data: bytes, name: str) -> Graph:
    """Parses a TFLite file.

    Args:
        data: the whole file.
        name: what to call it in messages.

    Raises:
        ModelError: it is none, or is truncated.
    """
    try:
        check_tflite(BytesRange(data), name)
        model = schema.ModelT.InitFromPackedBuf(data, 0)
    except BundleError as error:
        raise ModelError(error.message, error.remedy) from error
    except Exception as error:
        raise ModelError(f"{name}: is no TFLite model, or is damaged: {type(error).__name__}") from error
    for buffer in model.buffers:
        if buffer.offset > 1:  # behind the flatbuffer, as the quantiser writes it
            buffer.data = np.frombuffer(data, np.uint8, buffer.size, buffer.offset)
    return Graph(model)


def write_tflite(graph: Graph) -> bytes:
    """The file of a graph: the same bytes for the same graph."""
    model = graph.model
    model.buffers = [_Buffer(b.data) for b in model.buffers]
    builder = Builder(1 << 20)
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


class Builder(flatbuffers.Builder):  # type: ignore[misc]
    """Packs objects of the schema, equal vectors once.

    A layer has eight bytes a channel of zero points, which are all 0.
    """

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Array) -> int:  # noqa: N802 (the library's name)
        """Where the numbers are in the file, written now or before."""
        key = (x.dtype.str, x.tobytes())
        if key not in self._written:
            self._written[key] = int(super().CreateNumpyVector(x))
        return self._written[key]


class _Buffer(schema.BufferT):  # type: ignore[misc]
    """A buffer whose data lies at a multiple of 16 bytes."""

    def Pack(self, builder: flatbuffers.Builder) -> int:  # noqa: N802 (the schema's name)
        if self.data is None or not len(self.data):
            return int(super().Pack(builder))
        data = np.ascontiguousarray(self.data, np.uint8).tobytes()
        builder.StartVector(1, len(data), ALIGNMENT_BYTES)
        builder.head -= len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        vector = builder.EndVector()
        schema.BufferStart(builder)
        schema.BufferAddData(builder, vector)
        return int(schema.BufferEnd(builder))


def _text(raw: bytes | str | None) -> str:
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw or ""
