from __future__ import annotations

import numpy as np
import pytest

from edgekit.camera.capture import LOST_RETRIES, Capture
from edgekit.camera.mailbox import Mailbox
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost
from edgekit.errors import DataError
from edgekit.types import Frame

MS = 1_000_000


class Clock:
    def __init__(self):
        self.ns = 1_000 * MS

    def __call__(self):
        return self.ns


class PausingMailbox(Mailbox):
    """A mailbox whose pauses move a fake clock instead of taking time."""

    def __init__(self, clock):
        super().__init__()
        self.clock = clock
        self.pauses = []

    def pause(self, seconds):
        self.pauses.append(seconds)
        self.clock.ns += max(round(seconds * 1e9), 0)
        return self.stopped


class ListSource:
    """Readings from a list, each after the given time; the last one for ever."""

    description, size_wh = "list", None

    def __init__(self, clock, readings, read_ms=2, live=False, fps=10.0):
        self.clock, self.readings, self.read_ms = clock, list(readings), read_ms
        self.live, self.fps, self.notes = live, fps, []
        self.closed = 0

    def read(self):
        self.clock.ns += self.read_ms * MS
        reading = self.readings.pop(0) if len(self.readings) > 1 else self.readings[0]
        if isinstance(reading, Exception):
            raise reading
        return reading

    def close(self):
        self.closed += 1


def picture():
    return Frame(np.zeros((2, 2, 3), np.uint8), "bgr", name="p.jpg")


def setup(readings, **kwargs):
    clock = Clock()
    mailbox = PausingMailbox(clock)
    options = {key: kwargs.pop(key) for key in ("paced", "limit") if key in kwargs}
    source = ListSource(clock, readings, **kwargs)
    return clock, mailbox, source, Capture(source, mailbox, now_ns=clock, **options)


def test_the_stamp_is_taken_after_the_read_returns():
    _, mailbox, _, capture = setup([picture()], read_ms=7)
    assert capture.step()
    frame = mailbox.take()
    assert frame.arrived_ns == 1007 * MS
    assert frame.capture_ns == 7 * MS
    assert (frame.index, frame.name, frame.color) == (0, "p.jpg", "bgr")


def test_files_are_paced_on_an_absolute_schedule():
    _, mailbox, source, capture = setup([picture()], fps=10.0)
    arrivals = []
    for read_ms in (2, 30, 2, 2):
        source.read_ms = read_ms
        assert capture.step()
        arrivals.append(mailbox.take().arrived_ns // MS - 1000)
    assert arrivals == [2, 130, 202, 302]  # a slow read delays its own frame and none after it
    assert mailbox.pauses == pytest.approx([0.0, 0.098, 0.070, 0.098])
    assert capture.next_due_ns == 1400 * MS


def test_a_file_that_is_read_too_slowly_catches_up_and_counts_what_is_replaced():
    _, mailbox, source, capture = setup([picture()], fps=10.0)
    source.read_ms = 250
    capture.step()
    source.read_ms = 2
    capture.step()
    capture.step()
    assert mailbox.pauses == pytest.approx([0.0, -0.15, -0.052])
    assert mailbox.counts.dropped["newer_frame"] == 2
    assert mailbox.take().index == 2


def test_unpaced_files_wait_for_room_and_never_pause():
    _, mailbox, _, capture = setup([picture(), picture(), EndOfSource()], paced=False)
    indices = []
    while capture.step():
        indices.append(mailbox.take().index)
    assert indices == [0, 1]
    assert mailbox.pauses == []
    assert capture.next_due_ns is None
    assert mailbox.ending == "end_of_source"
    assert mailbox.counts.dropped == {"newer_frame": 0, "stale": 0, "corrupt": 0, "stopped": 0}


def test_an_unpaced_source_is_read_no_further_than_the_limit():
    _, mailbox, _, capture = setup([picture(), Corrupt("x"), picture()], paced=False, limit=2)
    while capture.step():
        mailbox.take(0)
    assert mailbox.counts.read == 3  # two whole ones
    assert mailbox.ending == "frame_limit"


def test_live_sources_come_at_their_own_pace_and_the_next_is_estimated():
    _, mailbox, _, capture = setup([picture()], live=True, fps=None, read_ms=40, paced=False)
    capture.step()
    assert capture.next_due_ns is None
    capture.step()
    assert capture.next_due_ns == (1080 + 40) * MS
    assert mailbox.pauses == []


def test_corrupt_frames_are_numbered_and_counted():
    _, mailbox, _, capture = setup([picture(), Corrupt("bad"), picture()])
    for _ in range(3):
        assert capture.step()
    assert mailbox.take().index == 2
    assert mailbox.counts.dropped == {"newer_frame": 1, "stale": 0, "corrupt": 1, "stopped": 0}
    assert mailbox.counts.read == 3


def test_the_end_of_a_file_is_not_a_lost_camera():
    _, mailbox, _, capture = setup([EndOfSource()])
    assert not capture.step()
    assert mailbox.ending == "end_of_source"


def test_one_failed_read_is_retried_after_a_pause():
    _, mailbox, _, capture = setup([Lost("glitch"), picture()], live=True)
    assert capture.step()
    assert mailbox.pauses == [0.1]
    assert capture.step()
    assert mailbox.take().index == 0
    assert mailbox.counts.read == 1


def test_failed_reads_do_not_spin_and_end_as_a_lost_camera():
    _, mailbox, _, capture = setup([Lost("camera 0: no frame")], live=True)
    steps = 0
    while capture.step():
        steps += 1
    assert steps == LOST_RETRIES == 3
    assert mailbox.pauses == [0.1, 0.2, 0.4]
    assert mailbox.ending == "camera_lost"
    assert mailbox.lost_reason == "camera 0: no frame"


def test_a_frame_in_between_forgives_failures():
    lost = Lost("glitch")
    _, mailbox, _, capture = setup([lost, lost, picture(), lost, lost, picture()], live=True)
    for _ in range(6):
        assert capture.step()
    assert mailbox.counts.read == 2


@pytest.mark.parametrize("live", [True, False])
def test_nothing_is_read_once_the_loop_has_stopped(live):
    _, mailbox, source, capture = setup([picture()], live=live)
    mailbox.stop("interrupted")
    assert not capture.step()
    assert len(source.readings) == 1
    assert mailbox.counts.read == 0


def test_the_thread_closes_its_source_and_ends():
    _, mailbox, source, capture = setup([picture(), EndOfSource()])
    capture.start()
    assert capture.join(10)
    assert source.closed == 1
    assert mailbox.counts.read == 1


def test_an_error_in_the_thread_is_handed_to_the_loop():
    _, mailbox, source, capture = setup([DataError("clip.mp4: nothing in it")])
    capture.start()
    assert capture.join(10)
    assert isinstance(mailbox.error, DataError)
    assert mailbox.take() is None
    assert source.closed == 1
