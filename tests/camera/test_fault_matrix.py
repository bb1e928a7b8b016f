"""Each fault at three moments of a run, the threads played by hand on a fake clock."""

from __future__ import annotations

import pytest

from edgekit.camera.faults import Fault, FaultPlan
from edgekit.camera.faulty import FaultySource, Timeline
from edgekit.camera.live import TICK_S, LiveCapture
from edgekit.camera.synthetic import SyntheticSource
from tests.camera.live_fakes import Clock, PausingMailbox, S, Told

FPS, SECONDS = 10.0, 60.0


class Run:
    """A camera, its capture, and a consumer that takes each frame at once."""

    def __init__(self, fault):
        self.clock, self.told = Clock(), Told()
        self.start_ns = self.clock.ns
        self.leap_s = lambda: 0.0
        line = Timeline(lambda: self.clock.ns / S, self.sleep)
        made = SyntheticSource(FPS, SECONDS, (32, 32))
        source = FaultySource(made, FaultPlan((fault,)), FPS, SECONDS, line)
        if fault.kind == "clockjump":
            self.leap_s = lambda: fault.seconds if line.now_s() >= fault.start_s else 0.0
        self.mailbox = PausingMailbox(self.clock)
        self.capture = LiveCapture(source, self.mailbox, tell=self.told, now_ns=self.loop_ns)
        self.taken_s = []

    def loop_ns(self):
        return self.clock.ns + round(self.leap_s() * S)

    def sleep(self, seconds):
        """Waiting for the camera: the watchdog pays its visits meanwhile."""
        end_ns = self.clock.ns + round(seconds * S)
        while self.clock.ns < end_ns and self.capture._left is None:
            self.clock.ns = min(end_ns, self.clock.ns + round(TICK_S * S))
            self.capture.tick()
        self.clock.ns = end_ns

    def go(self):
        while self.capture.step(self.capture._reader):
            if self.mailbox._slot.occupied and self.mailbox._held_s() <= 0:
                self.mailbox.take()
                self.mailbox.counts.processed += 1
                self.taken_s.append((self.clock.ns - self.start_ns) / S)
        if self.mailbox.take() is not None:
            self.mailbox.counts.processed += 1
        return self


EXPECTED = {  # duration, longest recovery, what is told, frames read, reconnects
    "unplug": (4.0, 2.2, ["lost", "live"], range(538, 562), 1),
    "freeze": (8.0, 0.1, ["frozen", "live"], range(600, 601), 0),
    "stall": (4.0, 0.2, [], range(560, 561), 0),
    "corrupt": (8.0, 0.2, ["lost", "live"], range(597, 601), 1),
    "burst": (4.0, 0.2, [], range(600, 601), 0),
    "clockjump": (10.0, 0.2, [], range(600, 601), 0),
    "resize": (4.0, 0.1, ["changed", "changed"], range(600, 601), 0),
}


@pytest.mark.parametrize("moment_s", [5.0, 25.0, 45.0])
@pytest.mark.parametrize("kind", EXPECTED)
def test_it_recovers_and_every_frame_is_accounted_for(kind, moment_s):
    seconds, longest_s, states, read, reconnects = EXPECTED[kind]
    fault = Fault(kind, moment_s, seconds)
    run = Run(fault).go()
    over_s = moment_s if kind == "clockjump" else fault.end_s
    recovered_s = next(at - over_s for at in run.taken_s if at >= over_s)
    assert recovered_s <= longest_s
    assert run.told.states == states
    assert run.mailbox.ending == "end_of_source"
    counts = run.mailbox.counts
    assert counts.read in read
    assert counts.unaccounted == 0
    assert run.capture.journal.reconnects == reconnects
    assert run.capture.journal.outage is None
