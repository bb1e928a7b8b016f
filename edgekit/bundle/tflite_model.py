"""Structural check of a TFLite file before an engine sees it, without flatbuffers.

Reads the root table and the tables it lists, and checks that they lie within the file: enough for truncated,
foreign and tiny hostile files. A well-formed file can still make an interpreter abort: a child process is for
that.
Layout: flatbuffers.dev/internals and tensorflow/lite/schema/schema.fbs, version 3.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgekit.bundle.ranges import Source
from edgekit.errors import BundleError

IDENTIFIER = b"TFL3"
_MAX_TABLES = 100_000
_VERSION, _OPERATOR_CODES, _SUBGRAPHS, _BUFFERS = 0, 1, 2, 4  # fields of Model
_DATA, _OFFSET, _SIZE = 0, 1, 2  # fields of Buffer


def check_tflite(source: Source, name: str) -> None:
    """Checks the outer structure of a TFLite file.

    Args:
        source: the file's bytes.
        name: what to call it in messages.

    Raises:
        BundleError: not a TFLite file, or one whose parts lie outside of it.
    """
    if source.read(4, 4) != IDENTIFIER:
        raise BundleError(f"{name}: bytes 4 to 8 are {source.read(4, 4)!r}, expected {IDENTIFIER!r}", _REMEDY)
    reader = _Reader(source, name)
    root = reader.table(reader.u32(0))
    version = reader.u32(root[_VERSION]) if _VERSION in root else 0
    if version != 3:
        raise BundleError(f"{name}: TFLite schema version {version}, expected 3", _REMEDY)
    for field, what in ((_OPERATOR_CODES, "operator codes"), (_SUBGRAPHS, "subgraphs")):
        if not list(reader.tables(root, field)):
            raise BundleError(f"{name}: has no {what}", _REMEDY)
    for buffer in reader.tables(root, _BUFFERS):
        reader.check_buffer(buffer)


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
        if vtable_bytes < 4 or vtable_bytes % 2 or table_bytes < 4:
            raise self._fault(vtable, f"a vtable of {vtable_bytes} bytes for a table of {table_bytes}")
        self._check_range(vtable, vtable_bytes)
        self._check_range(position, table_bytes)
        entries = self._source.read(vtable + 4, vtable_bytes - 4)
        fields = {}
        for number in range(len(entries) // 2):
            offset = int.from_bytes(entries[2 * number : 2 * number + 2], "little")
            if offset >= table_bytes or 0 < offset < 4:
                raise self._fault(vtable, f"field {number} at {offset} of a table of {table_bytes} bytes")
            if offset:
                fields[number] = position + offset
        return fields

    def vector(self, position: int, item_bytes: int) -> tuple[int, int]:
        """Position of the first item, and number of items, of the vector that a field points to."""
        start = position + self.u32(position)
        count = self.u32(start)
        self._check_range(start + 4, count * item_bytes)
        return start + 4, count

    def tables(self, fields: dict[int, int], field: int) -> Iterator[dict[int, int]]:
        """Tables of a vector of tables; none if the field is absent."""
        if field not in fields:
            return
        start, count = self.vector(fields[field], 4)
        for position in range(start, start + 4 * count, 4):
            yield self.table(position + self.u32(position))

    def check_buffer(self, fields: dict[int, int]) -> None:
        """Data of a buffer lies in the flatbuffer, or (above 2 GB) behind it at an offset."""
        if _DATA in fields:
            self.vector(fields[_DATA], 1)
        offset = self._number(fields[_OFFSET], 8) if _OFFSET in fields else 0
        size = self._number(fields[_SIZE], 8) if _SIZE in fields else 0
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


_REMEDY = "the model is damaged or foreign; export it again"
