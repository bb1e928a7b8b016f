"""The beginning of a GGUF file: its metadata and the places of its tensors, read with no trust in any number.

Format: docs/gguf.md of ggml (version 2 and 3, little-endian). gguf-py's reader believes counts and lengths, so this
one is our own; nothing is allocated that the file's own size does not bound.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from edgekit.errors import ModelError
from edgekit_export.sources.gguf.kinds import KINDS, Kind

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_PAIRS = MAX_TENSORS = 1 << 16
MAX_NAME_BYTES = 1 << 16
MAX_ELEMENTS = 1 << 24
"""Of all lists together: a large vocabulary has 300,000 tokens, types and scores, and 500,000 merges."""

MAX_TEXT_BYTES = 1 << 24
"""A chat template takes some kilobytes."""

_MAX_DEPTH = 2
"""Arrays of arrays; there are none in the wild."""

_MAX_DIMENSIONS = 4
_DEFAULT_ALIGNMENT, _MAX_ALIGNMENT = 32, 1 << 20
_FLOAT32, _TEXT, _ARRAY = 6, 8, 9
_NUMBERS: dict[int, np.dtype[Any]] = {
    i: np.dtype(name)
    for i, name in {
        0: "<u1", 1: "<i1", 2: "<u2", 3: "<i2", 4: "<u4", 5: "<i4", 6: "<f4", 7: "?", 10: "<u8", 11: "<i8", 12: "<f8",
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a tensor is.

    Attributes:
        name: its name in the file.
        kind: how its elements are stored.
        shape: rows first: ``(outputs, inputs)``; GGUF lists them the other way round.
        start: its first byte in the file.
        bytes: its size.
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    start: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of itself.

    Attributes:
        metadata: key → number, text, or list.
        tensors: name → place.
    """

    metadata: dict[str, Any]
    tensors: dict[str, Entry]


def read_header(path: Path) -> Header:
    """Reads and checks everything but the tensors' values.

    Raises:
        ModelError: the file cannot be read, is no GGUF, is of another version or byte order, one part of several, cut
            off, or has a number that cannot be: counts, lengths, shapes, offsets outside of the file or overlapping.
    """
    try:
        with path.open("rb") as file:
            return _Reader(file, path.name, path.stat().st_size).header()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


