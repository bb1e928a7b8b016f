"""Latency over time in a fixed number of steps: what plots draw of a run, however long it is."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from edgekit.ledger import STAGES, LoopStage


@dataclass(slots=True)
class Step:
    """What came in one stretch of time.

    Attributes:
        slot: number of the stretch, on the grid of the timeline's width.
        n: results.
        misses: those of them that came later than the deadline.
        sums_ns: total of each stage's times, in the order of ``STAGES``.
        worst_ns: longest time of the stage ``total``.
    """

    slot: int
    n: int = 0
    misses: int = 0
    sums_ns: list[int] = field(default_factory=lambda: [0] * len(STAGES))
    worst_ns: int = 0

    def add(self, stages_ns: Mapping[LoopStage, int], missed: bool) -> None:
        """Counts one result."""
        self.n += 1
        self.misses += missed
        for i, stage in enumerate(STAGES):
            self.sums_ns[i] += stages_ns[stage]
        self.worst_ns = max(self.worst_ns, stages_ns["total"])

    def merged(self, other: Step, slot: int) -> Step:
        """Both as one."""
        sums_ns = [a + b for a, b in zip(self.sums_ns, other.sums_ns, strict=True)]
        worst_ns = max(self.worst_ns, other.worst_ns)
        return Step(slot, self.n + other.n, self.misses + other.misses, sums_ns, worst_ns)


class Timeline:
    """Steps of equal width, at most ``limit`` of them from the first to the last.

    Args:
        width_ns: of a step, to begin with.
        limit: of the number of steps, at least 2.
        when_full: ``forget`` the oldest steps (a moving window), or ``widen`` all to twice their width (a whole run).
    """

    def __init__(self, width_ns: int, limit: int, when_full: Literal["forget", "widen"]) -> None:
        if width_ns < 1 or limit < 2:
            raise ValueError(f"expected a width above 0 and a limit above 1, got {width_ns} and {limit}")
        self.width_ns = width_ns
        self._limit = limit
        self._widens = when_full == "widen"
        self._steps: deque[Step] = deque()

    @property
    def steps(self) -> tuple[Step, ...]:
        """Those in which something came, oldest first; what comes later changes none of them."""
        steps = list(self._steps)
        if steps:  # the only one that changes
            steps[-1] = steps[-1].merged(Step(0), steps[-1].slot)
        return tuple(steps)

    def add(self, at_ns: int, stages_ns: Mapping[LoopStage, int], missed: bool) -> None:
        """Counts a result; one from before the newest step counts for that."""
        slot = at_ns // self.width_ns
        if self._steps:
            slot = max(slot, self._steps[-1].slot)
        if not self._steps or self._steps[-1].slot != slot:
            self._steps.append(Step(slot))
        self._steps[-1].add(stages_ns, missed)
        while self._steps[-1].slot - self._steps[0].slot >= self._limit:
            self._shorten()

    def _shorten(self) -> None:
        if not self._widens:
            self._steps.popleft()
            return
        self.width_ns *= 2
        wider: deque[Step] = deque()
        for step in self._steps:
            slot = step.slot // 2
            before = wider.pop() if wider and wider[-1].slot == slot else Step(slot)
            wider.append(before.merged(step, slot))
        self._steps = wider

    def as_json(self, now_ns: int | None = None) -> dict[str, Any]:
        """See :func:`steps_json`; it ends with the last step unless ``now_ns`` is given."""
        steps = self.steps
        end_ns = (steps[-1].slot + 1) * self.width_ns if steps else 0
        return steps_json(steps, self.width_ns, end_ns if now_ns is None else now_ns)


def steps_json(steps: Sequence[Step], width_ns: int, until_ns: int) -> dict[str, Any]:
    """``{"step_ms", "until_ms", "at_ms", "n", "misses", "worst_ms", "mean_ms": {stage: […]}}``, a value a step.

    Args:
        steps: oldest first.
        width_ns: of each.
        until_ns: where the plot ends.
    """
    per_ms = [1e-6 / max(step.n, 1) for step in steps]
    width_ms = width_ns / 1e6
    return {
        "step_ms": width_ms,
        "until_ms": until_ns / 1e6,
        "at_ms": [step.slot * width_ms for step in steps],
        "n": [step.n for step in steps],
        "misses": [step.misses for step in steps],
        "worst_ms": [round(step.worst_ns / 1e6, 3) for step in steps],
        "mean_ms": {
            stage: [round(step.sums_ns[i] * each, 3) for step, each in zip(steps, per_ms, strict=True)]
            for i, stage in enumerate(STAGES)
        },
    }
