from __future__ import annotations

import numpy as np
import pytest

from edgekit.camera.capture import Capture, capture_of
from edgekit.camera.live import LiveCapture
from edgekit.camera.patience import Patience
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost, Reshaped
from edgekit.errors import DataError
from edgekit.types import Frame
from tests.camera.live_fakes import MS, Clock, PausingMailbox


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
    clock.ns = 1_000 * MS
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


def test_what_can_be_lost_after_all_is_lost_at_once():
    _, mailbox, _, capture = setup([Lost("clip.mp4: gone")])
    assert not capture.step()
    assert (mailbox.ending, mailbox.lost_reason) == ("camera_lost", "clip.mp4: gone")


def test_another_form_of_pixels_is_no_frame():
    _, mailbox, _, capture = setup([Reshaped("bgr → grey"), picture()])
    assert capture.step()
    assert mailbox.counts.read == 0
    assert capture.step()
    assert mailbox.take().index == 0


@pytest.mark.parametrize("paced", [True, False])
def test_nothing_is_read_once_the_loop_has_stopped(paced):
    _, mailbox, source, capture = setup([picture()], paced=paced)
    mailbox.stop("interrupted")
    assert not capture.step()
    assert len(source.readings) == 1
    assert mailbox.counts.read == 0


def test_the_thread_closes_its_source_and_ends():
    _, mailbox, source, capture = setup([picture(), EndOfSource()])
    capture.start()
    assert capture.join(30)
    assert source.closed == 1
    assert mailbox.counts.read == 1


def test_an_error_in_the_thread_is_handed_to_the_loop():
    _, mailbox, source, capture = setup([DataError("clip.mp4: nothing in it")])
    capture.start()
    assert capture.join(30)
    assert isinstance(mailbox.error, DataError)
    assert mailbox.take() is None
    assert source.closed == 1


@pytest.mark.parametrize(("live", "kind"), [(True, LiveCapture), (False, Capture)])
def test_live_sources_are_captured_in_another_way(live, kind):
    clock = Clock()
    source = ListSource(clock, [picture()], live=live)
    capture = capture_of(
        source,
        PausingMailbox(clock),
        paced=True,
        limit=None,
        patience=Patience(),
        tell=lambda *_: None,
        now_ns=clock,
    )
    assert type(capture) is kind
    assert capture.join(0.0)  # never started
    assert source.closed == 1
