"""Trials of allocations: the solver proposes, the written file decides."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Protocol

from edgekit.evaluation.outcome import Evaluation
from edgekit_export.budget.allocation import Allocation, Modes, Tables
from edgekit_export.budget.search import Trial
from edgekit_export.candidate import Candidate

_WRITINGS = 6
_FULL = 0.999
"""A bundle that fills its size to this share is not written again for what is left."""
_ROUNDING_MS = 1e-9
_VARIES = 0.02
"""Of a limit: times that differ by less are not told apart."""


class Workshop(Protocol):
    """Writes candidates and measures them.

    Attributes:
        samples: that there are to measure on; 0 if none.
    """

    samples: int

    def make(self, modes: Modes) -> Candidate:
        """Writes the variant of an allocation; each replaces the one before."""
        ...

    def size(self, candidate: Candidate) -> int:
        """Bytes of a bundle that holds the candidate alone."""
        ...

    def time(self, candidate: Candidate) -> tuple[Candidate, float]:
        """The candidate with its time, and the milliseconds that count."""
        ...

    def judge(self, candidate: Candidate, *, final: bool) -> Evaluation | None:
        """Measures it; unless ``final``, only until the verdict is clear."""
        ...


class BundleTrials:
    """Trials of one export.

    Attributes:
        tables: the choices.
        overhead_bytes: of a bundle beyond what the tables know: manifest, card, golden inputs, assets. It is
            corrected by every bundle that is written.
        overhead_ms: the same of the time: codes cost where they begin and end.
        least_ms: of all that were written and timed.

    Args:
        tables: the choices.
        workshop: writes and measures.
        max_ms: of the graphs for one input; ``None`` sets no limit, and nothing is timed.
    """

    def __init__(self, tables: Tables, workshop: Workshop, max_ms: float | None = None) -> None:
        self.tables = tables
        self.overhead_bytes = 0
        self.overhead_ms = 0.0
        self.least_ms = math.inf
        self._max_ms = max_ms
        self._evidence_bytes = 0
        self._workshop = workshop
        self._written: tuple[Modes, Candidate, int] | None = None
        smallest = tables.allocate(tables.smallest_bytes)
        assert smallest is not None
        self._write(smallest)

    @property
    def smallest_bytes(self) -> int:
        """Of any bundle, about."""
        return self.tables.smallest_bytes + self.overhead_bytes

    @property
    def largest_bytes(self) -> int:
        """Of the bundle beyond which nothing gets better, about."""
        return self.tables.largest_bytes + self.overhead_bytes

    def at(self, max_bytes: int, *, final: bool = False) -> Trial | None:
        """See :class:`edgekit_export.budget.search.Trials`."""
        best = None
        for _ in range(_WRITINGS):
            allocation = self._proposed(max_bytes)
            if allocation is None or (best is not None and allocation.noise >= best[0].noise):
                break
            before = self.overhead_bytes, self.overhead_ms
            candidate, size = self._write(allocation)
            fits = size <= max_bytes and self._in_time(allocation)
            if fits:
                best = allocation, candidate, size
            lower = self.overhead_bytes < before[0] or self._saved(before[1])
            if fits and (size >= _FULL * max_bytes or not lower):
                break
        if best is None:
            return None
        allocation, _, before = best
        candidate, _ = self._write(allocation)
        evaluation = self._workshop.judge(candidate, final=final)
        candidate = replace(candidate, evaluation=evaluation)
        size = self._workshop.size(candidate)
        if size > max_bytes:  # what was measured is told in the bundle, too
            self._evidence_bytes += size - before
            self._written = None
            return self.at(max_bytes, final=final)
        return Trial(allocation, candidate, size, self._workshop.samples)

    def again(self, trial: Trial) -> Candidate:
        """The candidate of an earlier trial, its files written once more if others took their place."""
        candidate, _ = self._write(trial.allocation)
        return candidate

    def _proposed(self, max_bytes: int) -> Allocation | None:
        """What is expected to be within the limits; where nothing is, the fastest, unless it was written just now."""
        size = max_bytes - self.overhead_bytes
        if self._max_ms is None:
            return self.tables.allocate(size)
        found = self.tables.allocate(size, self._max_ms - self.overhead_ms)
        if found is not None:
            return found
        fastest = self.tables.fastest(size)
        written = self._written is not None and fastest is not None and self._written[0] == fastest.modes
        return None if written else fastest

    def _in_time(self, written: Allocation) -> bool:
        """Whether what was written last, and has corrected the overhead, keeps its time."""
        return self._max_ms is None or written.ms + self.overhead_ms <= self._max_ms + _ROUNDING_MS

    def _saved(self, before_ms: float) -> bool:
        """Whether a writing was faster than expected by more than times vary."""
        return self._max_ms is not None and before_ms - self.overhead_ms > _VARIES * self._max_ms

    def _write(self, allocation: Allocation) -> tuple[Candidate, int]:
        """Candidate and bytes of its bundle, from the last writing where it was the same."""
        if self._written is None or self._written[0] != allocation.modes:
            candidate = self._workshop.make(allocation.modes)
            if self._max_ms is not None:
                candidate, ms = self._workshop.time(candidate)
                self.overhead_ms = ms - allocation.ms
                self.least_ms = min(self.least_ms, ms)
            size = self._workshop.size(candidate) + self._evidence_bytes
            self._written = allocation.modes, candidate, size
            self.overhead_bytes = size - allocation.model_bytes
        return self._written[1:]
