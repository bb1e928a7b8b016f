from __future__ import annotations

import itertools
import random
import threading
import time

import pytest

import edgekit.camera.live as module
from edgekit.camera.live import LiveCapture
from edgekit.camera.mailbox import Mailbox
from edgekit.camera.patience import Patience
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost, Reshaped
from edgekit.errors import DataError, EnvironmentLacks
from edgekit.types import Frame
from tests.camera.live_fakes import MS, Clock, PausingMailbox, S, ScriptedCamera, Told, moving, picture

PATIENCE_S = 30.0
LOST = Lost("camera 0: no frame")


def setup(readings, patience=None, **kwargs):
    clock, told = Clock(), Told()
    mailbox = PausingMailbox(clock)
    source = ScriptedCamera(clock, list(readings), **kwargs)
    capture = LiveCapture(source, mailbox, patience=patience, tell=told, now_ns=clock)
    return clock, mailbox, source, capture, told


def steps(capture, count=10**6):
    """As the thread would; how many it made until the end."""
    reader = capture._reader
    for made in range(count):
        if not capture.step(reader):
            return made
    return count


def threads():
    return [t for t in threading.enumerate() if t.name in ("edgekit-capture", "edgekit-watchdog")]


@pytest.fixture(autouse=True)
def no_thread_stays():
    yield
    for thread in threads():
        thread.join(PATIENCE_S)
    assert threads() == []


def test_frames_are_stamped_after_the_read_and_the_next_is_estimated():
    clock, mailbox, _, capture, _ = setup(moving(9), read_ms=40)
    steps(capture, 1)
    frame = mailbox.take()
    assert (frame.index, frame.arrived_ns, frame.capture_ns) == (0, clock.ns, 40 * MS)
    assert capture.next_due_ns is None
    steps(capture, 5)
    assert capture.next_due_ns == clock.ns + 40 * MS
    assert mailbox.counts.dropped["newer_frame"] == 4
    assert mailbox.pauses == []


def test_a_glitch_is_read_again_after_a_pause():
    _, mailbox, source, capture, told = setup([picture(0), LOST, picture(1), EndOfSource()])
    assert steps(capture) == 3
    assert mailbox.pauses == [0.1]
    assert mailbox.counts.read == 2
    assert (source.shared["opened"], told.events) == (0, [])
    assert mailbox.ending == "end_of_source"


def test_a_lost_camera_is_closed_and_opened_again_with_growing_pauses():
    script = [picture(0), LOST, LOST, picture(1), EndOfSource()]
    _, mailbox, source, capture, told = setup(script, refusals=6)
    steps(capture)
    assert mailbox.pauses == pytest.approx([0.1, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0])
    assert source.shared == {"refusals": 0, "opened": 1, "closed": 1}
    assert told.states == ["lost", "live"]
    assert mailbox.counts.read == 2
    assert mailbox.take().index == 1
    assert capture.journal.reconnects == 1


def test_it_tries_for_ever_and_never_in_a_tight_loop():
    clock, mailbox, _, capture, _ = setup([LOST], refusals=10**9)
    start_ns = clock.ns
    assert steps(capture, 2000) == 2000
    assert (clock.ns - start_ns) / S > 3900  # two seconds an attempt
    assert mailbox.ending is None
    assert capture.journal.outages_total == 1


def test_it_is_given_up_when_that_was_asked():
    clock, mailbox, _, capture, _ = setup([LOST], Patience(give_up_s=60.0), refusals=10**9)
    start_ns = clock.ns
    while mailbox.ending is None:
        steps(capture, 1)
        capture.tick()
    assert mailbox.ending == "camera_lost"
    assert mailbox.lost_reason == "camera 0: cannot be opened (given up after 60 s)"
    assert 60 <= (clock.ns - start_ns) / S <= 62.2


def test_corrupt_frames_are_counted_and_do_not_spin():
    _, mailbox, _, capture, _ = setup([Corrupt("bad"), Corrupt("bad"), picture(0), EndOfSource()], read_ms=0)
    steps(capture)
    assert mailbox.counts.dropped["corrupt"] == 2
    assert mailbox.counts.read == 3
    assert mailbox.take().index == 2
    assert mailbox.pauses == [0.005, 0.005]


