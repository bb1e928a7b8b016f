"""Engines in processes of their own that are asked in turns: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Worker:
    """An engine in its process.

    Args:
        name: of the engine.
        command: starts a process that calls :func:`serve`.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if self._line() != "ready":
            raise SystemExit(f"{name}: did not start: {' '.join(command)}")

    def ask(self, **asked: Any) -> dict[str, Any]:
        """Its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


def in_turns(workers: Sequence[Worker], count: int, **asked: Any) -> dict[str, list[dict[str, Any]]]:
    """Engine → its answers, one a turn; the first turn warms up and is left out."""
    found: dict[str, list[dict[str, Any]]] = {worker.name: [] for worker in workers}
    for turn in range(count + 1):
        for worker in workers:
            answer = worker.ask(**asked)
            if turn:
                found[worker.name].append(answer)
    for worker in workers:
        worker.close()
    return found


def print_ratios(found: Mapping[str, Sequence[Mapping[str, float]]], keys: Sequence[str]) -> None:
    """The others' seconds as multiples of ours in the same turn: median, least and most."""
    ours = found["edgekit"]
    for name, rows in found.items():
        for key in keys if name != "edgekit" else ():
            ratios = sorted(theirs[key] / mine[key] for theirs, mine in zip(rows, ours, strict=True))
            spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
            print(f"edgekit / {name}, {key[:-2]}: x{statistics.median(ratios):.2f} ({spread})")


def serve(start: Callable[[], Answer]) -> None:
    """Loads an engine and answers lines until there are no more."""
    told = os.fdopen(os.dup(1), "w")  # libraries print; the answers go by themselves
    os.dup2(2, 1)
    answer = start()
    print("ready", file=told, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), file=told, flush=True)
