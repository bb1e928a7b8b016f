"""Fields of the ONNX messages that can hold or lead to a tensor (onnx/onnx.proto, IR version 14).

Other messages (types, names, properties) are opaque bytes here. A field that is not in these tables is
refused: it could hold tensors that no check has seen. A test compares the tables with the installed ``onnx``.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgekit.bundle.protobuf import BYTES, FIXED32, FIXED64, VARINT


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field may look.

    Attributes:
        wires: wire types it may have; repeated numbers may be packed.
        repeated: whether it may occur more than once.
        message: name of the message to look into; ``None`` for what holds no tensor.
    """

    wires: frozenset[int]
    repeated: bool = False
    message: str | None = None


_INT = Rule(frozenset({VARINT}))
_FLOAT = Rule(frozenset({FIXED32}))
_TEXT = Rule(frozenset({BYTES}))
_TEXTS = Rule(frozenset({BYTES}), repeated=True)
_INTS = Rule(frozenset({VARINT, BYTES}), repeated=True)
_FLOATS = Rule(frozenset({FIXED32, BYTES}), repeated=True)
_DOUBLES = Rule(frozenset({FIXED64, BYTES}), repeated=True)


def _one(message: str) -> Rule:
    return Rule(frozenset({BYTES}), message=message)


def _many(message: str) -> Rule:
    return Rule(frozenset({BYTES}), repeated=True, message=message)


MESSAGES: dict[str, dict[int, Rule]] = {
    "ModelProto": {
        1: _INT,  # ir_version
        2: _TEXT,  # producer_name
        3: _TEXT,  # producer_version
        4: _TEXT,  # domain
        5: _INT,  # model_version
        6: _TEXT,  # doc_string
        7: _one("GraphProto"),
        8: _TEXTS,  # opset_import
        14: _TEXTS,  # metadata_props
        20: _many("TrainingInfoProto"),
        25: _many("FunctionProto"),
        26: _TEXTS,  # configuration
    },
    "GraphProto": {
        1: _many("NodeProto"),
        2: _TEXT,  # name
        5: _many("TensorProto"),  # initializer
        10: _TEXT,  # doc_string
        11: _TEXTS,  # input
        12: _TEXTS,  # output
        13: _TEXTS,  # value_info
        14: _TEXTS,  # quantization_annotation
        15: _many("SparseTensorProto"),  # sparse_initializer
        16: _TEXTS,  # metadata_props
    },
    "NodeProto": {
        1: _TEXTS,  # input
        2: _TEXTS,  # output
        3: _TEXT,  # name
        4: _TEXT,  # op_type
        5: _many("AttributeProto"),
        6: _TEXT,  # doc_string
        7: _TEXT,  # domain
        8: _TEXT,  # overload
        9: _TEXTS,  # metadata_props
        10: _TEXTS,  # device_configurations
    },
    "AttributeProto": {
        1: _TEXT,  # name
        2: _FLOAT,  # f
        3: _INT,  # i
        4: _TEXT,  # s
        5: _one("TensorProto"),
        6: _one("GraphProto"),
        7: _FLOATS,  # floats
        8: _INTS,  # ints
        9: _TEXTS,  # strings
        10: _many("TensorProto"),
        11: _many("GraphProto"),
        13: _TEXT,  # doc_string
        14: _TEXT,  # tp
        15: _TEXTS,  # type_protos
        20: _INT,  # type
        21: _TEXT,  # ref_attr_name
        22: _one("SparseTensorProto"),
        23: _many("SparseTensorProto"),
    },
    "TensorProto": {
        1: _INTS,  # dims
        2: _INT,  # data_type
        3: _TEXT,  # segment
        4: _FLOATS,  # float_data
        5: _INTS,  # int32_data
        6: _TEXTS,  # string_data
        7: _INTS,  # int64_data
        8: _TEXT,  # name
        9: _TEXT,  # raw_data
        10: _DOUBLES,  # double_data
        11: _INTS,  # uint64_data
        12: _TEXT,  # doc_string
        13: _TEXTS,  # external_data
        14: _INT,  # data_location
        16: _TEXTS,  # metadata_props
    },
    "SparseTensorProto": {
        1: _one("TensorProto"),  # values
        2: _one("TensorProto"),  # indices
        3: _INTS,  # dims
    },
    "FunctionProto": {
        1: _TEXT,  # name
        4: _TEXTS,  # input
        5: _TEXTS,  # output
        6: _TEXTS,  # attribute
        7: _many("NodeProto"),
        8: _TEXT,  # doc_string
        9: _TEXTS,  # opset_import
        10: _TEXT,  # domain
        11: _many("AttributeProto"),
        12: _TEXTS,  # value_info
        13: _TEXT,  # overload
        14: _TEXTS,  # metadata_props
    },
    "TrainingInfoProto": {
        1: _one("GraphProto"),  # initialization
        2: _one("GraphProto"),  # algorithm
        3: _TEXTS,  # initialization_binding
        4: _TEXTS,  # update_binding
    },
    "StringStringEntryProto": {
        1: _TEXT,  # key
        2: _TEXT,  # value
    },
}

STRING = 8
"""The data type whose elements have no fixed size: never raw, never external."""

ITEM_BITS: dict[int, int] = {
    1: 32,  # FLOAT
    2: 8,  # UINT8
    3: 8,  # INT8
    4: 16,  # UINT16
    5: 16,  # INT16
    6: 32,  # INT32
    7: 64,  # INT64
    9: 8,  # BOOL
    10: 16,  # FLOAT16
    11: 64,  # DOUBLE
    12: 32,  # UINT32
    13: 64,  # UINT64
    14: 64,  # COMPLEX64
    15: 128,  # COMPLEX128
    16: 16,  # BFLOAT16
    17: 8,  # FLOAT8E4M3FN
    18: 8,  # FLOAT8E4M3FNUZ
    19: 8,  # FLOAT8E5M2
    20: 8,  # FLOAT8E5M2FNUZ
    21: 4,  # UINT4
    22: 4,  # INT4
    23: 4,  # FLOAT4E2M1
    24: 8,  # FLOAT8E8M0
    25: 2,  # UINT2
    26: 2,  # INT2
}
"""Data type → bits of one element; elements under 8 bits are packed, the last byte filled up."""
