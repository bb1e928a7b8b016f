"""One evaluator for all rows: the validator's comparison with full precision, and latency taken in turns."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from benchmarks.quantiser_peers.network import Network
from benchmarks.quantiser_peers.rows import Row
from edgekit.cli.output import progress
from edgekit.evaluate import compare
from edgekit.evaluation.outcome import Evaluation
from edgekit.tasks.protocol import Task
from edgekit.tasks.trace import Trace
from edgekit.types import Content

DISTINCT = 32
"""Samples of the evaluation data that latency is taken on, in turn."""


@dataclass(frozen=True)
class Figures:
    """What was measured of one row.

    Attributes:
        bytes: of the model files.
        disagreement: decisions that differ from full precision's, in percent, with its 95 % interval.
        rise: of the error rate against the true texts, in points, with its interval; ``None`` without them.
        sqnr_db: of the graph's outputs; ``None`` where they are equal or cannot be compared.
        latency_ratio: median of the engine's time over full precision's in the same turn.
    """

    bytes: int
    disagreement: tuple[float, float, float]
    rise: tuple[float, float, float] | None
    sqnr_db: float | None
    latency_ratio: float


def measure(network: Network, rows: Sequence[Row], rounds: int) -> list[Figures]:
    """Measures rows that run, the first being full precision.

    Args:
        network: with its evaluation data.
        rows: without those that failed.
        rounds: turns of latency.
    """
    name, data = network.source.name, network.evaluation
    with progress(f"{name}: measure {len(rows) - 1} rows", len(data)) as advance:
        found = compare(rows[0].side, [row.side for row in rows[1:]], data, advance=advance)
    with progress(f"{name}: latency", rounds) as advance:
        inputs = [sample.content for sample in islice(data, DISTINCT)]
        tasks = [row.task for row in rows if row.task is not None]
        ratios = latency_ratios(tasks, inputs, rounds, advance)
    full = Figures(rows[0].bytes, (0.0, 0.0, 0.0), None, None, 1.0)
    others = zip(rows[1:], found.evaluations, ratios[1:], strict=True)
    return [full, *(_figures(row.bytes, evaluation, ratio) for row, evaluation, ratio in others)]


def _figures(size: int, found: Evaluation, ratio: float) -> Figures:
    told = (found.drop, *found.interval)
    if found.metric == "disagreement":
        return Figures(size, told, None, found.sqnr_db, ratio)
    low, high = found.agreement_interval
    changed = (100 - found.agreement, 100 - high, 100 - low)
    return Figures(size, changed, told, found.sqnr_db, ratio)


def latency_ratios(tasks: Sequence[Task], inputs: Sequence[Content], rounds: int, advance) -> list[float]:
    """Median over turns of each task's engine time over the first one's in the same turn."""
    ratios: list[list[float]] = [[] for _ in tasks]
    for i in range(rounds):
        given = inputs[i % len(inputs)]
        turn = [_engine_ns(task, given) for task in tasks]
        for all_of_it, ns in zip(ratios, turn, strict=True):
            all_of_it.append(ns / turn[0])
        advance()
    return [statistics.median(ratio) for ratio in ratios]


def _engine_ns(task: Task, given: Content) -> int:
    trace = Trace()
    task(given, trace)
    return trace.ns["infer"]
