"""How a text model's matrices are stored in a TFLite graph, and multiplied with: docs/decisions/tflite-text.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from edgekit.types import F32, Array
from edgekit_export.quantize.blockwise import Blockwise
from edgekit_export.quantize.tiered import Tiered
from edgekit_export.tflite.operations import Operations
from edgekit_export.tflite.writer import Value

_DEQUANTIZE_HALF = 3
_HYBRID_PRODUCT = 4
_HYBRID_CONNECTED = 9
"""First versions of ``DEQUANTIZE`` that take float16, and of ``BATCH_MATMUL`` and ``FULLY_CONNECTED`` that take int8
beside float32."""

_BYTE = 8
_STEPS = np.float32([255])
_NO_SPAN = np.float32([1e-30])
"""Keeps a row of zeros from being divided by 0."""


Read = Callable[[str], F32 | Blockwise | Tiered]


class _Stored(NamedTuple):
    """Codes ``(blocks, outputs, block)`` int8, scales ``(blocks, 1, outputs)``, minima ``(outputs, blocks)``."""

    codes: Value
    scales: Value
    minima: Value | None


class _Even(NamedTuple):
    """Codes ``(outputs, inputs)`` int8, scales ``(1, outputs)``."""

    codes: Value
    scales: Value


class Matrices:
    """Matrices of a graph, each stored once, whoever reads it.

    Those in float32 stay so. Those in codes, :class:`Blockwise`, are int8 with a scale for every block of inputs, and
    are computed so: a block is a product of its own, as the engine's int8 kernels know nothing of blocks; scales come
    behind it, then the sum. What is multiplied with is cut into two digits of 8 bits, block by block: the one that the
    engine makes of it, and the one that it makes of the rest. So products are right to 16 bits.

    Those with a scale an output, :class:`Tiered`, go through the engine's own kernel: one digit, a scale a row, as
    their ONNX graphs have it.

    Args:
        read: a matrix by name, ``(outputs, inputs)``.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._stored: dict[str, Value | _Stored | _Even] = {}

    def embed(self, do: Operations, name: str, ids: Value) -> Value:
        """Rows of a table, ``(tokens, hidden)`` float32."""
        stored = self._matrix(do, [name])
        if isinstance(stored, Value):
            return do.apply("EMBEDDING_LOOKUP", [ids, stored], (None, stored.shape[1]))
        assert isinstance(stored, _Stored)
        blocks, rows, block = stored.codes.shape
        assert blocks is not None and rows is not None and block is not None
        places = do.pair(
            "ADD", do.reshape(ids, (None, 1)), np.arange(blocks, dtype=np.int32)[None] * np.int32(rows)
        )
        places = do.reshape(places, (None,))
        codes = do.gather(do.writer.view(stored.codes, (blocks * rows, block)), places)
        scales = do.gather(do.writer.view(stored.scales, (blocks * rows, 1)), places)
        real = do.both("MUL", do.cast(codes, "float32"), do.cast(scales, "float32"))
        found = do.reshape(real, (None, blocks, block))
        if stored.minima is not None:
            minima = do.cast(do.gather(stored.minima, ids), "float32")
            found = do.both("ADD", found, do.reshape(minima, (None, blocks, 1)))
        return do.reshape(found, (None, blocks * block))

    def multiply(self, do: Operations, names: Sequence[str], source: Value) -> Value:
        """``(rows, inputs)`` → ``(rows, outputs)``, of several matrices one behind the other."""
        stored = self._matrix(do, names)
        if isinstance(stored, Value):
            return _connected(do, source, stored)
        if isinstance(stored, _Even):
            options = {"": "FullyConnectedOptions", "asymmetricQuantizeInputs": True}
            shape = (source.shape[0], stored.codes.shape[0])
            found = do.apply(
                "FULLY_CONNECTED", [source, stored.codes], shape, options, version=_HYBRID_CONNECTED
            )
            return do.both("MUL", found, stored.scales)
        blocks, outputs, block = stored.codes.shape
        parts = do.reshape(source, (None, blocks, block))
        high = do.swap(parts)
        digits = do.join([high, _rest(do, high)], 1)
        options = {"": "BatchMatMulOptions", "adjY": True, "asymmetricQuantizeInputs": True}
        shape = (blocks, None, outputs)
        products = do.apply("BATCH_MATMUL", [digits, stored.codes], shape, options, version=_HYBRID_PRODUCT)
        summed = do.reduce("SUM", do.both("MUL", products, _real(do, stored.scales)), 0)
        found = do.reduce("SUM", do.reshape(summed, (2, None, outputs)), 0)
        if stored.minima is None:
            return found
        return do.both("ADD", found, _connected(do, do.reduce("SUM", parts, 2), _real(do, stored.minima)))

    def _matrix(self, do: Operations, names: Sequence[str]) -> Value | _Stored | _Even:
        if names[0] not in self._stored:
            read = [self._read(name) for name in names]
            coded = [each for each in read if isinstance(each, Blockwise)]
            even = [each for each in read if isinstance(each, Tiered)]
            if len(even) == len(read):
                codes = np.concatenate([each.integers() for each in even])
                scales = np.concatenate([each.scales for each in even])[None]
                self._stored[names[0]] = _Even(
                    do.writer.constant(names[0], codes), do.writer.constant(f"{names[0]}.scales", scales)
                )
            elif len(coded) == len(read):
                self._stored[names[0]] = _store(do, names[0], coded)
            else:
                real = [each if isinstance(each, np.ndarray) else each.dequantized() for each in read]
                self._stored[names[0]] = do.writer.constant(names[0], np.concatenate(real))
        return self._stored[names[0]]


