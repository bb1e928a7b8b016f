"""OpenMetrics of a running loop, for Prometheus (``edgekit[preview]``: prometheus-client).

The loop's thread adds to plain counters; families are made when somebody asks. No label's values are open-ended:
stages, causes and states are fixed, and variants are those of one bundle.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from edgekit.deadline import MISS_CAUSES, NS_PER_S, FrameCounts
from edgekit.errors import EnvironmentLacks
from edgekit.events import AnswerTold, CameraChanged, CameraState, FrameDone, Observer
from edgekit.figures import About, Figures
from edgekit.ledger import STAGES, LoopStage

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.033, 0.05, 0.075, 0.1, 0.15, 0.2, 0.35, 0.5, 1.0, 2.5)
"""Upper bounds of latency: fine where deadlines are."""

ANSWER_BOUNDS_S = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
CAMERA_STATES: tuple[CameraState, ...] = get_args(CameraState)
STATM = Path("/proc/self/statm")


class Histogram:
    """Counts of durations up to each bound, and their sum.

    Args:
        bounds_s: upper bounds in seconds, ascending; a value equal to one belongs to it.
    """

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self._bounds_ns = [round(bound * NS_PER_S) for bound in bounds_s]
        self._names = [*(str(bound) for bound in bounds_s), "+Inf"]
        self._counts = [0] * len(self._names)
        self._sum_ns = 0

    def add(self, duration_ns: int) -> None:
        """Counts one duration; below 0 (the clock leapt) counts as 0."""
        self._counts[bisect_left(self._bounds_ns, duration_ns)] += 1
        self._sum_ns += max(duration_ns, 0)

    def buckets(self) -> tuple[list[tuple[str, float]], float]:
        """``(upper bound, how many up to it)`` for each bound, and the sum in seconds."""
        total, rows = 0, []
        for name, count in zip(self._names, self._counts, strict=True):
            total += count
            rows.append((name, float(total)))
        return rows, self._sum_ns / NS_PER_S


class Metrics(Observer):
    """Counts what happens, and gives it as OpenMetrics text.

    Args:
        figures: told of the same events; gauges come from it.

    Raises:
        EnvironmentLacks: prometheus-client is not installed.
    """

    CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

    def __init__(self, figures: Figures) -> None:
        if find_spec("prometheus_client") is None:
            raise EnvironmentLacks(
                "metrics: needs prometheus-client, which is not installed", 'pip install "edgekit[preview]"'
            )
        self._figures = figures
        self._lock = threading.Lock()
        self._stages: dict[LoopStage, Histogram] = {stage: Histogram(BOUNDS_S) for stage in STAGES}
        self._answers = Histogram(ANSWER_BOUNDS_S)
        self._questions = 0
        self._asked: int | None = None
        self._camera: Counter[str] = Counter()
        self._variants: Counter[str] = Counter()
        self._misses: Counter[str] = Counter()
        self._counts = FrameCounts()
        self._about: About | None = None

    def begin(self, about: About, counts: FrameCounts) -> None:
        """Tells what runs, and where the loop counts its frames."""
        self._about, self._counts = about, counts

    def frame_done(self, event: FrameDone) -> None:
        """Counts a result."""
        with self._lock:
            for stage, histogram in self._stages.items():
                histogram.add(event.stages_ns[stage])
            if event.missed:
                self._misses[event.cause or "late"] += 1
            self._variants[event.outcome.variant] += 1

    def camera_changed(self, event: CameraChanged) -> None:
        """Counts a change of the camera's state."""
        with self._lock:
            self._camera[event.state] += 1

    def answer_told(self, event: AnswerTold) -> None:
        """Counts a question when it is asked, and its answer when it is whole."""
        with self._lock:
            self._questions += event.number != self._asked
            self._asked = event.number
            if event.whole:
                self._answers.add(event.at_ns - event.frame_ns)

    def text(self) -> bytes:
        """All of it in OpenMetrics 1.0 text format."""
        from prometheus_client import CollectorRegistry
        from prometheus_client.openmetrics.exposition import generate_latest

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)  # it collects: nothing more is asked of it
        return bytes(generate_latest(registry))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        """The families, as prometheus-client asks for them."""
        snapshot = self._figures.snapshot()
        with self._lock:  # not while the text is made: the loop may be waiting
            counted = [*self._frames(), *self._latency(), *self._events(snapshot)]
        yield from counted
        yield from _gauges(snapshot, self._about)

    def _frames(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        counts = self._counts.as_json()
        yield CounterMetricFamily("edgekit_frames_read", "Frames that the source gave.", value=counts["read"])
        results = CounterMetricFamily("edgekit_results", "Frames processed, by variant.", labels=["variant"])
        for variant, n in self._variants.items():
            results.add_metric([variant], n)
        yield results
        dropped = CounterMetricFamily(
            "edgekit_frames_dropped", "Frames that were not processed.", labels=["cause"]
        )
        for cause, n in counts["dropped"].items():
            dropped.add_metric([cause], n)
        yield dropped
        misses = CounterMetricFamily(
            "edgekit_deadline_misses",
            "Results later than the deadline, by what took the time.",
            labels=["cause"],
        )
        for cause in MISS_CAUSES:
            misses.add_metric([cause], self._misses[cause])
        yield misses

    def _latency(self) -> Iterator[Metric]:
        from prometheus_client.core import HistogramMetricFamily

        family = HistogramMetricFamily(
            "edgekit_stage_duration_seconds",
            "Time of each frame by stage; total is from arrival to end of sink.",
            labels=["stage"],
            unit="seconds",
        )
        for stage, histogram in self._stages.items():
            rows, total = histogram.buckets()
            family.add_metric([stage], rows, total)
        yield family
        rows, total = self._answers.buckets()
        yield HistogramMetricFamily(
            "edgekit_answer_age_seconds",
            "Time from a frame's arrival to the whole answer about it.",
            buckets=rows,
            sum_value=total,
            unit="seconds",
        )

    def _events(self, snapshot: Mapping[str, Any]) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily

        changes = CounterMetricFamily(
            "edgekit_camera_changes", "Changes of the camera's state, by the new one.", labels=["state"]
        )
        for state in CAMERA_STATES:
            changes.add_metric([state], self._camera[state])
        yield changes
        yield CounterMetricFamily(
            "edgekit_variant_changes", "How often another variant took over.", snapshot["variant"]["changes"]
        )
        yield CounterMetricFamily("edgekit_questions", "Questions asked beside the loop.", self._questions)


def _gauges(snapshot: Mapping[str, Any], about: About | None) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, StateSetMetricFamily

    state = snapshot["camera"]["state"]
    yield StateSetMetricFamily(
        "edgekit_camera_state",
        "Of the camera.",
        {one: one == state for one in CAMERA_STATES if one != "changed"},
    )
    if about is not None:
        told = {"bundle": about.bundle, "task": about.task, "engine": about.engine}
        yield InfoMetricFamily("edgekit_loop", "What runs.", {**told, "variant": snapshot["variant"]["name"]})
    drop = snapshot["variant"]["drop"]
    deadline_ms = None if about is None else about.deadline_ms
    gauges = (
        ("edgekit_variant_drop_points", "Measured accuracy drop of the variant, in points of its metric.", "",
         None if drop is None else drop["value"]),
        ("edgekit_deadline_seconds", "From arrival to end of sink.", "seconds", _seconds(deadline_ms)),
        ("edgekit_last_frame_age_seconds", "Since the frame of the newest result arrived.", "seconds",
         _seconds(snapshot["age_ms"])),
        ("edgekit_temperature_celsius", "Of the processor.", "celsius", snapshot["temperature_c"]),
        ("edgekit_throttled", "Whether the processor is slowed.", "", float(bool(snapshot["throttled"]))),
        ("edgekit_resident_memory_bytes", "Of this process.", "bytes", resident_bytes()),
    )  # fmt: skip
    for name, help_, unit, value in gauges:
        if value is not None:
            yield GaugeMetricFamily(name, help_, value=value, unit=unit)


def resident_bytes(statm: Path = STATM) -> int | None:
    """Memory of this process that is in RAM; ``None`` where the system does not tell.

    Args:
        statm: the kernel's file; a test passes its own.
    """
    import os

    try:
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return None


def _seconds(value_ms: float | None) -> float | None:
    return None if value_ms is None else value_ms / 1000
