"""Calls of a model between frames: 30 ms from frame to frame, 10 of them in the loop, so gaps of 20."""

from __future__ import annotations

import pytest

from edgekit.gaps import SPACINGS, CallTimes, Gaps

MS = 1_000_000


def paced(interval_ms=30, worked_ms=10, frames=20):
    gaps = Gaps()
    for index in range(frames):
        gaps.done(index * interval_ms * MS, (index * interval_ms + worked_ms) * MS)
    return gaps, (frames - 1) * interval_ms * MS  # the last arrival


@pytest.mark.parametrize(
    ("call_ms", "since_arrival_ms", "begins"),
    [
        (8, 10, True),
        (8, 20, True),  # ends at 30 with its margin of a quarter
        (8, 20.1, False),
        (8, 29, False),
        (0, 29, True),
        (16, 10, True),  # the longest that fits
        (16, 10.1, False),
        (16.1, 10.1, True),  # fits into no gap
        (700, 29, True),
        (8, 31, False),  # the frame is due at any moment
        (8, 60, False),
        (8, 60.1, True),  # overdue by an interval: the camera stopped
    ],
)
def test_a_call_begins_if_it_ends_before_the_next_frame(call_ms, since_arrival_ms, begins):
    gaps, arrived_ns = paced()
    assert gaps.admit(round(call_ms * MS), arrived_ns + round(since_arrival_ms * MS)) is begins


def test_without_a_frame_or_a_spacing_everything_begins():
    gaps = Gaps()
    assert gaps.admit(8 * MS, 0)
    gaps.done(0, 10 * MS)
    assert gaps.admit(8 * MS, 29 * MS)


def test_a_loop_that_is_never_idle_has_no_gaps():
    gaps, arrived_ns = paced(worked_ms=30)
    assert gaps.admit(1 * MS, arrived_ns + 29 * MS)


def test_a_few_odd_spacings_do_not_move_the_interval():
    gaps, arrived_ns = paced()
    for late_ms in (300, 45):
        arrived_ns += late_ms * MS
        gaps.done(arrived_ns, arrived_ns + 10 * MS)
    assert gaps.admit(8 * MS, arrived_ns + 20 * MS)
    assert not gaps.admit(8 * MS, arrived_ns + 21 * MS)


def test_another_rate_is_learnt():
    gaps, arrived_ns = paced()
    for _ in range(SPACINGS):
        arrived_ns += 60 * MS
        gaps.done(arrived_ns, arrived_ns + 10 * MS)
    assert gaps.admit(8 * MS, arrived_ns + 50 * MS)
    assert not gaps.admit(8 * MS, arrived_ns + 51 * MS)


def answer(times, *took_ms, now_ms=0):
    """Expected before each call, of an answer whose calls take so long, 1 ms apart."""
    times.begin()
    expected = []
    for one_ms in took_ms:
        times.ended(now_ms * MS)
        expected.append(times.next_ns / MS)
        times.began(now_ms * MS)
        now_ms += one_ms
    times.ended(now_ms * MS)
    return expected


def test_calls_take_as_long_as_those_of_the_answer_before():
    times = CallTimes()
    assert answer(times, 8, 3, 1) == [0, 8, 3]  # of what was never seen: as the one before
    assert answer(times, 12, 3, 1, 2) == [8, 3, 1, 1]
    assert answer(times, 10, 3, 1, 1, 1) == [10, 3, 1, 2, 1.5]  # half way to what was seen


def test_an_answer_that_is_given_up_in_its_first_call_teaches_nothing():
    times = CallTimes()
    answer(times, 8, 3)
    times.begin()
    times.began(0)
    assert answer(times, 8) == [8]
