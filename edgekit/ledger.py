"""Where the time of every frame went: quantiles a stage, in constant memory however long the loop runs."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

LoopStage: TypeAlias = Literal["capture", "wait", "pre", "infer", "post", "sink", "total"]
"""``capture``: reading and decoding (and, for a camera, waiting for its next picture). ``wait``: arrival to
start of processing. ``pre infer post``: inside the task. ``sink``: annotating and writing. ``total``: arrival
to end of sink, so it is ``wait + pre + infer + post + sink`` and what lies between them."""

STAGES: tuple[LoopStage, ...] = get_args(LoopStage)

QUANTILES: tuple[tuple[str, float], ...] = (("p50", 0.50), ("p95", 0.95), ("p99", 0.99))

EXACT_LIMIT = 8192
"""Durations that are kept as they are: 64 kB a stage, eleven minutes at 12.5 frames a second."""

STEPS_PER_OCTAVE = 128
"""Resolution beyond that: buckets are 2**(1/128) wide, so a value is off by at most 0.28 %."""

_OCTAVES = 42  # up to 2**42 ns, 73 minutes; longer ones count as that


class Durations:
    """Quantiles of a stream of durations: exact up to a limit, then from a histogram of fixed resolution.

    The histogram is logarithmic, 5,376 counters over 42 octaves. When the list of exact values passes its
    limit it is folded into the histogram and given up.
    """

    def __init__(self, exact_limit: int = EXACT_LIMIT) -> None:
        if exact_limit < 1:
            raise ValueError(f"exact_limit: expected at least 1, got {exact_limit}")
        self.count = 0
        self._exact_limit = exact_limit
        self._exact: array[int] | None = array("q")
        self._buckets = np.zeros(0, np.int64)

    @property
    def exact(self) -> bool:
        """Whether quantiles are still exact."""
        return self._exact is not None

    def add(self, duration_ns: int) -> None:
        """Adds one duration in nanoseconds; below 0 counts as 0."""
        self.count += 1
        if self._exact is None:
            self._buckets[_bucket_of_one(duration_ns)] += 1
            return
        self._exact.append(max(duration_ns, 0))
        if len(self._exact) > self._exact_limit:
            self._fold(self._exact)

    def quantile_ns(self, q: float) -> float:
        """The ``q`` quantile, 0 to 1, linear between ranks (numpy's default, Hyndman and Fan's type 7).

        Raises:
            ValueError: nothing was added yet, or ``q`` outside 0 to 1.
        """
        if self.count == 0 or not 0 <= q <= 1:
            raise ValueError(f"quantile {q} of {self.count} durations: expected 0 to 1, of at least one")
        if self._exact is not None:
            return float(np.quantile(np.frombuffer(self._exact, np.int64), q))
        rank = q * (self.count - 1)
        low, high = (self._value_at(r) for r in (math.floor(rank), math.ceil(rank)))
        return low + (high - low) * (rank - math.floor(rank))

    def as_ms(self) -> dict[str, float]:
        """``{"p50", "p95", "p99"}`` in milliseconds, to the microsecond."""
        return {name: round(self.quantile_ns(q) / 1e6, 3) for name, q in QUANTILES}

    def _fold(self, exact: array[int]) -> None:
        buckets = _bucket_of(np.frombuffer(exact, np.int64))
        self._buckets = np.bincount(buckets, minlength=_OCTAVES * STEPS_PER_OCTAVE)
        self._exact = None

    def _value_at(self, rank: int) -> float:
        bucket = int(np.searchsorted(np.cumsum(self._buckets), rank, side="right"))
        return 0.0 if bucket == 0 else float(2 ** ((bucket + 0.5) / STEPS_PER_OCTAVE))


class Ledger:
    """Durations of every stage of the loop."""

    def __init__(self, exact_limit: int = EXACT_LIMIT) -> None:
        self._stages: dict[LoopStage, Durations] = {stage: Durations(exact_limit) for stage in STAGES}
        self.bare = Durations(exact_limit)

    def add(self, durations_ns: Mapping[LoopStage, int]) -> None:
        """Adds one frame's durations."""
        for stage, duration_ns in durations_ns.items():
            self._stages[stage].add(duration_ns)

    def stage(self, stage: LoopStage) -> Durations:
        """The durations of one stage."""
        return self._stages[stage]

    def latency_ms(self) -> dict[str, dict[str, float] | None]:
        """Stage → ``{"p50", "p95", "p99"}`` in milliseconds, or ``None`` where nothing was measured."""
        return {name: stage.as_ms() if stage.count else None for name, stage in self._stages.items()}

    def bare_ms(self) -> dict[str, float | int] | None:
        """``{"p50", "p95", "p99", "n"}`` of the engine calls alone, or ``None`` where none was made."""
        return {**self.bare.as_ms(), "n": self.bare.count} if self.bare.count else None


def _bucket_of(duration_ns: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Buckets of durations: ``floor(128 * log2(ns))``; 0 and 1 ns share the first."""
    steps = np.log2(np.maximum(duration_ns, 1)) * STEPS_PER_OCTAVE
    buckets: npt.NDArray[np.int64] = np.minimum(steps, _OCTAVES * STEPS_PER_OCTAVE - 1).astype(np.int64)
    return buckets


def _bucket_of_one(duration_ns: int) -> int:
    """The same of one duration: a tenth of the time that an array of one takes, seven times a frame."""
    return min(int(math.log2(max(duration_ns, 1)) * STEPS_PER_OCTAVE), _OCTAVES * STEPS_PER_OCTAVE - 1)
