"""The file of weights that the graphs of one variant name as external data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit.types import I8, Array

ALIGNMENT = 64
"""Bytes: a cache line, and what an engine's vector loads want of a mapped file."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a tensor lie."""

    offset: int
    length: int


class WeightsFile:
    """Tensors one behind the other, each written as soon as it is known; equal keys are stored once.

    Attributes:
        path: of the file; graphs name its last part.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("wb")
        self._places: dict[str, Place] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def tensor(
        self, name: str, array: Array, key: str = "", rows: tuple[int, int] | None = None
    ) -> onnx.TensorProto:
        """A graph's initialiser of an array that lies here.

        Args:
            name: in the graph.
            array: any dtype that ONNX has, any shape.
            key: of its content, where another tensor of either graph may have the same bytes, if in another shape.
            rows: first and last but one of the rows that this initialiser is of; ``None`` for all.
        """
        place = self._places.get(key)
        if place is None:
            place = self._write(array)
            if key:
                self._places[key] = place
        first, last = rows or (0, len(array))
        row_bytes = place.length // len(array)
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        dims = (last - first, *array.shape[1:])
        return self._external(name, kind, dims, place.offset + first * row_bytes, (last - first) * row_bytes)

    def nibbles(self, name: str, codes: I8) -> onnx.TensorProto:
        """A graph's initialiser of 4-bit integers, two a byte, that lie here.

        Args:
            name: in every graph that has them; they are stored once.
            codes: −8 to 7, any shape, an even number of them.
        """
        place = self._places.get(name)
        if place is None:
            pairs = codes.reshape(-1, 2)
            place = self._write((pairs[:, 0] & 15).astype(np.uint8) | (pairs[:, 1] << 4).astype(np.uint8))
            self._places[name] = place
        return self._external(name, TensorProto.INT4, codes.shape, place.offset, place.length)

    def _external(
        self, name: str, kind: int, dims: tuple[int, ...], offset: int, length: int
    ) -> onnx.TensorProto:
        made = TensorProto(name=name, data_type=kind, dims=dims, data_location=TensorProto.EXTERNAL)
        told = {"location": self.path.name, "offset": str(offset), "length": str(length)}
        for entry, value in told.items():
            made.external_data.add(key=entry, value=value)
        return made

    def _write(self, array: Array) -> Place:
        self._file.write(b"\0" * (-self._file.tell() % ALIGNMENT))
        offset = self._file.tell()
        little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
        self._file.write(little.data)
        return Place(offset, little.nbytes)
