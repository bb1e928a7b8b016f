"""Weights of 4 to 14 bits, packed into whole bytes and unpacked by the graph itself.

ONNX has four-bit integers from opset 21 on and nothing between 4 and 8 bits. Here a code plus ``limit + 1`` is cut
into planes of 8, 4, 2 and 1 bits, each plane packed into bytes, and unpacked in float32: divide by a power of two,
take the floor, subtract. All of it is exact, and an engine that folds constants does it once, when it loads the
model; any engine of opset 18 can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.types import Array

_BYTE = 8
_WIDTHS = (8, 4, 2, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Some bits of every code of a layer.

    Attributes:
        bits: 1, 2, 4 or 8.
        packed: ``(⌈size · bits / 8⌉,)`` uint8. Digit ``j`` of byte ``i``, lowest first, is of code
            ``j · len(packed) + i``, so that digits unpack as runs.
    """

    bits: int
    packed: Array


def pack(codes: Array, bits: int) -> list[Plane]:
    """The planes of a layer's codes, highest first.

    Args:
        codes: whole numbers within ``±(2^(bits − 1) − 1)``, any shape, in C order.
        bits: 1 to 15.

    Raises:
        ValueError: a code that the bits cannot hold.
    """
    offset = 1 << (bits - 1)
    rest = np.asarray(codes).reshape(-1).astype(np.int64) + offset
    if rest.size and (rest.min() < 0 or rest.max() >= 2 * offset):
        raise ValueError(f"codes of {bits} bits: expected −{offset} to {offset - 1}")
    planes = []
    for width in (w for w in reversed(_WIDTHS) if bits & w):
        planes.append(Plane(width, _pack_digits(rest & ((1 << width) - 1), width)))
        rest = rest >> width
    return planes[::-1]


def _pack_digits(digits: Array, bits: int) -> Array:
    per_byte = _BYTE // bits
    runs = np.zeros((per_byte, -(-len(digits) // per_byte)), np.int64)
    runs.reshape(-1)[: len(digits)] = digits
    packed: Array = sum(run << (bits * j) for j, run in enumerate(runs)).astype(np.uint8)
    return packed
