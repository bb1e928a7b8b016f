"""Viewers and what waits for each of them: at most one record of a kind, and the newest wins."""

from __future__ import annotations

import threading
from collections.abc import Iterator

VIEWERS = 8
"""Who can look at the same time; each costs a thread."""


class Viewer:
    """One who looks. What was not fetched in time is replaced, so one who reads slowly misses pictures, no more."""

    def __init__(self) -> None:
        self._waiting: dict[str, bytes] = {}
        self._changed = threading.Condition()
        self._closed = False

    def offer(self, kind: str, record: bytes) -> None:
        """Lets a record wait, in place of an older one of its kind."""
        with self._changed:
            self._waiting[kind] = record
            self._changed.notify()

    def close(self) -> None:
        """Says that nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def records(self) -> Iterator[bytes]:
        """Records as they come, each kind in the order of its first offer, until :meth:`close`."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closed)
                records, self._waiting = list(self._waiting.values()), {}
            if not records:
                return
            yield from records


class Hub:
    """All viewers; newcomers get the newest record of every kind at once.

    Args:
        limit: of viewers.
    """

    def __init__(self, limit: int = VIEWERS) -> None:
        self.limit = limit
        self._viewers: set[Viewer] = set()
        self._newest: dict[str, bytes] = {}
        self._somebody = threading.Condition()
        self._closed = False

    def __len__(self) -> int:
        return len(self._viewers)

    def join(self) -> Viewer | None:
        """A new viewer; ``None`` if there are as many as may be, or everything is over."""
        viewer = Viewer()
        with self._somebody:
            if len(self._viewers) >= self.limit or self._closed:
                return None
            for kind, record in self._newest.items():
                viewer.offer(kind, record)
            self._viewers.add(viewer)
            self._somebody.notify()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """Forgets a viewer."""
        with self._somebody:
            self._viewers.discard(viewer)

    def publish(self, kind: str, record: bytes) -> None:
        """Offers a record to every viewer, and to those to come."""
        with self._somebody:
            self._newest[kind] = record
            viewers = tuple(self._viewers)
        for viewer in viewers:
            viewer.offer(kind, record)

    def wait_for_viewer(self) -> bool:
        """Waits until somebody looks; ``False`` once it is closed."""
        with self._somebody:
            self._somebody.wait_for(lambda: self._viewers or self._closed)
            return not self._closed

    def close(self) -> None:
        """Ends the streams of all viewers after what waits for them."""
        with self._somebody:
            self._closed = True
            self._somebody.notify()
            viewers = tuple(self._viewers)
        for viewer in viewers:
            viewer.close()
