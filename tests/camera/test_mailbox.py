from __future__ import annotations

import threading

import numpy as np
import pytest

from edgekit.camera.mailbox import Mailbox
from edgekit.types import Frame

PATIENCE_S = 30.0  # of a test that would otherwise hang


def frame(index: int) -> Frame:
    return Frame(np.zeros((2, 2, 3), np.uint8), "bgr", index)


def in_thread(function):
    """Starts ``function`` in a thread; the returned callable waits for its result."""
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()

    def wait():
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
        return result[0]

    return wait


def test_the_newest_frame_wins_and_the_older_is_counted():
    mailbox = Mailbox()
    for index in range(3):
        mailbox.put(frame(index))
    assert mailbox.occupied
    taken = mailbox.take()
    assert taken is not None
    assert taken.index == 2
    assert mailbox.counts.read == 3
    assert mailbox.counts.dropped == {"newer_frame": 2, "stale": 0, "corrupt": 0, "stopped": 0}
    assert mailbox.counts.unaccounted == 1  # in flight


def test_what_waits_at_the_end_of_the_source_is_still_processed():
    mailbox = Mailbox()
    mailbox.put(frame(0))
    mailbox.finish("end_of_source")
    assert mailbox.closed
    assert mailbox.take() is not None
    assert mailbox.take() is None
    assert mailbox.ending == "end_of_source"


def test_what_waits_when_the_loop_stops_is_dropped_under_stopped():
    mailbox = Mailbox()
    mailbox.put(frame(0))
    mailbox.stop("interrupted")
    assert mailbox.take() is None
    mailbox.put(frame(1))  # the capture thread had it in its hands
    assert mailbox.counts.dropped["stopped"] == 2
    assert mailbox.counts.unaccounted == 0


def test_corrupt_frames_are_read_and_dropped():
    mailbox = Mailbox()
    mailbox.put_corrupt()
    assert mailbox.counts.as_json() == {
        "read": 1,
        "processed": 0,
        "dropped": {"newer_frame": 0, "stale": 0, "corrupt": 1, "stopped": 0},
    }


def test_the_first_ending_stays():
    mailbox = Mailbox()
    mailbox.lose("camera 0: unplugged")
    mailbox.stop("interrupted")
    assert mailbox.ending == "camera_lost"
    assert mailbox.lost_reason == "camera 0: unplugged"


def test_take_gives_up_after_its_timeout():
    mailbox = Mailbox()
    assert mailbox.take(0.0) is None
    assert not mailbox.closed


def test_a_held_frame_leaves_a_newer_one_the_time_to_come():
    now = [100.0]
    mailbox = Mailbox(now_s=lambda: now[0])
    waits = []

    def wait(seconds):
        waits.append(seconds)
        now[0] += 0.01
        if len(waits) == 1:
            mailbox.put(frame(1), hold_s=0.02)

    mailbox._frame.wait = wait
    mailbox.put(frame(0), hold_s=0.02)
    taken = mailbox.take()
    assert taken is not None
    assert taken.index == 1
    assert waits == pytest.approx([0.02, 0.02, 0.01])
    assert mailbox.counts.dropped["newer_frame"] == 1


def test_a_frame_that_is_not_held_takes_the_place_of_one_that_is():
    mailbox = Mailbox()
    mailbox.put(frame(0), hold_s=3600)
    mailbox.put(frame(1))
    taken = mailbox.take()
    assert taken is not None
    assert taken.index == 1


@pytest.mark.parametrize("end", [lambda m: m.stop("interrupted"), lambda m: m.finish("end_of_source")])
def test_nothing_is_held_at_the_end(end):
    mailbox = Mailbox()
    mailbox.put(frame(0), hold_s=3600)
    wait = in_thread(mailbox.take)
    end(mailbox)
    assert (wait() is None) == mailbox.stopped


def test_a_waiting_taker_gets_the_frame():
    mailbox = Mailbox()
    wait = in_thread(mailbox.take)
    mailbox.put(frame(5))
    assert wait().index == 5


@pytest.mark.parametrize("end", [lambda m: m.stop("interrupted"), lambda m: m.finish("end_of_source")])
def test_a_waiting_taker_is_told_of_the_end(end):
    mailbox = Mailbox()
    wait = in_thread(mailbox.take)
    end(mailbox)
    assert wait() is None


def test_a_waiting_taker_is_told_of_an_error():
    mailbox = Mailbox()
    wait = in_thread(mailbox.take)
    mailbox.fail(RuntimeError("broken"))
    assert wait() is None
    assert str(mailbox.error) == "broken"
    mailbox.fail(RuntimeError("broken too"))
    assert str(mailbox.error) == "broken"


def test_room_comes_when_the_frame_is_taken():
    mailbox = Mailbox()
    assert mailbox.wait_for_room()
    mailbox.put(frame(0))
    wait = in_thread(mailbox.wait_for_room)
    assert mailbox.take() is not None
    assert wait() is True


def test_waiting_for_room_and_pauses_end_with_the_loop():
    mailbox = Mailbox()
    mailbox.put(frame(0))
    room, pause = in_thread(mailbox.wait_for_room), in_thread(lambda: mailbox.pause(3600))
    mailbox.stop("interrupted")
    assert room() is False
    assert pause() is True


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-4])
def test_a_pause_ends_by_itself(seconds):
    assert Mailbox().pause(seconds) is False


def test_stop_from_a_signal_handler_between_the_look_and_the_sleep():
    mailbox = Mailbox()
    sleep = mailbox._frame.wait

    def wait(seconds=None):
        mailbox.stop("interrupted")  # nobody sleeps yet who could be woken
        return sleep(seconds)

    mailbox._frame.wait = wait
    assert in_thread(mailbox.take)() is None


def test_stop_from_a_signal_handler_while_the_lock_is_held():
    mailbox = Mailbox()
    with mailbox._lock:  # as if the signal came in the middle of take()
        mailbox.stop("interrupted")
    assert mailbox.take() is None
