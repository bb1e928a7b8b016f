"""Every fault of a camera at three moments of a run: does the loop recover, and what is left behind?

    edgekit export fastestdet -o fastestdet.edge
    python benchmarks/camera_faults.py fastestdet.edge

Each run is a process of its own over a camera that fails once as planned (``docs/camera-sources.md``). The table says
when the first good result came after the fault's end, the exit code that ``edgekit camera`` would give, whether every
frame is accounted for, which threads are left, how much more memory is resident at the end than before the fault, and
what the loop noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from edgekit.camera.faults import FAULT_KINDS, Fault, FaultPlan
from edgekit.camera.faulty import FaultySource, Timeline, clock_of
from edgekit.camera.synthetic import SyntheticSource
from edgekit.cli.camera import exit_code
from edgekit.engines.protocol import EngineOptions
from edgekit.events import CameraChanged, FrameDone, Observer
from edgekit.loop import Loop, LoopOptions
from edgekit.machine import this_machine
from edgekit.metrics import resident_bytes
from edgekit.sinks.tee import Tee
from edgekit.tasks.registry import load

SECONDS = 60.0
MOMENTS_S = (5.0, 25.0, 45.0)
DURATIONS_S = {
    "unplug": 4.0,
    "freeze": 8.0,  # longer than it takes to be noticed
    "stall": 8.0,  # so that the watchdog leaves the read behind
    "corrupt": 8.0,  # so that the camera is opened again
    "burst": 4.0,
    "clockjump": 10.0,
    "resize": 4.0,
}
FPS, SIZE_WH = 15.0, (320, 240)
MAX_RECOVERY_S = 5.0
MAX_GROWTH_BYTES = 4_000_000  # a new thread brings an arena of malloc with it
SETTLED_S = 2.0  # before the fault: what is resident then is where memory has to be back


class Witness(Observer):
    """Notes by a clock of its own when results come, how old they are, and what the camera was said to do."""

    def __init__(self, line: Timeline, fault: Fault) -> None:
        self.recovered_s: float | None = None
        self.before_bytes = 0
        self.states: list[str] = []
        self._line, self._fault = line, fault

    def frame_done(self, event: FrameDone) -> None:
        """Notes the first result after the fault, and the memory before it."""
        now_s = self._line.now_s()
        over_s = self._fault.start_s if self._fault.kind == "clockjump" else self._fault.end_s
        if now_s < self._fault.start_s - SETTLED_S / 2:
            self.before_bytes = resident_bytes() or 0
        took_s = 0.0 if self._fault.kind == "clockjump" else event.stages_ns["total"] / 1e9
        if self.recovered_s is None and now_s - took_s >= over_s:  # of a frame that arrived after the fault
            self.recovered_s = now_s - over_s

    def camera_changed(self, event: CameraChanged) -> None:
        """Notes a state."""
        self.states.append(event.state)


def run(bundle: Path, fault: Fault, seconds: float) -> dict[str, object]:
    """One run with one fault."""
    line = Timeline()
    source = FaultySource(SyntheticSource(FPS, seconds, SIZE_WH), FaultPlan((fault,)), FPS, seconds, line)
    witness = Witness(line, fault)
    task = load(bundle, options=EngineOptions(threads=1))
    threads = set(threading.enumerate())
    loop = Loop(source, task, Tee(), LoopOptions(), observers=[witness], now_ns=clock_of(source))
    summary = loop.run(warm_up=True)
    counts = summary.frames
    return {
        "fault": str(fault),
        "recovered_s": witness.recovered_s,
        "exit_code": exit_code(summary),
        "ended": summary.ending,
        "frames": counts.as_json(),
        "unaccounted": counts.unaccounted,
        "threads_left": sorted(thread.name for thread in set(threading.enumerate()) - threads),
        "growth_bytes": (resident_bytes() or 0) - witness.before_bytes,
        "told": witness.states,
        "camera": summary.camera,
    }


def holds(row: dict[str, object]) -> bool:
    """Whether a run shows what it must."""
    recovered_s, growth = row["recovered_s"], row["growth_bytes"]
    return (
        isinstance(recovered_s, float)
        and recovered_s <= MAX_RECOVERY_S
        and isinstance(growth, int)
        and growth <= MAX_GROWTH_BYTES
        and (row["exit_code"], row["unaccounted"], row["threads_left"]) == (0, 0, [])
        and row["ended"] == "end_of_source"
    )


def in_own_process(bundle: Path, fault: Fault, seconds: float) -> dict[str, object]:
    """One run in a process of its own."""
    words = [fault.kind, str(fault.start_s), str(fault.seconds)]
    command = [sys.executable, __file__, str(bundle), "--seconds", str(seconds), "--one", *words]
    environment = os.environ | {"ORT_DISABLE_TELEMETRY": "1"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 120, check=True, env=environment
    )
    row: dict[str, object] = json.loads(done.stdout)
    print(f"{row['fault']}: {'holds' if holds(row) else 'DOES NOT HOLD'}", file=sys.stderr)
    return row


def show(rows: list[dict[str, object]]) -> None:
    """The table."""
    print(
        f"{'fault':<22} {'recovered':>9} {'exit':>4} {'read':>5} {'done':>5} {'dropped':<30} {'left':>4} "
        f"{'memory':>8} {'reopened':>8}  told"
    )
    for row in rows:
        frames, camera = row["frames"], row["camera"]
        dropped = ", ".join(f"{n} {cause}" for cause, n in frames["dropped"].items() if n) or "none"
        recovered = "never" if row["recovered_s"] is None else f"{row['recovered_s']:.2f} s"
        print(
            f"{row['fault']:<22} {recovered:>9} {row['exit_code']:>4} {frames['read']:>5} {frames['processed']:>5} "
            f"{dropped:<30} {len(row['threads_left']):>4} {row['growth_bytes'] / 1e6:>+5.2f} MB "
            f"{camera['reconnects']:>8}  {' '.join(row['told']) or '–'}{'' if holds(row) else '   DOES NOT HOLD'}"
        )


def main() -> int:
    """Runs the matrix, or one cell of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path, help="of a task that takes pictures")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run")
    parser.add_argument("--jobs", type=int, default=4, help="runs at a time; they mostly wait")
    parser.add_argument("--one", nargs=3, metavar=("KIND", "START_S", "SECONDS"), help="one run, as JSON")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.one:
        kind, start_s, seconds = args.one
        print(json.dumps(run(args.bundle, Fault(kind, float(start_s), float(seconds)), args.seconds)))
        return 0
    scale = args.seconds / SECONDS
    faults = [
        Fault(kind, moment_s * scale, DURATIONS_S[kind]) for kind in FAULT_KINDS for moment_s in MOMENTS_S
    ]
    start_s = time.monotonic()
    with ThreadPoolExecutor(args.jobs) as pool:
        rows = list(pool.map(lambda fault: in_own_process(args.bundle, fault, args.seconds), faults))
    if args.json:
        print(json.dumps({"machine": this_machine().as_json(), "rows": rows}))
    else:
        show(rows)
        held = sum(map(holds, rows))
        print(f"{held} of {len(rows)} hold; {time.monotonic() - start_s:.0f} s; {this_machine().as_json()}")
    return 0 if all(map(holds, rows)) else 1


if __name__ == "__main__":
    sys.exit(main())
