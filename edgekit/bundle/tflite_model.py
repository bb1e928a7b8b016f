"""Structural check of a TFLite file before an engine sees it, without flatbuffers.

Follows every offset of every table that the schema names, checks that what it points to lies within the file, and that
indices are of something. So truncated and foreign files, and most damaged ones, never reach an interpreter, some of
which (tflite-runtime 2.14) believe all of it. A well-formed file can still make one abort: a child process is for that.
Layout: flatbuffers.dev/internals; fields: :mod:`edgekit.bundle.tflite_schema`.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

from edgekit.bundle import tflite_schema as schema
from edgekit.bundle.ranges import Source
from edgekit.bundle.tflite_schema import SCHEMA, Fields, Many, Numbers, One, Text, Union
from edgekit.errors import BundleError

IDENTIFIER = b"TFL3"
_MAX_TABLES = 100_000
_MAX_VTABLE_BYTES = 4 + 2 * 128  # the widest table of the schema has 17 fields
_REMEDY = "the model is damaged or foreign; export it again"


def check_tflite(source: Source, name: str) -> None:
    """Checks the structure of a TFLite file.

    Args:
        source: the file's bytes.
        name: what to call it in messages.

    Raises:
        BundleError: not a TFLite file, one whose parts lie outside of it, or one that reaches for other files.
    """
    if source.read(4, 4) != IDENTIFIER:
        raise BundleError(f"{name}: bytes 4 to 8 are {source.read(4, 4)!r}, expected {IDENTIFIER!r}", _REMEDY)
    reader = _Reader(source, name)
    root = reader.table(reader.u32(0))
    version = reader.u32(root[schema.VERSION]) if schema.VERSION in root else 0
    if version != 3:
        raise BundleError(f"{name}: TFLite schema version {version}, expected 3", _REMEDY)
    for field, what in ((schema.OPERATOR_CODES, "operator codes"), (schema.SUBGRAPHS, "subgraphs")):
        if field not in root or not reader.vector(root[field], 4)[1]:
            raise BundleError(f"{name}: has no {what}", _REMEDY)
    reader.check("Model", root)
    _check_indices(reader, root)


def _check_indices(reader: _Reader, root: Mapping[int, int]) -> None:
    """Indices of operators, tensors, buffers and signatures are of what is there."""
    codes, buffers = (reader.count(root, field) for field in (schema.OPERATOR_CODES, schema.BUFFERS))
    tensors = []
    for graph in reader.tables(root, schema.SUBGRAPHS):
        tensors.append(reader.count(graph, schema.TENSORS))
        for field in (schema.GRAPH_INPUTS, schema.GRAPH_OUTPUTS):
            reader.check_indices(graph, field, range(tensors[-1]))
        for tensor in reader.tables(graph, schema.TENSORS):
            reader.check_index(tensor, schema.BUFFER, range(buffers))
        for operator in reader.tables(graph, schema.OPERATORS):
            reader.check_index(operator, schema.OPCODE, range(codes))
            for field in (schema.INPUTS, schema.OUTPUTS, schema.INTERMEDIATES):
                reader.check_indices(operator, field, range(-1, tensors[-1]))  # -1: left out
    for signature in reader.tables(root, schema.SIGNATURES):
        graph_index = reader.check_index(signature, schema.SIGNED_GRAPH, range(len(tensors)))
        for field in (schema.SIGNED_INPUTS, schema.SIGNED_OUTPUTS):
            for entry in reader.tables(signature, field):
                reader.check_index(entry, schema.TENSOR_INDEX, range(tensors[graph_index]))


class _Reader:
    """Follows offsets of a flatbuffer, each checked against the file's size."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self._name = name
        self._left = _MAX_TABLES

    def u32(self, position: int) -> int:
        return self._number(position, 4)

    def table(self, position: int) -> dict[int, int]:
        """Field number → position of the field, for those that the table has."""
        self._left -= 1
        if self._left < 0:
            raise self._fault(position, "more tables than any model needs")
        back = self._number(position, 4)
        vtable = position - (back - 2**32 if back >= 2**31 else back)
        vtable_bytes, table_bytes = self._number(vtable, 2), self._number(vtable + 2, 2)
        if not 4 <= vtable_bytes <= _MAX_VTABLE_BYTES or vtable_bytes % 2 or table_bytes < 4:
            raise self._fault(vtable, f"a vtable of {vtable_bytes} bytes for a table of {table_bytes}")
        self._check_range(vtable, vtable_bytes)
        self._check_range(position, table_bytes)
        fields = {}
        entries = self._source.read(vtable + 4, vtable_bytes - 4)
        for number, (offset,) in enumerate(struct.iter_unpack("<H", entries)):
            if offset >= table_bytes or 0 < offset < 4:
                raise self._fault(vtable, f"field {number} at {offset} of a table of {table_bytes} bytes")
            if offset:
                fields[number] = position + offset
        return fields

    def check(self, name: str, fields: Mapping[int, int]) -> None:
        """Checks all that a table of the schema points to."""
        for number in schema.EXTERNAL.get(name, ()):
            if number in fields and self.u32(fields[number]):
                raise BundleError(f"{self._name}: keeps data in other files", "export it as one file")
        if name == "Buffer":
            self._check_data(fields)
        self._check_parts(SCHEMA[name], fields)

    def _check_parts(self, parts: Fields, fields: Mapping[int, int]) -> None:
        for number, part in parts.items():
            if number not in fields:
                continue
            position = fields[number]
            match part:
                case Numbers(item_bytes):
                    self.vector(position, item_bytes)
                case Text():
                    start, count = self.vector(position, 1)
                    if self._number(start + count, 1):
                        raise self._fault(start + count, "a text that does not end")
                case One(name):
                    self.check(name, self.table(position + self.u32(position)))
                case Many(name):
                    for table in self.tables(fields, number):
                        self.check(name, table)
                case Union(kind, choices):
                    chosen = self._number(fields[kind], 1) if kind in fields else 0
                    self._check_parts(choices.get(chosen, {}), self.table(position + self.u32(position)))

    def vector(self, position: int, item_bytes: int) -> tuple[int, int]:
        """Position of the first item, and number of items, of the vector that a field points to."""
        start = position + self.u32(position)
        count = self.u32(start)
        self._check_range(start + 4, count * item_bytes)
        return start + 4, count

    def count(self, fields: Mapping[int, int], field: int) -> int:
        """Number of tables in a vector; 0 if the field is absent."""
        return self.vector(fields[field], 4)[1] if field in fields else 0

    def tables(self, fields: Mapping[int, int], field: int) -> Iterator[dict[int, int]]:
        """Tables of a vector of tables; none if the field is absent."""
        if field not in fields:
            return
        start, count = self.vector(fields[field], 4)
        for position in range(start, start + 4 * count, 4):
            yield self.table(position + self.u32(position))

    def check_index(self, fields: Mapping[int, int], field: int, allowed: range) -> int:
        """A number of a table that must be in ``allowed``; absent means 0, as everywhere in flatbuffers."""
        index = self.u32(fields[field]) if field in fields else 0
        self._check_allowed(fields.get(field, 0), [index], allowed)
        return index

    def check_indices(self, fields: Mapping[int, int], field: int, allowed: range) -> None:
        """The same for every item of a vector of signed numbers."""
        if field in fields:
            start, count = self.vector(fields[field], 4)
            self._check_allowed(
                start, struct.unpack(f"<{count}i", self._source.read(start, 4 * count)), allowed
            )

    def _check_allowed(self, position: int, indices: Sequence[int], allowed: range) -> None:
        for index in indices:
            if index not in allowed:
                raise self._fault(position, f"index {index}, expected one below {allowed.stop}")

    def _check_data(self, fields: Mapping[int, int]) -> None:
        """Above 2 GB a buffer's data lie behind the flatbuffer, at an offset."""
        offset, size = (
            self._number(fields[field], 8) if field in fields else 0
            for field in (schema.DATA_OFFSET, schema.DATA_BYTES)
        )
        if offset > 1:  # 0 and 1 mark that there is none
            self._check_range(offset, size)

    def _number(self, position: int, length: int) -> int:
        self._check_range(position, length)
        return int.from_bytes(self._source.read(position, length), "little")

    def _check_range(self, position: int, length: int) -> None:
        if position < 0 or position + length > self._source.size:
            raise self._fault(position, f"{length} bytes, the file has {self._source.size}")

    def _fault(self, position: int, what: str) -> BundleError:
        return BundleError(f"{self._name}: byte {position}: {what}", _REMEDY)
