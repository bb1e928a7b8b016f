"""Capture from files: a thread reads a source to its end, stamps each frame, puts it in the mailbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import cast

from edgekit.camera.journal import Journal
from edgekit.camera.live import LiveCapture
from edgekit.camera.mailbox import Mailbox
from edgekit.camera.patience import Patience
from edgekit.camera.protocol import Corrupt, LiveSource, Lost, Reshaped, Source, Tell
from edgekit.deadline import NS_PER_S, Schedule
from edgekit.types import Frame


class Capture:
    """Reads a source that is not live until its end.

    It is read when its next frame is due, so that decoding does not compete with the engine ahead of time; unpaced,
    when no frame waits, and none is dropped.

    Args:
        source: read, and closed at the end, by the capture thread alone.
        mailbox: where frames go.
        paced: keep to its frame rate.
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
        self.journal = Journal(now_ns())
        self._source = source
        self._mailbox = mailbox
        self._fps = source.fps if paced else None
        self._lossless = self._fps is None
        self._limit = limit if self._lossless else None
        self._now_ns = now_ns
        self._schedule: Schedule | None = None
        self._index = 0
        self._delivered = 0
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
        if isinstance(reading, Lost):
            self._mailbox.lose(reading.reason)
            return False
        if isinstance(reading, Reshaped):
            return True
        self._mailbox.finish("end_of_source")
        return False

    def _wait(self) -> bool:
        if self._fps is None:
            if self._delivered == self._limit:
                self._mailbox.finish("frame_limit")
                return False
            return self._mailbox.wait_for_room()
        now_ns = self._now_ns()
        self._schedule = self._schedule or Schedule(now_ns, self._fps)
        due_ns = self._schedule.due_ns(self._index)
        return not self._mailbox.pause((due_ns - now_ns) / NS_PER_S)

    def _deliver(self, frame: Frame, arrived_ns: int, capture_ns: int) -> None:
        self._delivered += 1
        stamped = Frame(frame.pixels, frame.color, self._index, arrived_ns, capture_ns, frame.name)
        self._index += 1
        self.next_due_ns = self._schedule.due_ns(self._index) if self._schedule is not None else None
        self._mailbox.put(stamped)

    def _run(self) -> None:
        try:
            while self.step():
                pass
        except BaseException as error:  # noqa: BLE001 (told to the loop, which raises it in its own thread)
            self._mailbox.fail(error)
        finally:
            self._source.close()


def capture_of(
    source: Source,
    mailbox: Mailbox,
    *,
    paced: bool,
    limit: int | None,
    patience: Patience,
    tell: Tell,
    now_ns: Callable[[], int],
) -> Capture | LiveCapture:
    """The capture that suits the source; see both for the arguments."""
    if source.live:
        return LiveCapture(cast(LiveSource, source), mailbox, patience=patience, tell=tell, now_ns=now_ns)
    return Capture(source, mailbox, paced=paced, limit=limit, now_ns=now_ns)
