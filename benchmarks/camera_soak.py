"""The camera loop for a long time: does memory grow, does latency, do results lag ever further behind?

    python benchmarks/camera_soak.py memory BUNDLE --frames 100000
    python benchmarks/camera_soak.py lag BUNDLE --seconds 120

``memory``: synthetic frames, each processed, as fast as it goes. Resident memory is read every 1,000 frames; its slope
is a least-squares line after the first 10,000. The latency of the last 10,000 frames is compared with the first's.

``lag``: frames at a fixed rate and a task that takes two intervals of it, so that every other frame is too much. Were
frames to queue, results would be older every second; their age shall stay within two intervals and one inference.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np

from edgekit.camera.spec import open_source
from edgekit.engines.protocol import EngineOptions
from edgekit.events import FrameDone, Observer
from edgekit.loop import Loop, LoopOptions
from edgekit.machine import this_machine
from edgekit.metrics import resident_bytes
from edgekit.sinks.tee import Tee
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import load
from edgekit.tasks.trace import Trace

EVERY = 1_000
WINDOW = 10_000
MAX_SLOPE_BYTES = 1_000_000
MAX_CHANGE = 0.10


class Recorder(Observer):
    """Keeps what each frame took, in arrays made before the start: a list that grows would be a leak of its own."""

    def __init__(self, frames: int) -> None:
        self.total_ns = np.full(
            frames, -1, np.int64
        )  # written to: pages of zeros come only when they are used
        self.task_ns = np.full(frames, -1, np.int64)
        self.rss_bytes = np.full(frames // EVERY + 1, -1, np.int64)
        self.done = 0

    def frame_done(self, event: FrameDone) -> None:
        """Notes a frame's times, and every thousandth time the memory."""
        if self.done == len(self.total_ns):
            return
        self.total_ns[self.done] = event.stages_ns["total"]
        self.task_ns[self.done] = sum(event.stages_ns[stage] for stage in ("pre", "infer", "post"))
        if self.done % EVERY == 0:
            self.rss_bytes[self.done // EVERY] = resident_bytes() or 0
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{self.done} frames")
        self.done += 1


class Slowed:
    """A task that takes ``seconds`` at least, its own time included."""

    def __init__(self, task: Task, seconds: float) -> None:
        self._task, self._seconds = task, seconds
        for name in ("name", "accepts", "bundle_name", "variant", "engine", "threads", "sessions"):
            setattr(self, name, getattr(task, name))

    def __call__(self, given, trace=None):
        """Computes, then sleeps for the rest of the time, which counts as inference."""
        trace = trace or Trace()
        end_s = time.perf_counter() + self._seconds
        result = self._task(given, trace)
        with trace.stage("infer"):
            time.sleep(max(end_s - time.perf_counter(), 0))
        return result


def memory(task: Task, frames: int, size: str) -> dict[str, object]:
    """Slope of resident memory, and latency of the last frames against the first."""
    source = open_source(f"synthetic:?fps=100&seconds=inf&size={size}")
    recorder = Recorder(frames)
    loop = Loop(source, task, Tee(), LoopOptions(frames=frames, paced=False), observers=[recorder])
    gc.collect()
    summary = loop.run(warm_up=True)
    taken = np.arange(len(recorder.rss_bytes))[: recorder.done // EVERY]
    after = taken[taken * EVERY >= min(WINDOW, frames // 2)]
    slope = float(np.polyfit(after, recorder.rss_bytes[after], 1)[0]) * WINDOW / EVERY
    window = min(WINDOW, frames // 3)
    first, last = recorder.total_ns[:window] / 1e6, recorder.total_ns[recorder.done - window :] / 1e6
    ratio = float(np.median(last) / np.median(first))
    return {
        "frames": summary.frames.as_json(),
        "rss_mb_every_10000": [round(int(b) / 1e6, 2) for b in recorder.rss_bytes[taken][:: WINDOW // EVERY]],
        "slope_bytes_per_10000": round(slope),
        "p50_ms_by_10000": [
            round(float(np.median(part)) / 1e6, 4)
            for part in np.array_split(recorder.total_ns[: recorder.done], max(recorder.done // WINDOW, 1))
        ],
        "p50_ratio_last_to_first": round(ratio, 4),
        "p10_ratio_last_to_first": round(float(np.percentile(last, 10) / np.percentile(first, 10)), 4),
        "threads_left": [t.name for t in threading.enumerate() if t.name.startswith("edgekit-")],
        "holds": slope <= MAX_SLOPE_BYTES and ratio <= 1 + MAX_CHANGE,
    }


def lag(task: Task, seconds: float, fps: float, size: str) -> dict[str, object]:
    """Ages of results of a consumer twice slower than the camera."""
    interval_ms = 1000 / fps
    source = open_source(f"synthetic:?fps={fps:g}&seconds={seconds:g}&size={size}")
    recorder = Recorder(round(seconds * fps))
    loop = Loop(source, Slowed(task, 2 / fps), Tee(), LoopOptions(), observers=[recorder])
    summary = loop.run(warm_up=True)
    total_ms = recorder.total_ns[: recorder.done] / 1e6
    inference_ms = float(np.median(recorder.task_ns[: recorder.done])) / 1e6
    bound_ms, p99_ms = 2 * interval_ms + inference_ms, float(np.percentile(total_ms, 99))
    return {
        "frames": summary.frames.as_json(),
        "interval_ms": round(interval_ms, 3),
        "inference_p50_ms": round(inference_ms, 3),
        "age_ms": {
            name: round(float(np.percentile(total_ms, q)), 3) for name, q in (("p50", 50), ("p99", 99))
        },
        "age_max_ms": round(float(total_ms.max()), 3),
        "age_p99_ms_by_tenth": [
            round(float(np.percentile(part, 99)), 1) for part in np.array_split(total_ms, 10)
        ],
        "bound_ms": round(bound_ms, 3),
        "holds": p99_ms <= bound_ms,
    }


def main() -> None:
    """Runs one of the two, prints what was measured; exit code 1 where it does not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("what", choices=("memory", "lag"))
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--variant")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--size", default="320x240")
    args = parser.parse_args()
    if args.what == "memory" and args.frames < 4 * EVERY:
        parser.error(
            f"--frames: expected at least {4 * EVERY}, got {args.frames}: memory is read every {EVERY}"
        )
    task = load(args.bundle, args.variant, options=EngineOptions(threads=args.threads))
    if args.what == "memory":
        found = memory(task, args.frames, args.size)
    else:
        found = lag(task, args.seconds, args.fps, args.size)
    about = {"machine": this_machine().as_json(), "bundle": task.bundle_name, "engine": task.engine}
    print(json.dumps({**about, "threads": task.threads, **found}, indent=1))
    sys.exit(0 if found["holds"] else 1)


if __name__ == "__main__":
    main()
