from __future__ import annotations

import pytest

from edgekit.camera.pace import Pace

MS = 1_000_000
S = 1_000 * MS


def holds(pace, spacings_ms, start_ms=0):
    """Milliseconds for which each frame is held."""
    now, found = start_ms * MS, []
    for spacing in spacings_ms:
        now += round(spacing * MS)
        found.append(pace.arrived(now) / MS)
    return found


def test_a_steady_camera_is_never_held_but_for_its_first_frame():
    pace = Pace(25.0)
    assert holds(pace, [0, *[40] * 20]) == [20.0, *[0.0] * 20]
    assert pace.interval_ns == 40 * MS


def test_what_the_source_says_holds_until_its_frames_say_better():
    pace = Pace(30.0)
    holds(pace, [0, 67])
    assert pace.interval_ns == 33_333_333
    holds(pace, [67] * 8, start_ms=67)
    assert pace.interval_ns == 67 * MS


def test_an_unknown_rate_is_learned_and_nothing_held():
    pace = Pace(None)
    assert pace.interval_ns is None
    assert holds(pace, [0, 40, 40, 40]) == [0.0] * 4
    assert pace.interval_ns is None
    assert holds(pace, [40, 40], start_ms=120) == [0.0] * 2
    assert pace.interval_ns == 40 * MS


def test_a_queue_after_a_silence_is_held_until_it_is_empty():
    pace = Pace(25.0)
    holds(pace, [0, *[40] * 20])
    burst = holds(pace, [2000, *[2] * 50, 38, 40, 40], start_ms=800)
    assert burst == [20.0, *[20.0] * 50, 0.0, 0.0, 0.0]
    assert pace.interval_ns == 40 * MS  # the burst does not count


@pytest.mark.parametrize(("gap_ms", "held"), [(499, 0.0), (500, 20.0)])
def test_a_short_silence_is_none(gap_ms, held):
    pace = Pace(25.0)
    holds(pace, [0, *[40] * 20])
    assert holds(pace, [gap_ms], start_ms=800) == [held]


def test_a_slow_camera_needs_a_longer_silence():
    pace = Pace(2.0)
    assert holds(pace, [0, *[500] * 5, 2400, 2500]) == [250.0, *[0.0] * 6, 250.0]


def test_a_source_that_is_always_fast_is_not_held_for_ever():
    pace = Pace(25.0)
    found = holds(pace, [0, *[1] * 3000])
    assert found[:2001] == [20.0] * 2001
    assert not any(found[2001:])


def test_a_long_silence_may_leave_a_queue_that_takes_long_to_empty():
    pace = Pace(25.0)
    holds(pace, [0, *[40] * 20])
    burst = holds(pace, [10_000, *[15] * 600], start_ms=800)  # each takes 15 ms to decode
    assert burst == [20.0] * 601


def test_after_it_was_opened_again_its_first_frames_may_be_old():
    pace = Pace(25.0)
    holds(pace, [0, *[40] * 20])
    pace.restarted()
    assert holds(pace, [60_000, 1, 1, 39], start_ms=800) == [20.0, 20.0, 20.0, 0.0]
    assert pace.interval_ns == 40 * MS


def rates(spacings_ms):
    pace, now, found = Pace(None), 0, []
    for spacing in spacings_ms:
        now += round(spacing * MS)
        pace.arrived(now)
        if change := pace.changed_rate():
            found.append((round(now / S, 1), *(round(rate, 1) for rate in change)))
    return found


def test_a_rate_that_changes_for_good_is_told_once():
    assert rates([0, *[100] * 200, *[200] * 200]) == [(30.0, 10.0, 5.0)]


def test_bursts_and_stalls_are_no_change_of_rate():
    assert rates([0, *([100] * 60 + [2000] + [5] * 19) * 10]) == []
    assert rates([0, *([100] * 150 + [3000]) * 10]) == []
    assert rates([0, *[100] * 49, 10_000, *[100] * 300]) == []  # in the very first window
