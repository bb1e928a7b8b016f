"""Which fields of a TFLite file's tables point to something: tensorflow/lite/schema/schema.fbs, version 3, as data.

Numbers are field numbers, as they lie in the file. Fields that are not named hold a number in the table itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Numbers:
    """A vector of numbers of so many bytes each."""

    item_bytes: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string: its length, its bytes, and a zero."""


@dataclass(frozen=True, slots=True)
class One:
    """A table of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Many:
    """A vector of tables of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Union:
    """A table whose kind the byte in another field tells.

    Attributes:
        kind: number of that field.
        fields: kind → fields of its table; tables of other kinds hold numbers alone.
    """

    kind: int
    fields: Mapping[int, Fields]


Part: TypeAlias = Numbers | Text | One | Many | Union
Fields: TypeAlias = dict[int, Part]

VERSION, OPERATOR_CODES, SUBGRAPHS, BUFFERS, SIGNATURES = 0, 1, 2, 4, 7  # of Model
EXTERNAL = {"Model": (8, 9), "Tensor": (10,)}  # buffers in other files
TENSORS, GRAPH_INPUTS, GRAPH_OUTPUTS, OPERATORS = 0, 1, 2, 3  # of SubGraph
BUFFER = 2  # of Tensor
OPCODE, INPUTS, OUTPUTS, INTERMEDIATES = 0, 1, 2, 8  # of Operator
DATA_OFFSET, DATA_BYTES = 1, 2  # of Buffer: behind the flatbuffer
SIGNED_INPUTS, SIGNED_OUTPUTS, SIGNED_GRAPH = 0, 1, 4  # of SignatureDef
TENSOR_INDEX = 1  # of TensorMap

BYTES, SHORTS, INTS, LONGS = Numbers(1), Numbers(2), Numbers(4), Numbers(8)


def _longs(*fields: int) -> Fields:
    return dict.fromkeys(fields, LONGS)


_SPARSE: dict[int, Fields] = {1: {0: INTS}, 2: {0: SHORTS}, 3: {0: BYTES}}  # SparseIndexVector
_QUANTIZATION: dict[int, Fields] = {1: {0: BYTES}, 2: {3: INTS}, 3: {3: INTS}}
_OPTIONS: dict[int, Fields] = {
    3: {1: INTS, 2: INTS},  # ConcatEmbeddings
    17: {0: INTS},  # Reshape
    30: {0: INTS},  # Squeeze
    111: {0: Text(), 1: Text()},  # VarHandle
    115: {0: INTS},  # Bucketize
}
_OPTIONS_2: dict[int, Fields] = {
    2: _longs(0),  # StablehloBroadcastInDim
    3: _longs(0, 1, 2),  # StablehloSlice
    4: {**_longs(0, 1, 2, 3, 7, 10, 13), 4: BYTES, 16: INTS},  # StablehloConvolution
    5: {0: Text(), 2: Text(), 4: INTS, 5: BYTES},  # StablehloCustomCall
    6: _longs(0),  # StablehloReduce
    7: _longs(1, 2, 3),  # StablehloScatter
    9: _longs(0),  # StablehloDynamicSlice
    10: _longs(0, 1, 2),  # StablehloPad
    12: {**_longs(0, 1, 2, 3), 4: INTS},  # StablehloDotGeneral
    13: _longs(0, 1, 2, 3, 4),  # StablehloReduceWindow
    16: _longs(0, 1, 2, 4),  # StablehloGather
    17: _longs(0),  # StablehloTranspose
    21: {0: Text(), 2: BYTES},  # StableHLOComposite
    23: {0: INTS},  # StablehloCase
}

SCHEMA: dict[str, Fields] = {
    "Model": {
        OPERATOR_CODES: Many("OperatorCode"),
        SUBGRAPHS: Many("SubGraph"),
        3: Text(),
        BUFFERS: Many("Buffer"),
        5: INTS,
        6: Many("Metadata"),
        SIGNATURES: Many("SignatureDef"),
    },
    "OperatorCode": {1: Text()},
    "SubGraph": {
        TENSORS: Many("Tensor"),
        GRAPH_INPUTS: INTS,
        GRAPH_OUTPUTS: INTS,
        OPERATORS: Many("Operator"),
        4: Text(),
    },
    "Tensor": {
        0: INTS,
        3: Text(),
        4: One("QuantizationParameters"),
        6: One("SparsityParameters"),
        7: INTS,
        9: Many("VariantSubType"),
    },
    "QuantizationParameters": {0: INTS, 1: INTS, 2: INTS, 3: LONGS, 5: Union(4, _QUANTIZATION)},
    "SparsityParameters": {0: INTS, 1: INTS, 2: Many("DimensionMetadata")},
    "DimensionMetadata": {3: Union(2, _SPARSE), 5: Union(4, _SPARSE)},
    "VariantSubType": {0: INTS},
    "Operator": {
        INPUTS: INTS,
        OUTPUTS: INTS,
        4: Union(3, _OPTIONS),
        5: BYTES,
        7: BYTES,
        INTERMEDIATES: INTS,
        12: Union(11, _OPTIONS_2),
    },
    "Buffer": {0: BYTES},
    "Metadata": {0: Text()},
    "SignatureDef": {SIGNED_INPUTS: Many("TensorMap"), SIGNED_OUTPUTS: Many("TensorMap"), 2: Text()},
    "TensorMap": {0: Text()},
}
"""Table → its fields that point; floats of 32 bits are ``INTS`` here, as only their size counts."""
