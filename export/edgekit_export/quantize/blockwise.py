"""A weight in codes by blocks along its inputs: the one form that all text models' matrices take here.

GGUF files are read into it, our own quantiser gives it, and the graph's writer takes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgekit.types import F32, U8, Array


@dataclass(frozen=True, slots=True, eq=False)
class Blockwise:
    """``weight[n, k] = scales[n, b] · (codes[n, k] − zeros[n, b]) + minima[n, b]`` with ``b = k // block``.

    Attributes:
        codes: ``(n, k)`` uint8, one code an element, 0 to ``2^bits − 1``; ``k`` a multiple of ``block``.
        bits: 2 to 8, width of a code as stored.
        block: 16, 32, 64 or 128.
        scales: ``(n, k / block)`` float16 or float32: what is stored.
        zeros: ``(n, k / block)`` uint8 whole-number zero points, or one number for all.
        minima: ``(n, k / block)`` float16 or float32, a float minimum a block; ``None`` for none.
    """

    codes: U8
    bits: int
    block: int
    scales: Array
    zeros: U8 | int
    minima: Array | None = None

    def __post_init__(self) -> None:
        n, k = self.codes.shape
        if not 2 <= self.bits <= 8 or self.block not in (16, 32, 64, 128) or k % self.block:
            raise ValueError(
                f"expected 2 to 8 bits and blocks of 16, 32, 64 or 128 that divide the inputs, "
                f"got {self.bits} bits, blocks of {self.block}, {k} inputs"
            )
        for name, part in (("scales", self.scales), ("zeros", self.zeros), ("minima", self.minima)):
            if isinstance(part, np.ndarray) and part.shape != (n, k // self.block):
                raise ValueError(f"{name}: expected shape {(n, k // self.block)}, got {part.shape}")
        if self.codes.size and int(self.codes.max()) >= 1 << self.bits:
            raise ValueError(f"codes of {self.bits} bits: got {int(self.codes.max())}")

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs and inputs of the matrix."""
        n, k = self.codes.shape
        return n, k

    def dequantized(self) -> F32:
        """``(n, k)`` float32: the products and sums in float32, in the order of the formula."""
        n, k = self.shape
        blocks = self.codes.reshape(n, -1, self.block).astype(np.float32)
        zeros = self.zeros if isinstance(self.zeros, int) else self.zeros.astype(np.float32)[..., None]
        weight = self.scales.astype(np.float32)[..., None] * (blocks - np.float32(zeros))
        if self.minima is not None:
            weight = weight + self.minima.astype(np.float32)[..., None]
        found: F32 = weight.reshape(n, k)
        return found

    def rows(self, index: Array) -> Blockwise:
        """Some outputs, in this order: exact, since no block crosses an output."""
        return Blockwise(
            self.codes[index],
            self.bits,
            self.block,
            self.scales[index],
            self.zeros if isinstance(self.zeros, int) else self.zeros[index],
            None if self.minima is None else self.minima[index],
        )

    @property
    def stored_bytes(self) -> int:
        """Bytes of codes, scales, zero points and minima as a bundle stores them, alignment aside."""
        n, k = self.shape
        zeros = 0 if isinstance(self.zeros, int) else zero_bytes(n, k // self.block, self.bits)
        floats = self.scales.nbytes + (0 if self.minima is None else self.minima.nbytes)
        return -(-n * k * self.bits // 8) + zeros + floats


def zero_bytes(outputs: int, blocks: int, bits: int) -> int:
    """Bytes of a zero point a block: half a byte each for codes of up to 4 bits, in rows of whole bytes, else as wide
    as codes are.
    """
    return outputs * -(-blocks // 2) if bits <= 4 else -(-outputs * blocks * bits // 8)
