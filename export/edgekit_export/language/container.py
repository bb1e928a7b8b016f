"""A blockwise weight in the form that the engine multiplies by: codes of 4 or 8 bits and whole zero points.

``MatMulNBits`` computes ``x · (scales · (codes − zeros))``. What it cannot hold, a float minimum a block, becomes a
second, small product: ``w = d (q − z) + m``, and with the block sums ``s`` of the input,
``x w = x · d (q − z') + s · (m + d (z' − z))`` for any whole ``z'``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.types import U8
from edgekit_export.quantize.blockwise import Blockwise

NARROW, BROAD = 4, 8
"""Widths that the engine multiplies by at speed."""


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """What the engine is given.

    Attributes:
        bits: 4 or 8.
        codes: ``(n, k)`` uint8.
        zeros: ``(n, k / block)`` uint8, or one for all, or ``None`` for the middle of the codes, which the engine takes
            by itself.
        lifted: ``z' − z``, what the minima are computed with; 0 where there are none.
    """

    bits: int
    codes: U8
    zeros: U8 | int | None
    lifted: int


def container_of(weight: Blockwise) -> Container:
    """The container that holds a weight's codes exactly, with the engine's own zero point where that is possible.

    Codes of a width of their own stay as they are: they are widened when the graph is loaded.
    """
    bits = NARROW if weight.bits <= NARROW else BROAD
    middle = 1 << (bits - 1)
    if not isinstance(weight.zeros, int):
        return Container(bits, weight.codes, weight.zeros, 0)
    if weight.minima is not None:
        return Container(bits, weight.codes, None, middle - weight.zeros)
    if weight.bits != bits:
        return Container(bits, weight.codes, weight.zeros, 0)
    shifted = weight.codes.astype(np.int16) + (middle - weight.zeros)
    if shifted.size and (shifted.min() < 0 or shifted.max() >= 1 << bits):
        return Container(bits, weight.codes, weight.zeros, 0)
    return Container(bits, shifted.astype(np.uint8), None, 0)


def packed_rows(values: U8, bits: int) -> U8:
    """Rows of codes in whole bytes, the first in the low bits.

    Args:
        values: ``(n, m)`` uint8.
        bits: 4 or 8.

    Returns:
        ``(n, ⌈m · bits / 8⌉)`` uint8.
    """
    if bits == BROAD:
        return values
    if values.shape[1] % 2:
        values = np.pad(values, ((0, 0), (0, 1)))
    joined: U8 = values[:, 0::2] | (values[:, 1::2] << NARROW)
    return joined
