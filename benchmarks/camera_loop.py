"""The camera loop beside a plain OpenCV loop: same bundle, same clip, same pace, taken in turns.

    python benchmarks/camera_loop.py lite0.edge clip.mp4 --rounds 5 --frames 60

The plain loop is what one writes first: one thread that waits until the next frame is due, reads it, calls the
task. It has no second thread to wake, so it is the fastest that a paced loop can be for one frame; what it cannot
do is keep up when the task is slower than the camera. Both count from the frame's arrival to its result.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from edgekit.camera.opencv import open_video
from edgekit.deadline import NS_PER_S, Schedule
from edgekit.engines.protocol import EngineOptions
from edgekit.loop import Loop, LoopOptions
from edgekit.machine import this_machine
from edgekit.sinks.tee import Tee
from edgekit.tasks.protocol import Task
from edgekit.tasks.registry import default_threads, load
from edgekit.types import Frame


def plain_loop(task: Task, clip: Path, frames: int) -> list[float]:
    """Milliseconds from arrival to result of each frame, in one thread."""
    capture = cv2.VideoCapture(str(clip), cv2.CAP_FFMPEG)
    schedule = Schedule(time.perf_counter_ns(), capture.get(cv2.CAP_PROP_FPS))
    latencies = []
    for index in range(frames):
        time.sleep(max(schedule.due_ns(index) - time.perf_counter_ns(), 0) / NS_PER_S)
        ok, pixels = capture.read()
        if not ok:
            break
        arrived_ns = time.perf_counter_ns()
        task(Frame(pixels, "bgr"))
        latencies.append((time.perf_counter_ns() - arrived_ns) / 1e6)
    capture.release()
    return latencies


def our_loop(task: Task, clip: Path, frames: int) -> dict[str, float]:
    """p50 and p95 of ``total`` and of the bare engine call, and their sums and drops."""
    loop = Loop(open_video(clip), task, Tee(), LoopOptions(frames=frames))
    loop.warm_up()
    summary = loop.run()
    latency, bare = summary.ledger.latency_ms(), summary.ledger.bare_ms()
    if latency["total"] is None or bare is None:
        sys.exit("no bare engine call was made: give more --frames")
    stages = ("wait", "pre", "infer", "post", "sink")
    return {
        "stages_p50": sum(summary.ledger.stage(stage).as_ms()["p50"] for stage in stages),
        "total_p50": latency["total"]["p50"],
        "total_p95": latency["total"]["p95"],
        "bare_p50": bare["p50"],
        "bare_p95": bare["p95"],
        "bare_n": bare["n"],
        "dropped": sum(summary.frames.dropped.values()),
    }


def ratios(ours: dict[str, float], plain: list[float]) -> dict[str, float]:
    """The ratios of one round."""
    p50, p95 = (float(q) for q in np.percentile(plain, [50, 95]))
    return {
        "stages / bare, p50": ours["stages_p50"] / ours["bare_p50"],
        "total / bare, p50": ours["total_p50"] / ours["bare_p50"],
        "total / bare, p95": ours["total_p95"] / ours["bare_p95"],
        "total / plain loop, p50": ours["total_p50"] / p50,
        "total / plain loop, p95": ours["total_p95"] / p95,
        "plain loop / bare, p50": p50 / ours["bare_p50"],
        "bare ms, p50": ours["bare_p50"],
        "dropped": ours["dropped"],
    }


def main() -> None:
    """Runs the rounds and prints the median, least and largest of each ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--variant")
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    task = load(args.bundle, args.variant, options=EngineOptions(threads=args.threads))
    rounds: list[dict[str, float]] = []
    for number in range(args.rounds):  # who goes first changes, so that neither always finds a warm cache
        if number % 2:
            plain = plain_loop(task, args.clip, args.frames)
            ours = our_loop(task, args.clip, args.frames)
        else:
            ours = our_loop(task, args.clip, args.frames)
            plain = plain_loop(task, args.clip, args.frames)
        rounds.append(ratios(ours, plain))
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
    values = {name: [r[name] for r in rounds] for name in rounds[0]}
    table = {
        name: {"median": statistics.median(v), "least": min(v), "largest": max(v)}
        for name, v in values.items()
    }
    about = {
        "machine": this_machine().as_json(),
        "engine": task.engine,
        "threads": task.threads,
        "variant": task.variant,
        "rounds": args.rounds,
        "frames": args.frames,
    }
    if args.json:
        print(json.dumps({**about, "ratios": table}))
        return
    print(about)
    for name, row in table.items():
        print(f"{name:<26} {row['median']:7.3f}  ({row['least']:.3f} to {row['largest']:.3f})")


if __name__ == "__main__":
    main()
