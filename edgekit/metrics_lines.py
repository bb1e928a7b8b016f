"""Figures of a running loop as JSON lines, one every ten seconds: for a device that no Prometheus asks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from edgekit.deadline import FrameCounts
from edgekit.figures import About, Figures
from edgekit.growing_file import GrowingFile
from edgekit.metrics import resident_bytes
from edgekit.unicode import encodable

EVERY_S = 10.0


class MetricsLines:
    """Appends a snapshot a line, from a thread of its own, and one at the end.

    Args:
        target: the file; lines of earlier runs stay.
        figures: what is written.
        every_s: pause between two lines.
        unix_s: wall clock.

    Raises:
        OutputError: it cannot be written there.
    """

    def __init__(
        self,
        target: Path,
        figures: Figures,
        every_s: float = EVERY_S,
        unix_s: Callable[[], float] = time.time,
    ) -> None:
        self._file = GrowingFile(target)
        self._figures = figures
        self._every_s = every_s
        self._unix_s = unix_s
        self._bundle = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgekit-metrics", daemon=True)

    def begin(self, about: About, _counts: FrameCounts) -> None:
        """Starts the thread."""
        self._bundle = about.bundle
        self._thread.start()

    def close(self) -> None:
        """Writes the last line.

        Raises:
            OutputError: a line could not be written.
        """
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
            self.write()
        self._file.close()

    def write(self) -> None:
        """Writes one line; after one that failed, none."""
        figures = {key: value for key, value in self._figures.snapshot().items() if key != "timeline"}
        line = {
            "schema": 1,
            "unix_s": round(self._unix_s(), 3),
            "bundle": self._bundle,
            **figures,
            "rss_bytes": resident_bytes(),
        }
        self._file.write(msgspec.json.encode(encodable(line)) + b"\n")

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            self.write()
