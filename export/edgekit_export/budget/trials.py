"""Trials of allocations: the solver proposes, the written file decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from edgekit.evaluation.outcome import Evaluation
from edgekit_export.budget.allocation import Modes, Tables
from edgekit_export.budget.search import Trial
from edgekit_export.candidate import Candidate

_WRITINGS = 6
_FULL = 0.999
"""A bundle that fills its size to this share is not written again for what is left."""


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

    def judge(self, candidate: Candidate, *, final: bool) -> Evaluation | None:
        """Measures it; unless ``final``, only until the verdict is clear."""
        ...


class BundleTrials:
    """Trials of one export.

    Attributes:
        tables: the choices.
        overhead_bytes: of a bundle beyond what the tables know: manifest, card, golden inputs, assets. It is
            corrected by every bundle that is written.

    Args:
        tables: the choices.
        workshop: writes and measures.
    """

    def __init__(self, tables: Tables, workshop: Workshop) -> None:
        self.tables = tables
        self.overhead_bytes = 0
        self._evidence_bytes = 0
        self._workshop = workshop
        self._written: tuple[Modes, Candidate, int] | None = None
        smallest = tables.allocate(tables.smallest_bytes)
        assert smallest is not None
        self._write(smallest.modes, smallest.model_bytes)

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
            allocation = self.tables.allocate(max_bytes - self.overhead_bytes)
            if allocation is None:
                break
            before = self.overhead_bytes
            candidate, size = self._write(allocation.modes, allocation.model_bytes)
            if size <= max_bytes and (best is None or size >= best[2]):
                best = allocation, candidate, size
            if size <= max_bytes and (size >= _FULL * max_bytes or self.overhead_bytes >= before):
                break
        if best is None:
            return None
        allocation, _, before = best
        candidate, _ = self._write(allocation.modes, allocation.model_bytes)
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
        candidate, _ = self._write(trial.allocation.modes, trial.allocation.model_bytes)
        return candidate

    def _write(self, modes: Modes, model_bytes: int) -> tuple[Candidate, int]:
        """Candidate and bytes of its bundle, from the last writing where it was the same."""
        if self._written is None or self._written[0] != modes:
            candidate = self._workshop.make(modes)
            self._written = modes, candidate, self._workshop.size(candidate) + self._evidence_bytes
            self.overhead_bytes = self._written[2] - model_bytes
        return self._written[1:]
