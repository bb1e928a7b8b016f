"""Operators of a TFLite graph as functions of its tensors: shapes are followed, constants made on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edgekit.types import Array
from edgekit_export.tflite.writer import GraphWriter, Value

_CLASSES = {"MAXIMUM": "MaximumMinimumOptions", "MINIMUM": "MaximumMinimumOptions"}


class Operations:
    """Adds operators to a graph, each with a tensor of its own.

    Attributes:
        writer: of the graph.
    """

    def __init__(self, writer: GraphWriter) -> None:
        self.writer = writer
        self._made = 0

    def apply(
        self,
        kind: str,
        inputs: Sequence[Value],
        shape: Sequence[int | None],
        options: Mapping[str, Any] | None = None,
        dtype: str = "float32",
        *,
        version: int = 1,
    ) -> Value:
        """An operator with one output of this shape; see :meth:`GraphWriter.add`."""
        self._made += 1
        made = self.writer.tensor(f"{kind.lower()}{self._made}", shape, dtype)
        self.writer.add(kind, inputs, [made], options, version=version)
        return made

    def both(self, kind: str, left: Value, right: Value) -> Value:
        """An operator on pairs of elements: ``ADD``, ``SUB``, ``MUL``, ``DIV``, ``MAXIMUM``, ``MINIMUM``."""
        options = {"": _CLASSES.get(kind, f"{kind.title()}Options")}
        return self.apply(kind, [left, right], _broadcast(left.shape, right.shape), options, left.dtype)

    def pair(self, kind: str, left: Value, right: Array) -> Value:
        """The same with a constant of few numbers."""
        return self.both(kind, left, self.writer.small(right))

    def compare(self, kind: str, left: Value, right: Value) -> Value:
        """1 where a comparison holds, else 0; float32."""
        shape = _broadcast(left.shape, right.shape)
        return self.cast(self.apply(kind, [left, right], shape, dtype="bool"), "float32")

    def cast(self, source: Value, dtype: str) -> Value:
        """The same numbers in another type."""
        return self.apply("CAST", [source], source.shape, dtype=dtype)

    def reduce(self, kind: str, source: Value, axis: int, *, keep: bool = False) -> Value:
        """``SUM``, ``MEAN``, ``REDUCE_MAX`` or ``REDUCE_MIN`` over an axis; ``keep`` leaves it with one index."""
        rest = [1] if keep else []
        shape = [*source.shape[:axis], *rest, *source.shape[axis + 1 :]]
        inputs = [source, self.writer.small(np.int32([axis]))]
        return self.apply(kind, inputs, shape, {"": "ReducerOptions", "keepDims": keep}, source.dtype)

    def gather(self, table: Value, rows: Value) -> Value:
        """Rows of a table, ``(n, …)``."""
        shape = (rows.shape[0], *table.shape[1:])
        return self.apply("GATHER", [table, rows], shape, {"": "GatherOptions", "axis": 0}, table.dtype)

    def reshape(self, source: Value, shape: Sequence[int | None]) -> Value:
        """The same numbers in another shape, in which the interpreter finds one side that is ``None``."""
        wanted = self.writer.small(np.int32([-1 if side is None else side for side in shape]))
        return self.apply("RESHAPE", [source, wanted], shape, dtype=source.dtype)

    def swap(self, source: Value) -> Value:
        """``(a, b, c)`` → ``(b, a, c)``."""
        return self.turn(source, (1, 0, 2))

    def turn(self, source: Value, order: Sequence[int]) -> Value:
        """Axes in another order, as ``np.transpose`` has it."""
        shape = [source.shape[axis] for axis in order]
        return self.apply(
            "TRANSPOSE", [source, self.writer.small(np.int32(order))], shape, dtype=source.dtype
        )

    def product(self, left: Value, right: Value, *, turned: bool = False) -> Value:
        """Matrix products of the last two axes; ``turned`` takes the right one's rows as columns."""
        shape = (*left.shape[:-1], right.shape[-2 if turned else -1])
        return self.apply("BATCH_MATMUL", [left, right], shape, {"": "BatchMatMulOptions", "adjY": turned})

    def rms_normal(self, source: Value, epsilon: float) -> Value:
        """RMS norm over the last axis (Zhang and Sennrich 2019, equation 4), without its weight."""
        mean = self.reduce("MEAN", self.both("MUL", source, source), len(source.shape) - 1, keep=True)
        root = self.apply("RSQRT", [self.pair("ADD", mean, np.float32([epsilon]))], mean.shape)
        return self.both("MUL", source, root)

    def join(self, parts: Sequence[Value], axis: int) -> Value:
        """Tensors one behind the other."""
        sides = [part.shape[axis] for part in parts]
        shape = list(parts[0].shape)
        shape[axis] = None if None in sides else sum(side for side in sides if side is not None)
        return self.apply("CONCATENATION", parts, shape, {"": "ConcatenationOptions", "axis": axis})

    def slice(self, source: Value, axis: int, start: int, count: int | None) -> Value:
        """A part of an axis; ``None`` for all behind ``start``."""
        begin, size = np.zeros(len(source.shape), np.int32), np.full(len(source.shape), -1, np.int32)
        begin[axis], size[axis] = start, -1 if count is None else count
        shape = [*source.shape[:axis], count, *source.shape[axis + 1 :]]
        inputs = [source, self.writer.small(begin), self.writer.small(size)]
        return self.apply("SLICE", inputs, shape, {"": "SliceOptions"}, source.dtype)

    def split(self, source: Value, axis: int, sides: tuple[int, int]) -> tuple[Value, Value]:
        """Two parts of an axis."""
        return self.slice(source, axis, 0, sides[0]), self.slice(source, axis, sides[0], sides[1])


def _broadcast(left: Sequence[int | None], right: Sequence[int | None]) -> tuple[int | None, ...]:
    """The shape of both together; a side that a caller chooses wins over 1."""
    longest = max(len(left), len(right))
    first, second = ((1,) * (longest - len(shape)) + tuple(shape) for shape in (left, right))
    return tuple(two if one == 1 else one for one, two in zip(first, second, strict=True))
