"""The capture thread: reads a source, stamps each frame on arrival, puts it in the mailbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from edgekit.camera.mailbox import Mailbox
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost, Source
from edgekit.deadline import NS_PER_S, Rate, Schedule
from edgekit.types import Frame

LOST_RETRIES = 3
"""Failed reads of a live source in a row after which the camera counts as lost."""

RETRY_PAUSE_S = 0.1
"""Pause before the first retry, doubled each time: a source that fails must never be read in a tight loop."""


class Capture:
    """Reads a source until its end.

    Live sources are read as fast as they deliver, which also keeps the driver's own queue empty. Files are
    read when their next frame is due, so that decoding does not compete with the engine ahead of time;
    unpaced, they are read when no frame waits, and none is dropped.

    Args:
        source: read, and closed at the end, by the capture thread alone.
        mailbox: where frames go.
        paced: keep to the frame rate of a source that is not live.
        limit: stop reading an unpaced source after so many frames.
        now_ns: monotonic clock.
    """

    def __init__(
        self,
        source: Source,
        mailbox: Mailbox,
        *,
        paced: bool = True,
        limit: int | None = None,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.next_due_ns: int | None = None
        self._source = source
        self._mailbox = mailbox
        self._lossless = not (source.live or paced)
        self._fps = source.fps if paced and not source.live else None
        self._limit = limit if self._lossless else None
        self._now_ns = now_ns
        self._schedule: Schedule | None = None
        self._arrivals = Rate()
        self._index = 0
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="edgekit-capture", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def join(self, timeout_s: float) -> bool:
        """Waits for the thread to end; ``False`` if it still hangs in a read, which nothing can interrupt.

        If it was never started the source is closed here.
        """
        if self._thread.ident is None:
            self._source.close()
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def step(self) -> bool:
        """Waits until the next frame is due, reads it, puts it in the mailbox; ``False`` at the end."""
        if not self._wait():
            return False
        start_ns = self._now_ns()
        reading = self._source.read()
        arrived_ns = self._now_ns()
        if isinstance(reading, Frame):
            self._deliver(reading, arrived_ns, arrived_ns - start_ns)
            return True
        if isinstance(reading, Corrupt):
            self._index += 1
            self._mailbox.put_corrupt()
            return True
        if isinstance(reading, EndOfSource):
            self._mailbox.finish("end_of_source")
            return False
        return self._retry(reading)

    def _wait(self) -> bool:
        if self._lossless:
            if self._arrivals.count == self._limit:
                self._mailbox.finish("frame_limit")
                return False
            return self._mailbox.wait_for_room()
        if self._fps is None:
            return not self._mailbox.stopped
        now_ns = self._now_ns()
        self._schedule = self._schedule or Schedule(now_ns, self._fps)
        due_ns = self._schedule.due_ns(self._index)
        return not self._mailbox.pause((due_ns - now_ns) / NS_PER_S)

    def _deliver(self, frame: Frame, arrived_ns: int, capture_ns: int) -> None:
        self._failures = 0
        self._arrivals.add(arrived_ns)
        stamped = Frame(frame.pixels, frame.color, self._index, arrived_ns, capture_ns, frame.name)
        self._index += 1
        self.next_due_ns = self._estimate_next(arrived_ns)
        self._mailbox.put(stamped)

    def _estimate_next(self, arrived_ns: int) -> int | None:
        if self._schedule is not None:
            return self._schedule.due_ns(self._index)
        if self._lossless:
            return None
        interval_ns = self._arrivals.interval_ns
        return arrived_ns + interval_ns if interval_ns is not None else None

    def _retry(self, lost: Lost) -> bool:
        self._failures += 1
        if self._failures > LOST_RETRIES:
            self._mailbox.lose(lost.reason)
            return False
        return not self._mailbox.pause(RETRY_PAUSE_S * 2 ** (self._failures - 1))

    def _run(self) -> None:
        try:
            while self.step():
                pass
        except BaseException as error:  # noqa: BLE001 (told to the loop, which raises it in its own thread)
            self._mailbox.fail(error)
        finally:
            self._source.close()
