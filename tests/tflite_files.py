"""TFLite files without TensorFlow: a small writer of flatbuffers, and small networks.

Python values stand for the schema's: a dict is a table (field number → value), a list a vector of tables, a string
a string, bytes a vector of bytes, an array a vector of numbers, and ``(format, number)`` a number of that struct
format. Fields are those of tensorflow/lite/schema/schema.fbs, version 3.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np

SIDE, CLASSES = 8, 3
FLOAT32, INT32, STRING, INT8 = 0, 2, 5, 9  # TensorType
MEAN, FULLY_CONNECTED, CUSTOM = 40, 9, 32  # BuiltinOperator
REDUCER_OPTIONS, FULLY_CONNECTED_OPTIONS = 27, 8  # BuiltinOptions


def flatbuffer(root: dict[int, Any], identifier: bytes = b"TFL3") -> bytes:
    """The file of a root table. Children lie behind their parents, as offsets point forward only."""
    out = bytearray(4) + identifier
    struct.pack_into("<I", out, 0, _put(out, root))
    return bytes(out)


def _put(out: bytearray, value: Any) -> int:
    if isinstance(value, dict):
        return _table(out, value)
    if isinstance(value, list):
        return _vector_of_tables(out, value)
    data = value.encode() + b"\0" if isinstance(value, str) else bytes(value)
    count = value.size if isinstance(value, np.ndarray) else len(data) - isinstance(value, str)
    while (len(out) + 4) % 16:  # constants are read in place
        out.append(0)
    out += struct.pack("<I", count) + data
    return len(out) - len(data) - 4


def _table(out: bytearray, fields: dict[int, Any]) -> int:
    places, size = {}, 4
    for number, value in sorted(
        fields.items(), key=lambda item: -_bytes(item[1])
    ):  # wide ones first: aligned
        size += -size % _bytes(value)
        places[number] = size
        size += _bytes(value)
    count = max(fields, default=-1) + 1
    while (len(out) + 4 + 2 * count) % 8:
        out.append(0)
    vtable = len(out)
    out += struct.pack(f"<{2 + count}H", 4 + 2 * count, size, *(places.get(i, 0) for i in range(count)))
    table = len(out)
    out += struct.pack("<i", table - vtable) + bytes(size - 4)
    for number, value in fields.items():
        at = table + places[number]
        if isinstance(value, tuple):
            struct.pack_into(f"<{value[0]}", out, at, value[1])
        else:
            struct.pack_into("<I", out, at, _put(out, value) - at)
    return table


def _vector_of_tables(out: bytearray, values: list[Any]) -> int:
    while len(out) % 4:
        out.append(0)
    start = len(out)
    out += struct.pack("<I", len(values)) + bytes(4 * len(values))
    for at, value in zip(range(start + 4, len(out), 4), values, strict=True):
        struct.pack_into("<I", out, at, _put(out, value) - at)
    return start


def _bytes(value: Any) -> int:
    return struct.calcsize(value[0]) if isinstance(value, tuple) else 4


def ints(*values: int) -> np.ndarray:
    """A vector of int32."""
    return np.asarray(values, np.int32)


def tensor(
    name: str, shape: tuple[int, ...], kind: int, buffer: int = 0, codes: tuple[float, int] | None = None
) -> dict[int, Any]:
    """A tensor; -1 in the shape is dynamic. ``codes`` are scale and zero point."""
    fields: dict[int, Any] = {
        0: ints(*(max(size, 1) for size in shape)),
        1: ("b", kind),
        2: ("I", buffer),
        3: name,
        7: ints(*shape),
    }
    if codes is not None:
        fields[4] = {2: np.asarray(codes[:1], np.float32), 3: np.asarray(codes[1:], np.int64)}
    return fields


def model(
    tensors: list[dict[int, Any]],
    operators: list[dict[int, Any]],
    codes: list[int],
    buffers: list[bytes],
    ends: tuple[tuple[int, ...], tuple[int, ...]],
    signature: tuple[dict[str, int], dict[str, int]] | None = None,
) -> bytes:
    """A model of one subgraph; ``ends`` are its inputs and outputs, ``signature`` names them."""
    graph = {0: tensors, 1: ints(*ends[0]), 2: ints(*ends[1]), 3: operators, 4: "main"}
    root: dict[int, Any] = {
        0: ("I", 3),
        1: [
            {0: ("b", min(code, 127)), 2: ("i", 4 if code == FULLY_CONNECTED else 2), 3: ("i", code)}
            | ({1: "unknown"} if code == CUSTOM else {})
            for code in codes
        ],
        2: [graph],
        3: "edgekit tests",
        4: [{}, *({0: data} for data in buffers)],
    }
    if signature is not None:
        maps = [[{0: name, 1: ("I", i)} for name, i in part.items()] for part in signature]
        root[7] = [{0: maps[0], 1: maps[1], 2: "serving_default", 4: ("I", 0)}]
    return flatbuffer(root)


def channel_means(
    precision: str = "fp32",
    scale: float = 0.1,
    *,
    batch: int = 1,
    names: tuple[str, str] = ("image", "scores"),
    signature: tuple[dict[str, int], dict[str, int]] | None = None,
) -> bytes:
    """``(batch, 8, 8, 3)`` → ``scale`` times the mean of each channel, ``(batch, 3)``.

    In int8 the input stands for 0 to 255, one a step, and the output for 0 to ``scale`` × 255.
    """
    weights = np.diag([scale] * CLASSES).astype(np.float32)
    kind, pixels, means, scores, matrix = FLOAT32, None, None, None, None
    if precision == "int8":
        kind, pixels, means, scores, matrix = INT8, (1.0, -128), (1.0, -128), (scale, -128), (scale / 127, 0)
        weights = np.diag([127] * CLASSES).astype(np.int8)
    tensors = [
        tensor(names[0], (batch, SIDE, SIDE, 3), kind, codes=pixels),
        tensor("axes", (2,), INT32, 1),
        tensor("means", (batch, 3), kind, codes=means),
        tensor("weights", (CLASSES, 3), kind, 2, matrix),
        tensor(names[1], (batch, CLASSES), kind, codes=scores),
    ]
    operators = [
        {0: ("I", 0), 1: ints(0, 1), 2: ints(2), 3: ("B", REDUCER_OPTIONS), 4: {0: ("b", 0)}},
        {0: ("I", 1), 1: ints(2, 3, -1), 2: ints(4), 3: ("B", FULLY_CONNECTED_OPTIONS), 4: {}},
    ]
    buffers = [ints(1, 2).tobytes(), weights.tobytes()]
    return model(tensors, operators, [MEAN, FULLY_CONNECTED], buffers, ((0,), (4,)), signature)
