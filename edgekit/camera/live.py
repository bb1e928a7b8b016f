"""Capture from a live camera: it may be unplugged, hang, freeze or change, and the loop goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from edgekit.camera.condition import Condition
from edgekit.camera.mailbox import Mailbox
from edgekit.camera.patience import FIRST_PAUSE_S, Patience
from edgekit.camera.protocol import Corrupt, EndOfSource, LiveSource, Lost, Reading, Reshaped, Tell
from edgekit.camera.reader import Reader
from edgekit.deadline import NS_PER_S
from edgekit.errors import EdgekitError
from edgekit.types import Frame

TICK_S = 0.25
"""Between two visits of the watchdog."""

CORRUPT_PAUSE_S = 0.005
"""After a frame that cannot be decoded: a driver that gives nothing else, at once, must not be read in a tight loop."""


class LiveCapture:
    """Reads a live source until the loop stops, opening it again where that helps.

    Two threads: a reader calls the driver, takes frames as fast as they come and puts them into the mailbox; the
    watchdog looks at it four times a second. A read that does not return cannot be interrupted: its thread is left
    behind, and another one opens the camera anew. When the old call returns after all, its thread closes what it had
    and ends. While one is left behind no second one is: then the present call is waited for, however long it takes.

    Args:
        source: opened; each connection is closed by the thread that reads it.
        mailbox: where frames go.
        patience: how long to wait for what.
        tell: called with each change of the camera's state, by either thread.
        now_ns: monotonic clock.
    """

    def __init__(
        self,
        source: LiveSource,
        mailbox: Mailbox,
        *,
        patience: Patience | None = None,
        tell: Tell = lambda state, at_ns, detail: None,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.next_due_ns: int | None = None
        self._condition = Condition(patience or Patience(), source.fps, now_ns(), tell)
        self.journal = self._condition.journal
        self._source = source
        self._mailbox = mailbox
        self._now_ns = now_ns
        self._index = 0
        self._lock = threading.RLock()
        self._reader = Reader(source)
        self._left: Reader | None = None
        self._watchdog = threading.Thread(target=self._watch, name="edgekit-watchdog", daemon=True)

    def start(self) -> None:
        """Starts both threads."""
        self.journal.start_ns = self._now_ns()
        self._reader.start(self._run)
        self._watchdog.start()

    def join(self, timeout_s: float) -> bool:
        """Waits for the threads to end, once the mailbox was stopped; ``False`` if one hangs in a call.

        If they were never started the source is closed here.
        """
        if self._watchdog.ident is None:
            self._source.close()
            return True
        end_s = time.monotonic() + timeout_s
        self._watchdog.join(timeout_s)
        readers = (self._reader, *filter(None, [self._left]))
        return all(reader.join(max(end_s - time.monotonic(), 0.0)) for reader in readers)

    def step(self, reader: Reader) -> bool:
        """Opens the camera or reads it, once; ``False`` if ``reader`` has nothing more to do."""
        pause_s, reader.pause_s = reader.pause_s, 0.0
        if self._mailbox.pause(pause_s) if pause_s > 0 else self._mailbox.stopped:
            return False
        if reader is not self._reader:
            return False
        if reader.source is None:
            return self._open(reader)
        start_ns = self._now_ns()
        reading = reader.call(reader.source.read)
        arrived_ns = self._now_ns()
        with self._lock:
            if reader is not self._reader:
                return False
            if isinstance(reading, EndOfSource):
                self._mailbox.finish("end_of_source")
                return False
            open_again = self._take(reader, reading, arrived_ns, arrived_ns - start_ns)
        if open_again:
            reader.let_go()
            reader.pause_s = self._condition.pause_s()
        return True

    def tick(self) -> None:
        """One visit of the watchdog: has the present call hung for too long, or the outage lasted for too long?"""
        with self._lock:
            reader = self._reader
            waited_s = reader.visits() * TICK_S
            if waited_s >= self._condition.hang_s:
                self._condition.hung(waited_s, self._now_ns())
                self._replace(reader)
            reason = self._condition.given_up(self._now_ns())
            if reason is not None:
                self._mailbox.lose(reason)

    def _take(self, reader: Reader, reading: Reading, arrived_ns: int, capture_ns: int) -> bool:
        """Deals with what was read; returns whether the camera is to be opened again."""
        if isinstance(reading, Frame):
            return self._deliver(reading, arrived_ns, capture_ns)
        if isinstance(reading, Corrupt):
            self._index += 1
            self._mailbox.put_corrupt()
            reader.pause_s = CORRUPT_PAUSE_S
            return self._condition.corrupt(reading.reason, arrived_ns)
        if isinstance(reading, Reshaped):
            self._condition.changed(reading.detail, arrived_ns)
            return False
        assert isinstance(reading, Lost)
        reader.pause_s = FIRST_PAUSE_S
        return self._condition.failed(reading.reason, arrived_ns, capture_ns)

    def _deliver(self, frame: Frame, arrived_ns: int, capture_ns: int) -> bool:
        hold_ns, open_again = self._condition.frame(frame, arrived_ns)
        stamped = Frame(frame.pixels, frame.color, self._index, arrived_ns, capture_ns, frame.name)
        self._index += 1
        interval_ns = self._condition.pace.interval_ns
        self.next_due_ns = None if interval_ns is None else arrived_ns + interval_ns
        self._mailbox.put(stamped, hold_ns / NS_PER_S)
        return open_again

    def _open(self, reader: Reader) -> bool:
        try:
            source = reader.call(self._source.reopen)
        except EdgekitError as error:
            with self._lock:
                if reader is self._reader:
                    self._condition.not_opened(error.message, self._now_ns())
                    reader.pause_s = self._condition.pause_s()
            return reader is self._reader
        reader.source = source
        with self._lock:
            if reader is self._reader:
                self._source = source
                self._condition.reopened()
        return reader is self._reader

    def _replace(self, reader: Reader) -> None:
        if self._left is not None and self._left.alive:
            reader.forgive()
            return
        self._left = reader
        self._reader = Reader(None, self._condition.pause_s())
        self._reader.start(self._run)

    def _run(self, reader: Reader) -> None:
        try:
            while self.step(reader):
                pass
        except BaseException as error:  # noqa: BLE001 (told to the loop, which raises it in its own thread)
            if reader is self._reader:
                self._mailbox.fail(error)
        finally:
            reader.let_go()

    def _watch(self) -> None:
        try:
            while not self._mailbox.pause(TICK_S) and not self._mailbox.closed:
                self.tick()
        except BaseException as error:  # noqa: BLE001 (as in the reader's thread)
            self._mailbox.fail(error)
