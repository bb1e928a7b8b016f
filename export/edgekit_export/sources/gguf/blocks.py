"""GGUF's blocks of codes as :class:`Blockwise`, to the bit.

Layouts: ``block_*`` of llama.cpp's ggml-common.h, ``dequantize_row_*`` of its ggml-quants.c. A K type's scales are
products of a float16 and a small whole number: 11 and up to 7 bits of mantissa fit float32 exactly, float16 not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from edgekit.types import U8, Array
from edgekit_export.quantize.blockwise import Blockwise

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

_LEVELS = np.array(
    [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.int16
).astype(np.uint8) ^ np.uint8(128)
"""The 16 uneven levels of IQ4 types (``kvalues_iq4nl`` of ggml-common.h), whole numbers that fit 8 bits around 128."""


def read_blocks(kind: str, data: U8, shape: tuple[int, int]) -> Blockwise:
    """A matrix in codes.

    ``dequantized()`` of the result equals ggml's own float32 values bit by bit: the same products and sums, in the
    same order.

    Args:
        kind: one of :data:`EXACT`.
        data: the tensor's bytes, whole blocks, row after row.
        shape: outputs and inputs.
    """
    return EXACT[kind](data, shape)


def _q8_0(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, codes = _split(data, 2, 32)
    return _blockwise(codes ^ np.uint8(128), 8, 32, shape, _float16(d), zeros=128)


def _q4_0(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, low = _split(data, 2, 16)
    return _blockwise(_nibbles(low), 4, 32, shape, _float16(d), zeros=8)


def _q4_1(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, m, low = _split(data, 2, 2, 16)
    return _blockwise(_nibbles(low), 4, 32, shape, _float16(d), minima=_float16(m))


def _q5_0(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, high, low = _split(data, 2, 4, 16)
    return _blockwise(_nibbles(low) | _fifth(high), 5, 32, shape, _float16(d), zeros=16)


def _q5_1(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, m, high, low = _split(data, 2, 2, 4, 16)
    return _blockwise(_nibbles(low) | _fifth(high), 5, 32, shape, _float16(d), minima=_float16(m))


def _q2_k(data: U8, shape: tuple[int, int]) -> Blockwise:
    packed, low, d, dmin = _split(data, 16, 64, 2, 2)
    scales, minima = _times(d, packed & 15), _times(dmin, packed >> 4)
    return _blockwise(_pairs(low), 2, 16, shape, scales, minima=-minima)


def _q3_k(data: U8, shape: tuple[int, int]) -> Blockwise:
    high, low, packed, d = _split(data, 32, 64, 12, 2)
    bits = (
        high[:, None, :] >> np.arange(8, dtype=np.uint8)[:, None]
    ) & 1  # a set bit: four is not taken away
    codes = _pairs(low) | (bits.reshape(-1, 256) << 2)
    nibbles = np.concatenate([packed[:, :8] & 15, packed[:, :8] >> 4], axis=1)
    upper = (packed[:, None, 8:] >> np.arange(0, 8, 2, dtype=np.uint8)[:, None]) & 3
    scales = (nibbles | (upper.reshape(-1, 16) << 4)).astype(np.int8) - np.int8(32)
    return _blockwise(codes, 3, 16, shape, _times(d, scales), zeros=4)


def _q4_k(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, dmin, packed, low = _split(data, 2, 2, 12, 128)
    scales, minima = _sixes(packed)
    codes = _nibbles(low.reshape(-1, 32))
    return _blockwise(codes, 4, 32, shape, _times(d, scales), minima=-_times(dmin, minima))


def _q5_k(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, dmin, packed, high, low = _split(data, 2, 2, 12, 32, 128)
    scales, minima = _sixes(packed)
    bits = (high[:, None, :] >> np.arange(8, dtype=np.uint8)[:, None]) & 1
    codes = _nibbles(low.reshape(-1, 32)).reshape(-1, 256) | (bits.reshape(-1, 256) << 4)
    return _blockwise(codes, 5, 32, shape, _times(d, scales), minima=-_times(dmin, minima))


def _q6_k(data: U8, shape: tuple[int, int]) -> Blockwise:
    low, high, scales, d = _split(data, 128, 64, 16, 2)
    codes = _nibbles(low.reshape(-1, 64)).reshape(-1, 256) | (_pairs(high) << 4)
    return _blockwise(codes, 6, 16, shape, _times(d, scales.view(np.int8)), zeros=32)


def _iq4_nl(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, low = _split(data, 2, 16)
    return _blockwise(_LEVELS[_nibbles(low)], 8, 32, shape, _float16(d), zeros=128)


def _iq4_xs(data: U8, shape: tuple[int, int]) -> Blockwise:
    d, upper, lower, low = _split(data, 2, 2, 4, 128)
    nibbles = np.stack([lower & 15, lower >> 4], axis=2).reshape(-1, 8)
    pairs = (upper[:, :, None] >> np.arange(0, 8, 2, dtype=np.uint8)) & 3
    scales = (nibbles | (pairs.reshape(-1, 8) << 4)).astype(np.int8) - np.int8(32)
    codes = _LEVELS[_nibbles(low.reshape(-1, 16))]
    return _blockwise(codes, 8, 32, shape, _times(d, scales), zeros=128)


EXACT: dict[str, Callable[[U8, tuple[int, int]], Blockwise]] = {
    "Q8_0": _q8_0,
    "Q4_0": _q4_0,
    "Q4_1": _q4_1,
    "Q5_0": _q5_0,
    "Q5_1": _q5_1,
    "Q2_K": _q2_k,
    "Q3_K": _q3_k,
    "Q4_K": _q4_k,
    "Q5_K": _q5_k,
    "Q6_K": _q6_k,
    "IQ4_NL": _iq4_nl,
    "IQ4_XS": _iq4_xs,
}
"""Types that :class:`Blockwise` holds exactly."""


def _split(data: U8, *sizes: int) -> list[Bytes]:
    """Parts of each block: ``(blocks, size)`` each."""
    blocks = data.reshape(-1, sum(sizes))
    ends = np.cumsum(sizes)
    return [blocks[:, end - size : end] for size, end in zip(sizes, ends, strict=True)]


def _float16(part: Bytes) -> Array:
    return np.ascontiguousarray(part).view("<f2")[:, 0]


def _times(d: Bytes, whole: Array) -> Array:
    """``(blocks, 1)`` float16 times ``(blocks, n)`` small whole numbers: exact in float32."""
    with np.errstate(invalid="ignore"):  # of a damaged file: who reads it refuses what is not finite
        found: Array = _float16(d).astype(np.float32)[:, None] * whole.astype(np.float32)
    return found


def _nibbles(low: Bytes) -> U8:
    """``(rows, n)`` bytes → ``(rows, 2n)``: the lower halves, then the upper ones."""
    return np.concatenate([low & 15, low >> 4], axis=1)


def _pairs(low: Bytes) -> U8:
    """``(blocks, 64)`` bytes → ``(blocks, 256)`` codes of two bits: of 32 bytes all lowest pairs, then the next."""
    spread = (low.reshape(-1, 2, 1, 32) >> np.arange(0, 8, 2, dtype=np.uint8)[:, None]) & 3
    return spread.reshape(-1, 256)


def _fifth(high: Bytes) -> U8:
    """``(blocks, 4)`` bytes → ``(blocks, 32)``: bit ``i`` of the word, as code 16."""
    return np.unpackbits(high, axis=1, bitorder="little") << 4


def _sixes(packed: Bytes) -> tuple[U8, U8]:
    """``(blocks, 12)`` bytes → eight scales and eight minima of six bits (``get_scale_min_k4``)."""
    d, m, both = packed[:, :4], packed[:, 4:8], packed[:, 8:]
    scales = np.concatenate([d & 63, (both & 15) | ((d >> 2) & 48)], axis=1)
    minima = np.concatenate([m & 63, (both >> 4) | ((m >> 2) & 48)], axis=1)
    return scales, minima


def _blockwise(
    codes: U8,
    bits: int,
    block: int,
    shape: tuple[int, int],
    scales: Array,
    zeros: int = 0,
    minima: Array | None = None,
) -> Blockwise:
    n, k = shape
    places = (n, k // block)
    return Blockwise(
        codes.reshape(n, k),
        bits,
        block,
        scales.reshape(places),
        zeros,
        None if minima is None else minima.reshape(places),
    )
