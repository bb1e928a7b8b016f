from __future__ import annotations

import numpy as np
import pytest

from edgekit.camera.condition import Condition
from edgekit.camera.patience import Patience
from edgekit.types import Frame
from tests.camera.live_fakes import MS, S, Told, picture


def made(fps=None, **patience):
    told = Told()
    return told, Condition(Patience(**patience), fps, 0, told)


def outages(condition, now_ns):
    return [
        (one["cause"], one["start_s"], one["seconds"]) for one in condition.journal.as_json(now_ns)["outages"]
    ]


def test_one_failed_read_is_a_glitch():
    told, condition = made()
    condition.frame(picture(0), 0)
    assert condition.failed("no frame", 1 * S, 0) is False
    condition.frame(picture(1), 2 * S)
    assert condition.failed("no frame", 3 * S, 0) is False
    assert told.events == []
    assert condition.journal.outages_total == 0


def test_two_in_a_row_are_an_outage_from_the_first_until_the_next_frame():
    told, condition = made()
    condition.frame(picture(0), 0)
    condition.failed("no frame", 1 * S, 0)
    assert condition.failed("no frame", 1 * S + 100 * MS, 0) is True
    condition.not_opened("cannot be opened", 2 * S)
    condition.reopened()
    condition.frame(picture(1), 4 * S)
    assert told.events == [("lost", 1 * S + 100 * MS, "no frame"), ("live", 4 * S, "back after 3.0 s")]
    assert outages(condition, 5 * S) == [("lost", 1.0, 3.0)]
    assert condition.journal.reconnects == 1


def test_a_read_that_failed_after_a_long_wait_is_no_glitch():
    told, condition = made()
    assert condition.failed("timed out", 9 * S, 5 * S) is True
    assert told.states == ["lost"]
    assert outages(condition, 9 * S) == [("lost", 4.0, 5.0)]


def test_pauses_grow_until_frames_have_come_for_a_while():
    _, condition = made()
    assert [condition.pause_s() for _ in range(3)] == [0.1, 0.2, 0.4]
    condition.frame(picture(0), 0)  # one frame and away again: a loose cable
    condition.frame(picture(1), 4 * S)
    assert condition.pause_s() == 0.8
    condition.frame(picture(2), 5 * S)
    assert condition.pause_s() == 0.1


def test_what_hangs_hangs_since_its_call():
    told, condition = made()
    condition.hung(6.0, 10 * S)
    condition.hung(6.0, 16 * S)  # the next attempt too: the same outage
    condition.frame(picture(0), 17 * S)
    assert told.states == ["lost", "live"]
    assert outages(condition, 20 * S) == [("hung", 4.0, 13.0)]


def test_a_slow_camera_does_not_hang():
    assert made(fps=30.0)[1].hang_s == 6.0
    assert made(fps=0.5)[1].hang_s == 10.0


def test_seconds_without_a_frame_that_can_be_decoded():
    told, condition = made()
    assert [condition.corrupt("bad", t * S) for t in range(1, 8)] == [False] * 6 + [True]
    assert outages(condition, 7 * S) == [("corrupt", 1.0, 6.0)]
    condition.frame(picture(0), 8 * S)
    assert told.states == ["lost", "live"]
    assert [condition.corrupt("bad", t * S) for t in (9, 10)] == [False, False]
    condition.frame(picture(1), 11 * S)
    assert condition.corrupt("bad", 17 * S) is False


def still(condition, seconds, start=0):
    return [condition.frame(picture(9), t * S)[1] for t in range(start, start + seconds)]


def test_a_frozen_camera_is_told_then_opened_again():
    told, condition = made(frozen_s=5.0)
    assert [t for t, again in enumerate(still(condition, 25)) if again] == [10, 20]
    condition.frame(picture(10), 25 * S)
    assert told.events == [
        ("frozen", 5 * S, "the same picture for 5.0 s"),
        ("live", 25 * S, "moves after 25.0 s"),
    ]
    assert outages(condition, 30 * S) == [("frozen", 0.0, 25.0)]


def test_a_frozen_camera_that_is_then_lost_is_lost():
    told, condition = made(frozen_s=5.0)
    still(condition, 11)
    condition.not_opened("cannot be opened", 11 * S)
    still(condition, 7, start=12)
    assert told.states == ["frozen", "lost", "live", "frozen"]
    assert [cause for cause, _, _ in outages(condition, 18 * S)] == ["frozen", "lost", "frozen"]


def test_a_still_picture_may_be_allowed():
    told, condition = made(frozen_s=None)
    assert not any(still(condition, 100))
    assert told.events == []


def test_another_size_is_told():
    told, condition = made()
    for number, size_wh in enumerate([(64, 48), (64, 48), (32, 24), (64, 48)]):
        condition.frame(Frame(np.full((*size_wh[::-1], 3), number, np.uint8), "bgr"), number * S)
    assert [detail for _, _, detail in told.events] == ["64x48 → 32x24", "32x24 → 64x48"]
    assert set(told.states) == {"changed"}
    assert condition.journal.changes == 2


def test_another_rate_is_told():
    told, condition = made(frozen_s=None)
    now_ns = 0
    for spacing_ms in [33] * 400 + [66] * 200:
        now_ns += spacing_ms * MS
        condition.frame(picture(0), now_ns)
    assert [(state, detail) for state, _, detail in told.events] == [
        ("changed", "30.3 → 15.2 frames a second")
    ]


@pytest.mark.parametrize(("at_s", "given_up"), [(10, None), (61, "cannot be opened (given up after 60 s)")])
def test_an_outage_that_lasts_too_long_is_given_up(at_s, given_up):
    _, condition = made(give_up_s=60.0)
    condition.failed("no frame", 1 * S, 0)
    condition.failed("no frame", 1 * S, 0)
    condition.not_opened("cannot be opened", 2 * S)
    assert condition.given_up(at_s * S) == given_up


def test_a_frozen_one_is_not_given_up_nor_one_that_is_there():
    _, condition = made(give_up_s=1.0, frozen_s=5.0)
    assert condition.given_up(99 * S) is None
    still(condition, 8)
    assert condition.given_up(99 * S) is None


def test_for_ever_unless_told_otherwise():
    _, condition = made()
    condition.hung(6.0, 10 * S)
    assert condition.given_up(10**9 * S) is None
