"""Tells systemd how the loop does: ready, alive, status, stopping (``Type=notify``, sd_notify(3)).

A watchdog that a thread feeds while the loop hangs is worth nothing. So it is fed where the loop moves: where results
came since the last time, or where no frame waits for it (a camera that is away is the capture thread's concern, which
opens it again). A frame that came and was neither processed nor dropped for a whole interval is a loop that hangs.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from edgekit.deadline import FrameCounts
from edgekit.errors import UsageError
from edgekit.events import FrameDone, Observer
from edgekit.figures import About, Figures

NOTIFY_SOCKET = "NOTIFY_SOCKET"
PER_INTERVAL = 3
"""Looks in one watchdog interval: one that comes while a frame is on its way costs nothing."""

STATUS_S = 5.0
MICROSECONDS = 1_000_000


class Progress:
    """Whether the loop moves; asked now and then."""

    def __init__(self) -> None:
        self._processed = -1

    def moves(self, counts: FrameCounts) -> bool:
        """Whether results came since it was last asked, or none is owed."""
        processed, self._processed = self._processed, counts.processed
        return counts.processed != processed or counts.unaccounted <= 0


class Notifier(Observer):
    """Sends to systemd's socket from a thread of its own.

    Args:
        send: hands one message to systemd.
        figures: told of the same events.
        watchdog_s: how long systemd waits for a sign of life, ``None`` where it does not.
    """

    def __init__(self, send: Callable[[str], None], figures: Figures, watchdog_s: float | None) -> None:
        self._send = send
        self._figures = figures
        self._progress = Progress()
        self._watched = watchdog_s is not None
        self._pause_s = min(STATUS_S, STATUS_S if watchdog_s is None else watchdog_s / PER_INTERVAL)
        self._counts = FrameCounts()
        self._ready = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edgekit-systemd", daemon=True)

    def begin(self, about: About, counts: FrameCounts) -> None:
        """Starts the thread."""
        self._counts = counts
        self._send(f"STATUS=Loading {about.bundle}")
        self._thread.start()

    def frame_done(self, event: FrameDone) -> None:
        """The first result makes the service ready."""
        if not self._ready:
            self._ready = True
            self._send("READY=1")

    def close(self) -> None:
        """Ends the thread, and says that the service stops: nothing is told after that."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._send("STOPPING=1")

    def step(self) -> None:
        """One look: a status line, and a sign of life if there is one."""
        if not self._ready:
            return
        alive = self._progress.moves(self._counts)
        message = f"STATUS={status(self._figures.snapshot())}"
        self._send(f"WATCHDOG=1\n{message}" if alive and self._watched else message)

    def _run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            self.step()


def status(figures: Mapping[str, Any]) -> str:
    """A snapshot of :class:`edgekit.figures.Figures` as one line for ``systemctl status``."""
    total = figures["latency_ms"]["total"]
    fps = figures["fps"]
    dropped = sum(figures["frames"]["dropped"].values())
    return ", ".join(
        [
            f"camera {figures['camera']['state']}",
            "no results in the last seconds" if fps is None else f"{fps:.1f} results/s",
            *([] if total is None else [f"p95 {total['p95']:.1f} ms"]),
            f"{figures['misses']} late",
            f"{dropped} dropped",
            figures["variant"]["name"],
        ]
    )


def notifier(environment: Mapping[str, str], figures: Figures) -> Notifier | None:
    """One that reports to systemd, if it started this process with ``Type=notify``.

    Args:
        environment: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID`` of it count.
        figures: what the status line is made of.

    Raises:
        UsageError: ``NOTIFY_SOCKET`` or ``WATCHDOG_USEC`` is not what systemd sets.
    """
    path = environment.get(NOTIFY_SOCKET, "")
    if not path:
        return None
    if path[0] not in "/@":
        raise UsageError(f"NOTIFY_SOCKET: expected a path or an abstract @name, got {path!r}")
    return Notifier(sender(path), figures, _watchdog_s(environment))


def sender(path: str) -> Callable[[str], None]:
    """Sends datagrams to a socket; a leading ``@`` is that of an abstract one. A manager that is away is no error."""
    address = "\0" + path[1:] if path.startswith("@") else path

    def send(message: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.setblocking(False)
            try:
                sock.sendto(message.encode(errors="replace"), address)
            except OSError:
                return  # it cannot be told; the next sign of life tries again

    return send


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    text = environment.get("WATCHDOG_USEC", "")
    if not text or environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise UsageError(f"WATCHDOG_USEC: expected microseconds, got {text!r}")
    return int(text) / MICROSECONDS
