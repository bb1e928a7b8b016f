from __future__ import annotations

import time

import pytest

from edgekit.camera.faults import Fault, FaultPlan
from edgekit.camera.faulty import FaultySource, Timeline, clock_of
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost
from edgekit.camera.synthetic import SyntheticSource
from edgekit.errors import EnvironmentLacks
from edgekit.types import Frame

FPS = 10.0


class Time:
    """Seconds that pass only in ``sleep``."""

    def __init__(self):
        self.s = 500.0

    def __call__(self):
        return self.s

    def sleep(self, seconds):
        assert seconds > 0
        self.s += seconds


def camera(*faults, seconds=4.0, size_wh=(64, 48)):
    now = Time()
    made = SyntheticSource(FPS, seconds, size_wh)
    source = FaultySource(made, FaultPlan(faults), FPS, seconds, Timeline(now, now.sleep))
    return now, made, source


def times(now, source):
    """(seconds since the start, what came) of every reading to the end; lost cameras are tried again after 0.1 s."""
    began, found = now.s, []
    while not isinstance(reading := source.read(), EndOfSource):
        found.append((round(now.s - began, 3), reading))
        if isinstance(reading, Lost):
            now.sleep(0.1)
    return found


def frames(found):
    return [at for at, reading in found if isinstance(reading, Frame)]


def test_without_a_fault_frames_come_on_time_and_it_ends():
    now, made, source = camera(seconds=1.0)
    found = times(now, source)
    assert frames(found) == [pytest.approx(i / 10) for i in range(10)]
    for index, (_, reading) in enumerate(found):
        assert (reading.pixels == made.picture(index)).all()
    assert now.s == pytest.approx(501.0)


def test_time_begins_at_the_first_read():
    now, _, source = camera(seconds=1.0)
    now.s += 60  # the model was loaded
    assert len(times(now, source)) == 10


def test_unplugged_it_cannot_be_read_nor_opened():
    now, _, source = camera(Fault("unplug", 1.0, 1.0))
    for _ in range(10):
        assert isinstance(source.read(), Frame)
    now.sleep(0.1)
    assert isinstance(source.read(), Lost)
    assert isinstance(source.read(), Lost)
    with pytest.raises(EnvironmentLacks, match="unplugged, as planned"):
        source.reopen()
    now.sleep(1.0)
    again = source.reopen()
    assert isinstance(again.read(), Frame)
    assert frames(times(now, again))[-1] == pytest.approx(1.9)  # at 4.0 s less 0.1


def test_frozen_it_gives_the_last_picture_again():
    now, made, source = camera(Fault("freeze", 1.0, 1.0))
    found = times(now, source)
    assert frames(found) == [pytest.approx(i / 10) for i in range(40)]
    shown = [next(i for i in range(40) if (r.pixels == made.picture(i)).all()) for _, r in found]
    assert shown == [*range(10), *[9] * 10, *range(20, 40)]


def test_stalled_a_read_blocks_and_the_frames_are_gone():
    now, _, source = camera(Fault("stall", 1.0, 1.5))
    assert frames(times(now, source)) == [pytest.approx(i / 10) for i in [*range(10), *range(25, 40)]]


def test_in_a_burst_they_come_all_at_once():
    now, made, source = camera(Fault("burst", 1.0, 1.5))
    found = times(now, source)
    late = [i / 10 if i < 10 or i >= 25 else 2.5 for i in range(40)]
    assert frames(found) == [pytest.approx(at) for at in late]
    assert all((r.pixels == made.picture(i)).all() for i, (_, r) in enumerate(found))


def test_corrupt_frames_come_on_time():
    now, _, source = camera(Fault("corrupt", 1.0, 1.0))
    found = times(now, source)
    assert [at for at, r in found if isinstance(r, Corrupt)] == [pytest.approx(i / 10) for i in range(10, 20)]
    assert len(found) == 40


def test_resized_for_a_while():
    now, _, source = camera(Fault("resize", 1.0, 1.0))
    sizes = [reading.size_wh for _, reading in times(now, source)]
    assert sizes == [(64, 48)] * 10 + [(32, 24)] * 10 + [(64, 48)] * 20


def test_a_reader_that_comes_late_gets_the_newest():
    now, made, source = camera()
    source.read()
    now.sleep(0.95)
    reading = source.read()
    assert (reading.pixels == made.picture(9)).all()
    assert now.s == pytest.approx(500.95)


def test_it_ends_however_it_ails():
    now, _, source = camera(Fault("unplug", 3.0, 9.0))
    found = times(now, source)
    assert now.s == pytest.approx(504.0, abs=0.11)
    assert isinstance(found[-1][1], Lost)
    assert isinstance(source.reopen().read(), EndOfSource)


@pytest.mark.parametrize("kind", ["stall", "burst"])
def test_it_ends_in_the_middle_of_a_silence(kind):
    now, _, source = camera(Fault(kind, 3.0, 9.0))
    assert frames(times(now, source))[-1] == pytest.approx(2.9)
    assert now.s == pytest.approx(504.0)


def test_faults_combine():
    now, _, source = camera(Fault("resize", 1.0, 1.0), Fault("corrupt", 1.5, 1.0), Fault("stall", 0.2, 0.2))
    kinds = [
        "C" if isinstance(r, Corrupt) else "s" if r.size_wh == (32, 24) else "."
        for _, r in times(now, source)
    ]
    assert "".join(kinds) == ".." + "." * 6 + "s" * 5 + "C" * 10 + "." * 15


def test_a_frame_is_its_receivers_own():
    _, _, source = camera(Fault("freeze", 0.0, 9.0))
    source.read().pixels[:] = 0
    assert source.read().pixels.any()


def test_the_loops_clock_leaps_and_the_cameras_does_not():
    now, _, source = camera(Fault("clockjump", 1.0, 100.0))
    clock = clock_of(source)
    assert time.perf_counter_ns() <= clock() <= time.perf_counter_ns()
    assert len(times(now, source)) == 40
    leap_ns = 100 * 10**9
    assert time.perf_counter_ns() + leap_ns <= clock() <= time.perf_counter_ns() + leap_ns
    assert clock_of(SyntheticSource()) is time.perf_counter_ns
