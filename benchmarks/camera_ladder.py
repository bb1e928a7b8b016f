"""The ladder under heat that a simulated board makes of the loop's real work, through the real command line.

    python benchmarks/camera_ladder.py lite0.edge --ladder fp16,int8 --deadline 100ms

``edgekit camera --ladder`` runs in a process of its own on a synthetic source and reads its temperature from a folder
laid out like ``/sys``. This process follows the results, line by line, and lets the folder's temperature go towards

    ambient + 30 °C * (work done in the last second) / (work of the top rung, measured in the first 20 s)

with a time constant of 8 s. It is cold at first, then so hot around the board that the top rung passes the limit of
80 °C and the next one does not, then cold again: one step down and one up are right, and more would be oscillation.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from edgekit.machine import this_machine

COLD_C, HOT_C, HEATING_C, TAU_S = 30.0, 56.0, 30.0, 8.0
LEARN_S = 20.0


def ambient_c(now_s: float, seconds: float) -> float:
    """Cold for the first fifth, hot for the next two."""
    return HOT_C if 0.2 * seconds <= now_s < 0.6 * seconds else COLD_C


class Board:
    """A temperature, and the folder that tells it."""

    def __init__(self, root: Path) -> None:
        self._zone = root / "class/thermal/thermal_zone0"
        self._zone.mkdir(parents=True)
        (self._zone / "type").write_text("cpu-thermal\n")
        self.celsius = COLD_C
        self.tell()

    def tell(self) -> None:
        """Writes the temperature, in one rename so that no half of it is read."""
        partial = self._zone / "temp.partial"
        partial.write_text(f"{round(self.celsius * 1000)}\n")
        partial.replace(self._zone / "temp")

    def go(self, goal_c: float, seconds: float) -> None:
        """Lets time pass."""
        self.celsius += (goal_c - self.celsius) * (1 - math.exp(-seconds / TAU_S))
        self.tell()


def follow(lines: Path) -> Iterator[list[dict]]:
    """Every call gives the results that came since the last one; none while the file is not there."""
    offset, rest = 0, b""
    while True:
        data = b""
        if lines.is_file():
            with lines.open("rb") as file:
                file.seek(offset)
                data = file.read()
        offset += len(data)
        whole, _, rest = (rest + data).rpartition(b"\n")
        yield [json.loads(line) for line in whole.splitlines()]


def simulate(command: list[str], lines: Path, board: Board, seconds: float) -> dict:
    """Runs the command and the board beside it; what the command printed at its end."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    results = follow(lines)
    while not next(results):
        if process.poll() is not None:
            sys.exit(f"the camera ended with {process.returncode} before its first result")
        time.sleep(0.1)
    start_s = last_s = time.monotonic()
    top_work, learned = 0.0, 0
    while process.poll() is None:
        time.sleep(1.0)
        now_s = time.monotonic()
        done = next(results)
        work = sum(one["age_ms"] for one in done) / (now_s - last_s)
        if now_s - start_s < LEARN_S:
            top_work, learned = top_work + work, learned + 1
        share = work / (top_work / max(learned, 1)) if top_work else 0.0
        board.go(ambient_c(now_s - start_s, seconds) + HEATING_C * min(share, 1.5), now_s - last_s)
        last_s = now_s
        if int(now_s - start_s) % 10 == 0:
            by_variant = Counter(one["variant"] for one in done)
            print(
                f"{now_s - start_s:6.0f} s  around {ambient_c(now_s - start_s, seconds):.0f} °C  board "
                f"{board.celsius:5.1f} °C  work {share:4.2f}  {dict(by_variant)}",
                file=sys.stderr,
            )
    return json.loads(process.communicate()[0])


def main() -> None:
    """Runs it; exit code 1 where the steps are others than one down and one up."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--ladder", default="auto", help="the top two rungs matter")
    parser.add_argument("--deadline", default="200ms")
    parser.add_argument("--fps", type=float, default=15.0)
    parser.add_argument("--seconds", type=float, default=240.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        board = Board(Path(folder) / "sys")
        command = [sys.executable, "-m", "edgekit", "camera", str(args.bundle)]
        command += ["--source", f"synthetic:?fps={args.fps:g}&seconds={args.seconds:g}"]
        command += ["--ladder", args.ladder, "--deadline", args.deadline, "--thermal-root", f"{folder}/sys"]
        command += ["--results", f"{folder}/lines.jsonl", "--json"]
        summary = simulate(command, Path(folder) / "lines.partial.jsonl", board, args.seconds)
    ladder = summary["ladder"]
    names = [rung["variant"] for rung in ladder["rungs"]]
    ways = [names.index(step["to"]) - names.index(step["from"]) for step in ladder["steps"]]
    keys = ("frames", "latency_ms", "misses_by_cause", "verdict", "engine", "threads")
    about = {"machine": this_machine().as_json(), **{key: summary[key] for key in keys}}
    print(json.dumps({**about, "ladder": ladder, "holds": ways == [1, -1]}, indent=1))
    sys.exit(0 if ways == [1, -1] else 1)


if __name__ == "__main__":
    main()
