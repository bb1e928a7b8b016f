"""Walks protobuf's wire format without a schema compiler, and without holding the message in memory.

Encoding: protobuf.dev/programming-guides/encoding. Stricter than parsers are: no groups, no field number 0,
tags of at most five bytes, and a bound on the number of fields, so that no parser sees another message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edgekit.bundle.ranges import Source
from edgekit.errors import BundleError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
MAX_FIELDS = 500_000  # real models have thousands; this many take seconds
_BLOCK_BYTES = 1 << 16
_REMEDY = "the model is damaged or foreign; export it again"
_MAX_TAG_BYTES = 5
_MAX_VARINT_BYTES = 10


class Field(NamedTuple):
    """One field of a message.

    Attributes:
        number: the field's number.
        wire: ``VARINT``, ``FIXED64``, ``BYTES`` or ``FIXED32``.
        value: a varint's value, 0 to 2^64 - 1; 0 for the others.
        start: offset of the payload.
        end: offset after the payload.
    """

    number: int
    wire: int
    value: int
    start: int
    end: int


class Wire:
    """Reads fields from a source, block by block.

    Args:
        source: the bytes.
        name: what to call them in messages.
        max_fields: how many fields may be read in all, which bounds the work; :data:`MAX_FIELDS` by default.
    """

    def __init__(self, source: Source, name: str, max_fields: int | None = None) -> None:
        self.size = source.size
        self._source = source
        self._name = name
        self._left = MAX_FIELDS if max_fields is None else max_fields
        self._block = b""
        self._block_start = 0

    def fields(self, start: int, end: int) -> Iterator[Field]:
        """Fields of the message that lies from ``start`` to ``end``.

        Raises:
            BundleError: not protobuf, or a field reaches past ``end``, or too many fields.
        """
        position = start
        while position < end:
            self._left -= 1
            if self._left < 0:
                raise self.fault(position, "more fields than any model needs")
            tag, position = self.varint(position, end, _MAX_TAG_BYTES)
            number, wire = tag >> 3, tag & 7
            if not 0 < number < 2**29:
                raise self.fault(position, f"field number {number}")
            field = self._payload(number, wire, position, end)
            if field.end > end:
                raise self.fault(position, f"field {number} ends at byte {field.end}, its message at {end}")
            yield field
            position = field.end

    def varint(self, position: int, end: int, max_bytes: int = _MAX_VARINT_BYTES) -> tuple[int, int]:
        """Value of a varint and the offset after it."""
        limit = min(max_bytes, end - position)
        block, index = self._at(position, limit)
        if limit > 0 and block[index] < 0x80:  # most are one byte
            return block[index], position + 1
        value = 0
        for count in range(limit):
            byte = block[index + count]
            value |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                if value >= 2**64:
                    break
                return value, position + count + 1
        raise self.fault(position, "a varint that does not end")

    def varints(self, start: int, end: int) -> Iterator[int]:
        """Values of a packed field."""
        position = start
        while position < end:
            self._left -= 1
            if self._left < 0:
                raise self.fault(position, "more values than any model needs")
            value, position = self.varint(position, end)
            yield value

    def read(self, start: int, end: int) -> bytes:
        """Bytes of a payload; the caller has bounded its length."""
        return self._source.read(start, end - start)

    def fault(self, position: int, what: str) -> BundleError:
        """The error to raise for something found at ``position``."""
        return BundleError(f"{self._name}: byte {position}: {what}", _REMEDY)

    def _payload(self, number: int, wire: int, position: int, end: int) -> Field:
        if wire == VARINT:
            value, after = self.varint(position, end)
            return Field(number, wire, value, position, after)
        if wire == BYTES:
            length, start = self.varint(position, end)
            return Field(number, wire, 0, start, start + length)
        if wire in (FIXED32, FIXED64):
            return Field(number, wire, 0, position, position + (4 if wire == FIXED32 else 8))
        raise self.fault(position, f"field {number} has wire type {wire}, expected 0, 1, 2 or 5")

    def _at(self, position: int, length: int) -> tuple[bytes, int]:
        index = position - self._block_start
        if index < 0 or index + length > len(self._block):
            self._block = self._source.read(position, _BLOCK_BYTES)
            self._block_start = position
            index = 0
        return self._block, index
