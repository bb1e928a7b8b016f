"""How fast a bundle is on this machine: stage by stage, beside the engine call alone, on the same inputs."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.reader import open_bundle
from edgekit.engines.protocol import EngineOptions
from edgekit.errors import BundleError
from edgekit.machine import Machine, this_machine
from edgekit.speed import ROUNDS, Speed, cold_command, measure_speed
from edgekit.tasks.content import golden_content
from edgekit.tasks.generate import Generate
from edgekit.tasks.golden import run_golden
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import find_variant, load
from edgekit.tasks.trace import Trace
from edgekit.types import Content, Question

STAGES = ("pre", "infer", "post", "total", "bare")


@dataclass(frozen=True, slots=True)
class Bench:
    """Latencies of one variant.

    Attributes:
        samples_ms: stage → one value a run; ``bare`` is the same engine calls again, alone, right after.
        load_ms: from the file to a loaded session, the bundle's cache already filled.
        first_ms: the first input after that.
        peak_rss_bytes: largest resident memory of this process so far.
        speed: of language models, beside the latencies of their short golden answers.
    """

    bundle: str
    task: str
    variant: str
    engine: str
    threads: int
    samples_ms: dict[str, list[float]]
    load_ms: float
    first_ms: float
    peak_rss_bytes: int
    machine: Machine
    speed: Speed | None = None

    def as_json(self) -> dict[str, Any]:
        """As ``edgekit bench --json`` prints it."""
        summary = {stage: percentiles(self.samples_ms[stage]) for stage in STAGES}
        return {
            "bundle": self.bundle,
            "task": self.task,
            "variant": self.variant,
            "engine": self.engine,
            "threads": self.threads,
            "n": len(self.samples_ms["total"]),
            "bare_ms": summary.pop("bare"),
            "latency_ms": summary,
            "load_ms": round(self.load_ms, 3),
            "first_ms": round(self.first_ms, 3),
            "peak_rss_bytes": self.peak_rss_bytes,
            **({} if self.speed is None else self.speed.as_json()),
            "machine": self.machine.as_json(),
        }


def percentiles(values: list[float]) -> dict[str, float]:
    """p50, p95 and p99 of a list of milliseconds, by linear interpolation."""
    p50, p95, p99 = np.percentile(values, [50, 95, 99])
    return {"p50": round(float(p50), 3), "p95": round(float(p95), 3), "p99": round(float(p99), 3)}


def bench(
    path: Path,
    variant: str | None = None,
    *,
    runs: int = 100,
    options: EngineOptions | None = None,
    engine: str | None = None,
    advance: Callable[[], None] = lambda: None,
    now_ns: Callable[[], int] = time.perf_counter_ns,
    measure: Callable[..., Speed] = measure_speed,
) -> Bench:
    """Times a variant on the bundle's own golden inputs, in turn.

    Args:
        path: the bundle.
        variant: the first by default.
        runs: how many inputs are timed, after one round of all of them to warm up.
        options: how the engine runs.
        engine: an engine's name; the model format's default otherwise.
        advance: called after each timed input.
        now_ns: monotonic clock; a test passes its own.
        measure: what times language models; a test passes its own.

    Raises:
        BundleError: the bundle is damaged or carries no golden input for this variant.
        UsageError: no such variant or engine.
    """
    bundle = open_bundle(path)
    chosen = find_variant(bundle.manifest, variant)
    goldens = [g for g in bundle.manifest.golden if g.variant == chosen.name]
    if not goldens:
        raise BundleError(f"{path.name}: variant {chosen.name} carries no golden input to time it on")
    inputs = [golden_content(bundle, golden) for golden in goldens]
    bundle.folder()  # unpacking is not part of loading
    start = now_ns()
    task = load(path, chosen.name, engine=engine, options=options)
    load_ms = (now_ns() - start) / 1e6
    first_ms = _timed(task, inputs[0], now_ns)["total"]
    for given in inputs:
        run_golden(task, given, Trace())
    samples: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for i in range(runs):
        for stage, value in _timed(task, inputs[i % len(inputs)], now_ns).items():
            samples[stage].append(value)
        advance()
    speed = None
    if isinstance(task, Generate):
        question = next((given for given in inputs if isinstance(given, Question)), None)
        speed = measure(task, cold_command(path, chosen.name, task.threads), min(runs, ROUNDS), question)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    return Bench(
        bundle.manifest.name, task.name, chosen.name, task.engine, task.threads, samples, load_ms, first_ms, peak,
        this_machine(), speed,
    )  # fmt: skip


def _timed(task: Task, given: Content | Question, now_ns: Callable[[], int]) -> dict[str, float]:
    trace = Trace(now_ns)
    start = now_ns()
    run_golden(task, given, trace)
    total = now_ns() - start
    return {
        **{s: ns / 1e6 for s, ns in trace.ns.items()},
        "total": total / 1e6,
        "bare": trace.bare_ns() / 1e6,
    }