def _connected(do: Operations, source: Value, matrix: Value) -> Value:
    options = {"": "FullyConnectedOptions"}
    return do.apply("FULLY_CONNECTED", [source, matrix], (None, matrix.shape[0]), options)


def _store(do: Operations, name: str, coded: Sequence[Blockwise]) -> _Stored:
    """Writes matrices one behind the other, all in blocks of the smallest size that one of them has."""
    block = min(each.block for each in coded)
    codes, scales, minima = (
        np.concatenate(parts) for parts in zip(*(_signed(each, block) for each in coded), strict=True)
    )
    turned = codes.reshape(*scales.shape, block).swapaxes(0, 1)
    return _Stored(
        do.writer.constant(name, np.ascontiguousarray(turned)),
        do.writer.constant(f"{name}.scales", np.ascontiguousarray(scales.T[:, None])),
        do.writer.constant(f"{name}.minima", minima) if minima.any() else None,
    )


def _signed(given: Blockwise, block: int) -> tuple[Array, Array, Array]:
    """Codes around 0, ``(n, k)``, and scales and minima of smaller blocks, ``(n, k / block)``; all exact.

    Minima are in float32 where zero points go into them.
    """
    centre = 1 << (given.bits - 1)
    if isinstance(given.zeros, int) and given.bits < _BYTE:
        centre = given.zeros
    minima = np.zeros(given.scales.shape, np.float16) if given.minima is None else given.minima
    shift = np.asarray(centre, np.float32) - given.zeros
    if np.any(shift):
        minima = minima.astype(np.float32) + given.scales.astype(np.float32) * shift
    codes = (given.codes.astype(np.int16) - centre).astype(np.int8)
    parts = given.block // block
    return codes, given.scales.repeat(parts, axis=1), minima.repeat(parts, axis=1)


def _rest(do: Operations, source: Value) -> Value:
    """What the engine's 8-bit codes lose of each row, ``(blocks, rows, block)``.

    XNNPACK's: 255 steps from the least number to the greatest, 0 among them (``xnn_qd8_quantization_params``), and
    nearest whole steps. Where it rounds otherwise, in the last bit of a step, the rest is a step too much, and the
    product as good as with one digit.
    """
    nothing = np.float32([0])
    greatest = do.pair("MAXIMUM", do.reduce("REDUCE_MAX", source, 2, keep=True), nothing)
    least = do.pair("MINIMUM", do.reduce("REDUCE_MIN", source, 2, keep=True), nothing)
    span = do.pair("ADD", do.both("SUB", greatest, least), _NO_SPAN)
    per_unit = do.both("DIV", do.writer.small(_STEPS), span)
    steps = do.apply("ROUND", [do.both("MUL", source, per_unit)], source.shape)
    return do.both("SUB", source, do.both("MUL", steps, do.pair("MUL", span, 1 / _STEPS)))


def _real(do: Operations, stored: Value) -> Value:
    """A constant in float32; the engine expands one of float16 once, when it loads."""
    if stored.dtype == "float32":
        return stored
    return do.apply("DEQUANTIZE", [stored], stored.shape, version=_DEQUANTIZE_HALF)
