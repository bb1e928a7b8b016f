"""How long the graphs of variants take for one input: run in turns, so that whatever else the machine does hits all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Call, Trace
from edgekit.types import Content

BUDGET_S = 2.0
LEAST, MOST = 5, 50
"""Rounds, however long or short they are."""
_WARM_UP = 1


@dataclass(frozen=True, slots=True)
class Timing:
    """The time of a variant's graphs for one input: one call of each.

    Attributes:
        ms: the median.
        of_full_precision: share of what full precision takes in the same rounds; ``None`` where there is none.
        n: rounds.
        estimated_ms: on the processor that was asked for, where it is not this machine's.
        max_ms: the limit, of the estimate where there is one; ``None`` if none was asked for.
    """

    ms: float
    of_full_precision: float | None
    n: int
    estimated_ms: float | None = None
    max_ms: float | None = None

    @property
    def counted_ms(self) -> float:
        """What a limit is held against."""
        return self.ms if self.estimated_ms is None else self.estimated_ms

    @property
    def holds(self) -> bool:
        """Within the limit, if there is one."""
        return self.max_ms is None or self.counted_ms <= self.max_ms


def in_turns(
    runs: Sequence[Callable[[int], object]],
    budget_s: float = BUDGET_S,
    now_ns: Callable[[], int] = time.perf_counter_ns,
) -> list[list[float]]:
    """Runs all in turns, round after round, until the time is over: five rounds at least, and fifty at most.

    Args:
        runs: each is told the round's number.
        budget_s: for all together, warm-up included.
        now_ns: monotonic clock.

    Returns:
        For each the milliseconds of its rounds; a first round does not count.
    """
    start, number = now_ns(), 0
    found: list[list[float]] = [[] for _ in runs]
    while number < _WARM_UP + LEAST or (number < _WARM_UP + MOST and now_ns() - start < budget_s * 1e9):
        for run, times in zip(runs, found, strict=True):
            before = now_ns()
            run(number)
            times.append((now_ns() - before) / 1e6)
        number += 1
    return [times[_WARM_UP:] for times in found]


def one_call_each(task: Task, contents: Iterable[Content]) -> Callable[[int], None]:
    """A function that runs every graph of a task once, on what these inputs give it, another one in each round."""
    calls: dict[str, list[Call]] = {}
    for content in contents:
        trace = Trace()
        task(content, trace)
        for call in trace.calls:
            calls.setdefault(call.role, []).append(call)

    def run(number: int) -> None:
        for made in calls.values():
            call = made[number % len(made)]
            call.session.run(call.feeds)

    return run


def timings(
    tasks: Sequence[Task],
    reference: Task | None,
    contents: Sequence[Content],
    budget_s: float = BUDGET_S,
    now_ns: Callable[[], int] = time.perf_counter_ns,
) -> list[Timing]:
    """Times tasks, full precision beside them.

    Args:
        tasks: loaded by the options that ship.
        reference: full precision, if there is any.
        contents: inputs.
        budget_s: for all together.
        now_ns: monotonic clock.
    """
    sides = [*tasks, *([] if reference is None else [reference])]
    rounds = in_turns([one_call_each(task, contents) for task in sides], budget_s, now_ns)
    medians = [statistics.median(times) for times in rounds]
    full = None if reference is None else medians[-1]
    return [
        Timing(round(ms, 4), None if full is None else round(ms / full, 3), len(rounds[0]))
        for ms in medians[: len(tasks)]
    ]
