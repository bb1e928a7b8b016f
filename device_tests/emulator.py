"""Runs Python on a device: one that qemu emulates, or the machine itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TIMEOUT_S = 600.0

# What the wheel's console script does, without a script for each interpreter.
CONSOLE_SCRIPT = (
    "import sys; from importlib.metadata import entry_points; "
    "(command,) = entry_points(group='console_scripts', name='edgekit'); "
    "sys.argv[0] = 'edgekit'; sys.exit(command.load()())"
)


@dataclass(frozen=True, slots=True)
class Finished:
    """What became of a process.

    Attributes:
        code: exit code; negative: the signal that ended it.
        stdout: all that it printed.
        stderr: all that it complained.
    """

    code: int
    stdout: str
    stderr: str

    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout.

        Raises:
            ValueError: stdout is none.
        """
        return json.loads(self.stdout)


@dataclass(frozen=True, slots=True)
class Device:
    """Something that runs Python with edgekit's built wheel.

    Attributes:
        name: as tests call it.
        python: command that starts its interpreter.
        site: folders with its packages, in order.
        home: folder of its own, for caches and results.
    """

    name: str
    python: tuple[str, ...]
    site: tuple[Path, ...]
    home: Path

    def run(self, *args: str | Path, timeout_s: float = TIMEOUT_S) -> Finished:
        """Runs the interpreter with these arguments, with nothing of the caller's environment.

        Raises:
            subprocess.TimeoutExpired: it took longer, and was killed.
        """
        done = subprocess.run(
            [*self.python, *map(str, args)],
            env=self._environment(),
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout_s,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    def code(self, source: str, *args: str | Path, timeout_s: float = TIMEOUT_S) -> Finished:
        """Runs Python source."""
        return self.run("-c", source, *args, timeout_s=timeout_s)

    def edgekit(self, *args: str | Path, timeout_s: float = TIMEOUT_S) -> Finished:
        """Runs the command line through the entry point that the wheel declares."""
        return self.code(CONSOLE_SCRIPT, *args, timeout_s=timeout_s)

    def _environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "EDGEKIT_CACHE_DIR": str(self.home / "cache"),
            "PYTHONPATH": os.pathsep.join(map(str, self.site)),
            "PYTHONNOUSERSITE": "1",
            "PYTHONHASHSEED": "0",
            "ORT_DISABLE_TELEMETRY": "1",  # a thread of its own, and instruction counts that do not repeat
            "OPENBLAS_NUM_THREADS": "1",
        }


def this_machine(site: Path, home: Path) -> Device:
    """The machine that runs the tests, with the packages of the running interpreter behind the built wheel."""
    return Device("host", (sys.executable,), (site,), home)
