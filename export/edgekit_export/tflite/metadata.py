"""What TFLite's metadata says of the input: how its pixels are normalised.

Schema: tensorflow/tflite-support, metadata_schema.fbs, identifier M001. It is a flatbuffer in a buffer of the model,
which no check has gone through: what does not fit is as if it were not there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
from flatbuffers import encode, number_types
from flatbuffers.table import Table

from edgekit_export.tflite.flatbuffer import Graph

_ENTRY = b"TFLITE_METADATA"
_IDENTIFIER = b"M001"
_SUBGRAPHS, _INPUTS, _PROCESS_UNITS, _OPTIONS_TYPE, _OPTIONS = 3, 2, 4, 0, 1  # fields of their tables
_NORMALIZATION = 1  # of the union ProcessUnitOptions
_MEAN, _STD = 0, 1
_MAX_ITEMS = 64

Three = tuple[float, float, float]


def normalization_of(graph: Graph) -> tuple[Three, Three] | None:
    """Mean and standard deviation a channel, on pixels of 0–255, of the graph's first input; ``None`` if not told."""
    entries = {bytes(entry.name or b""): int(entry.buffer) for entry in graph.model.metadata or []}
    if _ENTRY not in entries or entries[_ENTRY] >= len(graph.model.buffers):
        return None
    stored = graph.model.buffers[entries[_ENTRY]].data
    data = b"" if stored is None else bytes(stored)
    try:
        found = _normalization(data)
    except (struct.error, IndexError, ValueError, TypeError):
        return None
    return found


def _normalization(data: bytes) -> tuple[Three, Three] | None:
    if data[4:8] != _IDENTIFIER:
        return None
    root = Table(data, encode.Get(number_types.UOffsetTFlags.packer_type, data, 0))
    for subgraph in _tables(root, _SUBGRAPHS):
        for image in _tables(subgraph, _INPUTS):
            for unit in _tables(image, _PROCESS_UNITS):
                place = unit.Offset(_slot(_OPTIONS_TYPE))
                kind = unit.Get(number_types.Uint8Flags, unit.Pos + place) if place else 0
                if kind == _NORMALIZATION:
                    options = Table(data, 0)
                    unit.Union(options, unit.Offset(_slot(_OPTIONS)))
                    return _three(options, _MEAN), _three(options, _STD)
            return None  # of the first input only
    return None


def _three(options: Table, field: int) -> Three:
    """One number for all channels, or three.

    Raises:
        ValueError: another number of them, or none that pixels can be normalised by.
    """
    values = [float(v) for v in _items(options, field, number_types.Float32Flags, 4)]
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not np.isfinite(values).all() or (field == _STD and min(values) <= 0):
        raise ValueError(values)
    return values[0], values[1], values[2]


def _tables(table: Table, field: int) -> Iterator[Table]:
    place = table.Offset(_slot(field))
    if place:
        start, count = table.Vector(place), min(table.VectorLen(place), _MAX_ITEMS)
        for at in range(start, start + 4 * count, 4):
            yield Table(table.Bytes, table.Indirect(at))


def _items(table: Table, field: int, flags: Any, item_bytes: int) -> list[Any]:  # noqa: ANN401
    place = table.Offset(_slot(field))
    if not place:
        return []
    start, count = table.Vector(place), min(table.VectorLen(place), _MAX_ITEMS)
    return [table.Get(flags, start + item_bytes * i) for i in range(count)]


def _slot(field: int) -> int:
    """Where a vtable has a field's offset."""
    return 4 + 2 * field
