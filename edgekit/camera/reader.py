"""The thread that calls a camera's driver, and how long its present call takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from edgekit.camera.protocol import LiveSource

T = TypeVar("T")


class Reader:
    """Calls that may never return, made one at a time by a thread of their own.

    How long one takes is counted in visits of the watchdog, not read off a clock: where the process stood still, or
    its clock leapt, a call has not been under way for longer.

    Args:
        source: what it reads, or ``None`` where that must be opened first.
        pause_s: to wait before its first call.
    """

    def __init__(self, source: LiveSource | None, pause_s: float = 0.0) -> None:
        self.source = source
        self.pause_s = pause_s
        self._thread: threading.Thread | None = None
        self._calls = 0
        self._busy = False
        self._seen = 0
        self._visits = 0

    def start(self, run: Callable[[Reader], None]) -> None:
        """Starts the thread, which runs ``run`` on this reader."""
        self._thread = threading.Thread(target=run, args=(self,), name="edgekit-capture", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def join(self, timeout_s: float) -> bool:
        """Waits for the thread to end; ``False`` if it does not."""
        if self._thread is not None:
            self._thread.join(timeout_s)
        return not self.alive

    def call(self, function: Callable[[], T]) -> T:
        """Calls ``function``, under the watchdog's eyes."""
        self._calls += 1
        self._busy = True
        try:
            return function()
        finally:
            self._busy = False

    def visits(self) -> int:
        """The watchdog's visits in a row, this one included, that found one and the same call under way."""
        same = self._busy and self._calls == self._seen
        self._seen = self._calls
        self._visits = self._visits + 1 if same else 0
        return self._visits

    def forgive(self) -> None:
        """Counts visits from the beginning."""
        self._visits = 0

    def let_go(self) -> None:
        """Closes the source."""
        source, self.source = self.source, None
        if source is not None:
            self.call(source.close)