def test_nothing_but_corrupt_frames_opens_it_again():
    _, mailbox, source, capture, told = setup([Corrupt("bad")], read_ms=95)
    steps(capture, 64)
    assert source.shared["opened"] == 1
    assert told.states == ["lost"]
    assert mailbox.counts.dropped["corrupt"] == 63  # 61 of them in 6 s


def test_another_form_is_told_and_is_no_frame():
    _, mailbox, _, capture, told = setup([picture(0), Reshaped("bgr → grey"), picture(1), EndOfSource()])
    steps(capture)
    assert [(state, detail) for state, _, detail in told.events] == [("changed", "bgr → grey")]
    assert mailbox.counts.read == 2


def test_a_frozen_camera_is_opened_again():
    _, mailbox, source, capture, told = setup([picture(5)], Patience(frozen_s=1.0), read_ms=100)
    steps(capture, 25)
    assert told.states == ["frozen"]
    assert source.shared["opened"] == 1
    assert mailbox.counts.read == 24
    assert capture.journal.reconnects == 1


def test_after_a_queue_the_newest_is_taken():
    """A burst that takes no time at all: whoever waits gets its last frame."""
    clock, mailbox, source, capture, _ = setup(moving(40), read_ms=40, fps=25.0)
    steps(capture, 12)
    assert mailbox.take().index == 11
    clock.ns += 3 * S
    steps(capture, 1)
    source.read_ms = 0
    steps(capture, 10)
    assert mailbox.counts.read == 23
    assert mailbox._held_s() == pytest.approx(0.02)
    clock.ns += 20 * MS
    assert mailbox.take().index == 22


def test_an_error_that_nobody_planned_ends_the_loop():
    _, mailbox, source, capture, _ = setup([DataError("camera 0: impossible")])
    capture.start()
    deadline = time.monotonic() + PATIENCE_S
    while mailbox.error is None and time.monotonic() < deadline:
        time.sleep(0.001)
    mailbox.stop("interrupted")
    assert capture.join(PATIENCE_S)
    assert isinstance(mailbox.error, DataError)
    assert source.shared["closed"] == 1


def test_an_error_in_the_watchdogs_thread_ends_the_loop_too(monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.005)

    def tell(state, at_ns, detail):
        raise DataError(f"cannot tell {state}")

    mailbox, camera = Mailbox(), HangingCamera()
    capture = LiveCapture(camera, mailbox, patience=Patience(hang_s=0.05), tell=tell)
    capture.start()
    wait_for(lambda: mailbox.error is not None)
    mailbox.stop("interrupted")
    camera.release.set()
    assert capture.join(PATIENCE_S)
    assert str(mailbox.error) == "cannot tell lost"


def test_never_started_the_source_is_closed_all_the_same():
    _, _, source, capture, _ = setup([picture()])
    assert capture.join(0.0)
    assert source.shared["closed"] == 1


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_in_whatever_order(seed):
    """Frames are accounted for, states follow each other as they may, pauses never vanish, outages do not overlap."""
    rng = random.Random(seed)
    script = []
    for _ in range(rng.randrange(5, 60)):
        count = rng.choice([1, 1, 2, 3, 8, 40])
        kind = rng.choice(["moving", "moving", "still", "lost", "corrupt", "reshaped"])
        script += {
            "moving": moving(count, rng.randrange(256)),
            "still": [picture(9)] * count,
            "lost": [LOST] * count,
            "corrupt": [Corrupt("bad")] * count,
            "reshaped": [Reshaped("bgr → grey")],
        }[kind]
    expected = sum(isinstance(reading, (Frame, Corrupt)) for reading in script)
    patience = Patience(frozen_s=1.0, hang_s=1.0)
    _, mailbox, source, capture, told = setup(
        [*script, EndOfSource()], patience, read_ms=rng.choice([5, 40, 300]), refusals=rng.randrange(9)
    )
    for _ in range(100_000):
        capture.tick()
        if not capture.step(capture._reader):
            break
        if rng.random() < 0.7 and mailbox._slot.occupied:
            mailbox._slot.take()
            mailbox.counts.processed += 1
    assert mailbox.ending == "end_of_source"
    assert mailbox.counts.read == expected
    assert mailbox.counts.unaccounted == int(mailbox._slot.occupied)
    assert min(mailbox.pauses, default=0.005) >= 0.005
    away = None
    for state in told.states:
        assert (
            state == "changed"
            or (state == "live") == (away is not None)
            or (away, state) == ("frozen", "lost")
        )
        if state != "changed":
            away = None if state == "live" else state
    assert source.shared["opened"] == capture.journal.reconnects
    outages = capture.journal.as_json(0)["outages"]
    for before, after in itertools.pairwise(outages):
        assert before["over"]
        assert after["start_s"] >= before["start_s"] + before["seconds"] - 1e-9
    assert capture.journal.outages_total == len([s for s in told.states if s in ("lost", "frozen")])


