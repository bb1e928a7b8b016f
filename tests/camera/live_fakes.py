"""A live camera that plays a script, and a clock that only moves when told."""

from __future__ import annotations

import numpy as np

from edgekit.camera.mailbox import Mailbox
from edgekit.errors import EnvironmentLacks
from edgekit.types import Frame

MS = 1_000_000
S = 1_000 * MS


class Clock:
    def __init__(self):
        self.ns = 1_000 * S

    def __call__(self):
        return self.ns


class PausingMailbox(Mailbox):
    """A mailbox whose pauses move a fake clock instead of taking time."""

    def __init__(self, clock):
        super().__init__(now_s=lambda: clock.ns / S)
        self.clock = clock
        self.pauses = []

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.clock.ns += max(round(seconds * S), 0)
        return self.stopped


class Told:
    """Collects what is told of a camera."""

    def __init__(self):
        self.events = []

    def __call__(self, state, at_ns, detail):
        self.events.append((state, at_ns, detail))

    @property
    def states(self):
        return [state for state, _, _ in self.events]


class ScriptedCamera:
    """Readings from a list, each after ``read_ms`` of a fake clock; the last one for ever.

    Reopening goes on in the list. ``refusals``: so many attempts to open it again fail first.
    """

    description, size_wh, live = "camera 0", None, True

    def __init__(self, clock, readings, read_ms=40, fps=None, refusals=0, shared=None):
        self.clock, self.readings, self.read_ms, self.fps = clock, readings, read_ms, fps
        self.notes = []
        self.shared = shared if shared is not None else {"refusals": refusals, "opened": 0, "closed": 0}

    def read(self):
        self.clock.ns += self.read_ms * MS
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Exception):
            raise reading
        return reading

    def reopen(self):
        if self.shared["refusals"]:
            self.shared["refusals"] -= 1
            raise EnvironmentLacks("camera 0: cannot be opened")
        self.shared["opened"] += 1
        return ScriptedCamera(self.clock, self.readings, self.read_ms, self.fps, shared=self.shared)

    def close(self):
        self.shared["closed"] += 1


def picture(level=0, size_wh=(4, 2)):
    return Frame(np.full((size_wh[1], size_wh[0], 3), level, np.uint8), "bgr")


def moving(count, start=0):
    """Pictures of which none is like the one before."""
    return [picture((start + i) % 256) for i in range(count)]
