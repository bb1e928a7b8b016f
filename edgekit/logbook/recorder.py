"""Records a run, a line a frame, from a thread of its own.

The loop's thread puts events in a bounded queue. The recorder's thread writes what is there twice a second, in one
call and with whole lines, so that a process that is killed leaves a file that is whole up to its last line.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from edgekit import __version__
from edgekit.deadline import FrameCounts
from edgekit.events import AnswerTold, CameraChanged, FrameDone, Observer, VariantChanged
from edgekit.figures import About
from edgekit.growing_file import GrowingFile
from edgekit.logbook.lines import (
    VERSION,
    AnswerLine,
    CameraLine,
    CountsLine,
    EndLine,
    FrameLine,
    GapLine,
    Head,
    Line,
    VariantLine,
    encode,
    short,
)
from edgekit.machine import this_machine

QUEUE = 65_536
"""Lines that may wait for a slow disk: half an hour at 30 frames a second."""

WRITE_S = 0.5


class Recorder(Observer):
    """Writes a recorded ledger.

    Args:
        target: the file; one that is there is replaced.
        now_ns: the loop's clock.
        unix_s: the wall clock.
        queue: lines that may wait.

    Raises:
        OutputError: it cannot be written there.
    """

    def __init__(
        self,
        target: Path,
        *,
        now_ns: Callable[[], int] = time.perf_counter_ns,
        unix_s: Callable[[], float] = time.time,
        queue: int = QUEUE,
    ) -> None:
        self._file = GrowingFile(target)  # emptied when the run begins
        self._now_ns = now_ns
        self._unix_s = unix_s
        self._limit = queue
        self._lines: deque[Line] = deque()
        self._missing = 0
        self._counts = FrameCounts()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgekit-record", daemon=True)

    def begin(self, about: About, counts: FrameCounts) -> None:
        """Writes the head, and starts the thread."""
        self._counts = counts
        head = Head(
            version=VERSION,
            edgekit=__version__,
            started_unix_s=self._unix_s(),
            bundle=short(about.bundle),
            task=about.task,
            variant=about.variant,
            engine=short(about.engine),
            threads=about.threads,
            machine=short(str(this_machine())),
            source=short(about.source),
            source_fps=about.source_fps,
            deadline_ms=about.deadline_ms,
        )
        self._file.empty()
        self._file.write(encode(head))
        self._thread.start()

    def frame_done(self, event: FrameDone) -> None:
        """Queues one line."""
        ns, outcome = event.stages_ns, event.outcome
        self._put(
            FrameLine(
                outcome.frame.index,
                outcome.frame.arrived_ns,
                ns["capture"],
                ns["wait"],
                ns["pre"],
                ns["infer"],
                ns["post"],
                ns["sink"],
                ns["total"],
                event.missed,
                outcome.variant,
            )
        )

    def camera_changed(self, event: CameraChanged) -> None:
        """Queues one line."""
        self._put(CameraLine(event.at_ns, event.state, short(event.detail)))

    def variant_changed(self, event: VariantChanged) -> None:
        """Queues one line."""
        drop = None if event.drop is None else event.drop.value
        self._put(VariantLine(event.at_ns, event.before, event.after, drop, short(event.why)))

    def answer_told(self, event: AnswerTold) -> None:
        """Queues one line for a whole answer."""
        if event.whole:
            chars = len(event.text)
            self._put(AnswerLine(event.at_ns, event.number, event.frame_index, event.frame_ns, chars))

    def close(self) -> None:
        """Writes what waits, and the last line.

        Raises:
            OutputError: the file is not whole: the disk was full, or taken away.
        """
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
            self._put(EndLine(self._now_ns()))
            self.write_waiting()
        self._file.close()

    def write_waiting(self) -> None:
        """Writes the queue and the frame counts of now."""
        if self._file.failed:
            self._lines.clear()
            return
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        missing, self._missing = self._missing, 0
        if missing:
            lines.append(GapLine(missing))
        if not lines:
            return
        last = [lines.pop()] if isinstance(lines[-1], EndLine) else []
        counts = self._counts
        dropped: dict[str, int] = {str(cause): n for cause, n in counts.dropped.items()}
        tally = CountsLine(self._now_ns(), counts.read, counts.processed, dropped)
        self._file.write(b"".join(encode(line) for line in [*lines, tally, *last]))

    def _put(self, line: Line) -> None:
        if len(self._lines) >= self._limit:
            self._missing += 1
        else:
            self._lines.append(line)

    def _run(self) -> None:
        while not self._stopped.wait(WRITE_S):
            self.write_waiting()
