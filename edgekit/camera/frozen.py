"""Whether a camera still sees anything: the same picture again and again is a broken one.

A driver may go on handing out its last buffer after the cable was pulled (opencv #14044), and a network camera may
repeat its last picture when its sensor hangs. A working sensor has noise: two of its pictures are never the same.
"""

from __future__ import annotations

import zlib
from typing import Literal, TypeAlias

import numpy as np

from edgekit.camera.patience import LONGEST_FROZEN_S
from edgekit.deadline import NS_PER_S
from edgekit.types import U8

Motion: TypeAlias = Literal["moving", "still", "frozen", "reopen"]

MIN_REPEATS = 5
"""Repeats without which nothing is frozen, however long they took: a clock may leap, a slow camera may be watched."""

_SAMPLE_SIDE = 16


class FrozenWatch:
    """Compares each picture with the one before: a coarse sample of it first, all of it only where that is equal.

    Args:
        patience_s: for so long the same picture is merely still; ``None``: for ever.
    """

    def __init__(self, patience_s: float | None) -> None:
        self._patience_s = patience_s
        self._sample = b""
        self._digest: int | None = None
        self._repeats = 0
        self._since_ns = 0
        self._next_s = patience_s

    @property
    def since_ns(self) -> int:
        """When the picture was first the present one."""
        return self._since_ns

    def see(self, pixels: U8, now_ns: int) -> Motion:
        """What the next picture says.

        Returns:
            ``moving``: it is another one. ``still``: it is the same. ``frozen``: it has been for longer than the
            patience, told once. ``reopen``: it has been for twice, four times … as long.
        """
        if self._patience_s is None or self._next_s is None:
            return "moving"
        if not self._same(pixels):
            self._repeats, self._since_ns, self._next_s = 0, now_ns, self._patience_s
            return "moving"
        self._repeats += 1
        if self._repeats < MIN_REPEATS or now_ns - self._since_ns < self._next_s * NS_PER_S:
            return "still"
        motion: Motion = "frozen" if self._next_s == self._patience_s else "reopen"
        self._next_s += min(self._next_s, max(LONGEST_FROZEN_S, self._patience_s))
        return motion

    def forget(self) -> None:
        """The camera was away: its next picture begins anew."""
        self._sample = b""

    def _same(self, pixels: U8) -> bool:
        height, width = pixels.shape[:2]
        sample = pixels[:: max(height // _SAMPLE_SIDE, 1), :: max(width // _SAMPLE_SIDE, 1)].tobytes()
        if sample != self._sample:
            self._sample, self._digest = sample, None
            return False
        digest = zlib.crc32(np.ascontiguousarray(pixels).data)
        known, self._digest = self._digest, digest
        return known is None or known == digest