class _Reader:
    """A cursor over the file that never asks for more than is there."""

    def __init__(self, file: BinaryIO, where: str, size: int) -> None:
        self._file, self._where, self._left, self._size = file, where, size, size
        self._elements = MAX_ELEMENTS

    def header(self) -> Header:
        tensors, pairs = self._begin()
        metadata: dict[str, Any] = {}
        for _ in range(pairs):
            key = self._text(MAX_NAME_BYTES, "a key")
            if key in metadata:
                raise self._wrong(f"the key {key[:80]!r} is there twice")
            metadata[key] = self._value(self._whole("<I"), key, 0)
        if (parts := metadata.get("split.count", 1)) != 1:
            raise ModelError(
                f"{self._where}: is one of {str(parts)[:20]} parts",
                "join them by llama-gguf-split --merge first",
            )
        found = [self._tensor() for _ in range(tensors)]
        return Header(metadata, self._placed(found, metadata.get("general.alignment", _DEFAULT_ALIGNMENT)))

    def _begin(self) -> tuple[int, int]:
        """Counts of tensors and of metadata, behind magic and version."""
        if (magic := self._bytes(4, "the magic")) != MAGIC:
            raise self._wrong(f"expected a file that begins with GGUF, got {magic!r}")
        version = self._whole("<I")
        if version not in VERSIONS:
            told = "a big-endian file" if version and not version & 0xFFFF else f"version {version}"
            raise self._wrong(f"expected GGUF version 2 or 3 in little-endian order, got {told}")
        tensors, pairs = self._whole("<Q"), self._whole("<Q")
        if tensors > MAX_TENSORS or pairs > MAX_PAIRS:
            raise self._wrong(
                f"expected at most {MAX_TENSORS} tensors and {MAX_PAIRS} keys, got {tensors} and {pairs}"
            )
        return tensors, pairs

    def _tensor(self) -> tuple[str, Kind, tuple[int, ...], int]:
        name = self._text(MAX_NAME_BYTES, "a tensor's name")
        count = self._whole("<I")
        if not 1 <= count <= _MAX_DIMENSIONS:
            raise self._wrong(
                f"tensor {name[:80]!r}: expected 1 to {_MAX_DIMENSIONS} dimensions, got {count}"
            )
        sizes = tuple(self._whole("<Q") for _ in range(count))
        number = self._whole("<I")
        kind = KINDS.get(number)
        if kind is None:
            raise self._wrong(f"tensor {name[:80]!r}: its type has the number {number}, which is not known")
        return name, kind, sizes[::-1], self._whole("<Q")

    def _placed(
        self, found: list[tuple[str, Kind, tuple[int, ...], int]], alignment: object
    ) -> dict[str, Entry]:
        """Tensors with their places, which lie in the file, aligned, apart from each other."""
        if type(alignment) is not int or not 1 <= alignment <= _MAX_ALIGNMENT or alignment & (alignment - 1):
            raise self._wrong(
                f"general.alignment: expected a power of two to {_MAX_ALIGNMENT}, got {alignment!r}"
            )
        begin = -(-(self._size - self._left) // alignment) * alignment
        entries: dict[str, Entry] = {}
        for name, kind, shape, offset in found:
            taken = self._tensor_bytes(name, kind, shape)
            if offset % alignment:
                raise self._wrong(f"tensor {name[:80]!r}: offset {offset} is not a multiple of {alignment}")
            if begin + offset + taken > self._size:
                raise self._cut_off(f"tensor {name[:80]!r}", begin + offset + taken)
            if name in entries:
                raise self._wrong(f"the tensor {name[:80]!r} is there twice")
            entries[name] = Entry(name, kind, shape, begin + offset, taken)
        end, before = 0, ""
        for entry in sorted(entries.values(), key=lambda entry: (entry.start, entry.bytes)):
            if entry.start < end:
                raise self._wrong(f"tensors {before[:80]!r} and {entry.name[:80]!r} overlap")
            end, before = entry.start + entry.bytes, entry.name
        return entries

    def _tensor_bytes(self, name: str, kind: Kind, shape: tuple[int, ...]) -> int:
        if 0 in shape:
            raise self._wrong(f"tensor {name[:80]!r}: has no elements: its shape is {shape}")
        if shape[-1] % kind.block:
            raise self._wrong(
                f"tensor {name[:80]!r}: expected rows of whole {kind.name} blocks of {kind.block}, got {shape[-1]}"
            )
        return math.prod(shape) // kind.block * kind.block_bytes

    def _value(self, kind: int, key: str, depth: int) -> Any:  # noqa: ANN401 (what the file has there)
        if kind == _TEXT:
            return self._text(MAX_TEXT_BYTES, key)
        if kind == _ARRAY:
            return self._array(key, depth + 1)
        if kind not in _NUMBERS:
            raise self._wrong(f"key {key[:80]!r}: its type has the number {kind}, which is not known")
        value = self._numbers(kind, 1, key)[0]
        if kind == _FLOAT32:
            return float(str(value))  # the shortest decimal of this float32: 1e-05, as config.json has it
        return value.item()

    def _array(self, key: str, depth: int) -> list[Any]:
        kind, count = self._whole("<I"), self._whole("<Q")
        if count > self._elements:
            raise self._wrong(
                f"key {key[:80]!r}: expected at most {MAX_ELEMENTS} elements in all, got {count}"
            )
        self._elements -= count
        if kind in _NUMBERS:
            listed: list[Any] = self._numbers(kind, count, key).tolist()
            return listed
        if kind == _TEXT:
            return [self._text(MAX_TEXT_BYTES, key) for _ in range(count)]
        if kind == _ARRAY and depth < _MAX_DEPTH:
            return [self._array(key, depth + 1) for _ in range(count)]
        raise self._wrong(f"key {key[:80]!r}: an array of type number {kind}, which is not known")

    def _numbers(self, kind: int, count: int, key: str) -> np.ndarray[Any, Any]:
        dtype = _NUMBERS[kind]
        data = self._bytes(count * dtype.itemsize, f"key {key[:80]!r}")
        if dtype == np.bool_ and max(data, default=0) > 1:
            raise self._wrong(f"key {key[:80]!r}: expected true or false as 1 or 0, got {max(data)}")
        return np.frombuffer(data, dtype)

    def _text(self, most: int, what: str) -> str:
        length = self._whole("<Q")
        if length > most:
            raise self._wrong(
                f"{what[:80]}: a text of {length} bytes, and no such text is longer than {most}"
            )
        try:
            return self._bytes(length, what).decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._wrong(f"{what[:80]}: is no UTF-8 at byte {error.start}") from error

    def _whole(self, form: str) -> int:
        found: int = struct.unpack(form, self._bytes(struct.calcsize(form), "a number"))[0]
        return found

    def _bytes(self, count: int, what: str) -> bytes:
        if count > self._left:
            raise self._cut_off(what, self._at + count)
        data = self._file.read(count)
        if len(data) != count:
            raise self._cut_off(what, self._at + count)
        self._left -= count
        return data

    @property
    def _at(self) -> int:
        return self._size - self._left

    def _cut_off(self, what: str, needed: int) -> ModelError:
        return ModelError(
            f"{self._where}: {what} needs {needed} bytes of a file, and it has {self._size}",
            "it is damaged or not whole: fetch it again",
        )

    def _wrong(self, what: str) -> ModelError:
        return ModelError(f"{self._where}: {what}")