class HangingCamera:
    """Each connection gives one frame and then hangs in a read until its ``release`` is set."""

    description, size_wh, live, fps = "camera 0", None, True, None

    def __init__(self, family=None, opens=()):
        self.notes = []
        self.family = family if family is not None else []
        self.family.append(self)
        self.number = len(self.family)
        self.release = threading.Event()
        self.closed = threading.Event()
        self.given = False

    def read(self):
        if not self.given:
            self.given = True
            return picture(self.number)
        self.release.wait(PATIENCE_S)
        return picture(100 + self.number)

    def reopen(self):
        if len(self.family) > 8:
            raise EnvironmentLacks("camera 0: enough")
        return HangingCamera(self.family)

    def close(self):
        self.closed.set()


def wait_for(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.002)


def test_a_read_that_hangs_is_left_behind_and_never_two_of_them(monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.005)
    told, mailbox, first = Told(), Mailbox(), HangingCamera()
    capture = LiveCapture(first, mailbox, patience=Patience(hang_s=0.05), tell=told)
    capture.start()
    family = first.family
    wait_for(lambda: mailbox.counts.read == 2)  # the second connection gave its frame
    assert told.states[:2] == ["lost", "live"]
    wait_for(lambda: told.states.count("lost") == 2)  # it hangs too
    time.sleep(0.1)
    assert len(family) == 2  # and is waited for: one is left behind already
    assert len(threads()) == 3
    assert not first.closed.is_set()
    first.release.set()  # the old call returns after all
    wait_for(lambda: len(family) == 3)  # so the second may be left behind
    assert first.closed.is_set()
    wait_for(lambda: mailbox.counts.read == 3)
    assert [one["cause"] for one in capture.journal.as_json(0)["outages"]][:2] == ["hung", "hung"]
    mailbox.stop("interrupted")
    for camera in family:
        camera.release.set()
    assert capture.join(PATIENCE_S)
    assert all(camera.closed.is_set() for camera in family)
    counts = mailbox.counts
    assert counts.read == sum(counts.dropped.values())  # what a left read brought is not counted


def test_an_attempt_to_open_that_hangs_is_left_behind_too(monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.005)
    clock = Clock()
    gate, entered = threading.Event(), threading.Event()

    class SlowToOpen(ScriptedCamera):
        def reopen(self):
            if not entered.is_set():
                entered.set()
                gate.wait(PATIENCE_S)
            return ScriptedCamera(self.clock, [picture(7), EndOfSource()], shared=self.shared)

    source = SlowToOpen(clock, [LOST])
    mailbox = Mailbox()
    capture = LiveCapture(source, mailbox, patience=Patience(hang_s=0.05))
    capture.start()
    wait_for(lambda: mailbox.ending == "end_of_source")
    assert mailbox.counts.read == 1
    gate.set()
    mailbox.stop("interrupted")
    assert capture.join(PATIENCE_S)
    assert (
        source.shared["closed"] == 3
    )  # the lost one, the one that ended, and the one that nobody waited for


def test_a_read_that_never_returns_does_not_hold_up_the_end(monkeypatch):
    monkeypatch.setattr(module, "TICK_S", 0.005)
    mailbox, camera = Mailbox(), HangingCamera()
    capture = LiveCapture(camera, mailbox, patience=Patience(give_up_s=0.02, hang_s=0.02))
    camera.reopen = lambda: (_ for _ in ()).throw(EnvironmentLacks("camera 0: busy"))
    capture.start()
    wait_for(lambda: mailbox.ending == "camera_lost")
    assert "given up after 0.02 s" in mailbox.lost_reason
    mailbox.stop("interrupted")
    assert capture.join(0.05) is False
    camera.release.set()
    assert capture.join(PATIENCE_S)
