from __future__ import annotations

import os
import socket
import threading

import pytest

from edgekit.deadline import FrameCounts
from edgekit.errors import UsageError
from edgekit.events import CameraChanged
from edgekit.figures import Figures
from edgekit.systemd import Notifier, Progress, notifier, sender
from tests.web.conftest import MS, about, frame_done


def test_progress_means_results_or_nothing_owed():
    counts, progress = FrameCounts(), Progress()
    assert progress.moves(counts)  # nothing was read yet
    counts.read = 1
    assert not progress.moves(counts)  # in flight for a whole look
    counts.processed = 1
    assert progress.moves(counts)
    assert progress.moves(counts)  # the camera is away: no frame is owed
    counts.read = 3
    counts.drop("newer_frame")
    assert not progress.moves(counts)  # one waits or is in flight
    counts.processed = 2
    assert progress.moves(counts)


def test_a_camera_that_gives_frames_while_the_loop_hangs_is_no_progress():
    counts, progress = FrameCounts(read=10, processed=9), Progress()
    progress.moves(counts)
    for _ in range(20):
        counts.read += 1
        counts.drop("newer_frame")
        assert not progress.moves(counts)


def begun(watchdog_s=30.0):
    sent, counts = [], FrameCounts()
    figures = Figures(now_ns=lambda: 100 * MS)
    notify = Notifier(sent.append, figures, watchdog_s)
    notify._pause_s = 600  # the test takes the steps
    figures.begin(about(), counts)
    notify.begin(about(), counts)
    return notify, figures, counts, sent


def test_ready_with_the_first_result_and_not_before():
    before = set(threading.enumerate())
    notify, figures, counts, sent = begun()
    notify.step()
    assert sent == ["STATUS=Loading fake"]
    for index in range(3):
        counts.read += 1
        for observer in (figures, notify):
            observer.frame_done(frame_done(index, 0))
        counts.processed += 1
    assert sent[1:] == ["READY=1"]
    notify.step()
    status = "STATUS=camera live, no results in the last seconds, p95 20.0 ms, 0 late, 0 dropped, int8"
    assert sent[2:] == [f"WATCHDOG=1\n{status}"]
    notify.close()
    assert sent[-1] == "STOPPING=1"
    assert set(threading.enumerate()) <= before


def test_a_look_under_way_at_the_end_tells_nothing_after_it(monkeypatch):
    sent, looks = [], threading.Event()
    figures = Figures(now_ns=lambda: 100 * MS)
    notify = Notifier(sent.append, figures, watchdog_s=0.001)
    snapshot = figures.snapshot

    def slow():
        looks.set()
        notify._stopped.wait(30)  # the end comes meanwhile
        return snapshot()

    monkeypatch.setattr(figures, "snapshot", slow)
    notify.begin(about(), FrameCounts())
    notify.frame_done(frame_done(0, 0))
    assert looks.wait(30)
    notify.close()
    assert sent[-1] == "STOPPING=1"
    assert sent[-2].startswith("WATCHDOG=1\nSTATUS=")


def test_a_loop_that_hangs_gets_a_status_and_no_ping():
    notify, _, counts, sent = begun()
    notify.frame_done(frame_done(0, 0))
    counts.read = counts.processed = 1
    notify.step()
    counts.read = 2
    notify.step()
    assert [message.startswith("WATCHDOG=1") for message in sent[2:]] == [True, False]
    notify.close()


def test_a_camera_that_is_away_is_no_hang():
    notify, figures, counts, sent = begun()
    notify.frame_done(frame_done(0, 0))
    counts.read = counts.processed = 1
    figures.camera_changed(CameraChanged("lost", 0, "unplugged"))
    for _ in range(3):
        notify.step()
    assert all(message.startswith("WATCHDOG=1\nSTATUS=camera lost") for message in sent[2:])
    notify.close()


def test_without_a_watchdog_there_is_a_status_alone():
    notify, _, _, sent = begun(None)
    notify.frame_done(frame_done(0, 0))
    notify.step()
    assert sent[-1].startswith("STATUS=")
    notify.close()


@pytest.mark.parametrize("abstract", [False, True])
def test_datagrams_reach_the_socket(tmp_path, abstract):
    name = f"@edgekit-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if abstract else name)
        manager.settimeout(60)
        sender(name)("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_a_manager_that_is_away_is_no_error(tmp_path):
    sender(str(tmp_path / "nobody"))("READY=1")
    sender("/" + "x" * 300)("READY=1")


def test_only_where_systemd_started_it():
    figures = Figures()
    assert notifier({}, figures) is None
    assert notifier({"NOTIFY_SOCKET": ""}, figures) is None
    found = notifier({"NOTIFY_SOCKET": "/run/x"}, figures)
    assert found is not None and not found._watched and found._pause_s == 5.0
    watched = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "6000000"}
    assert notifier(watched, figures)._pause_s == 2.0
    assert notifier({**watched, "WATCHDOG_PID": str(os.getpid())}, figures)._watched
    assert not notifier({**watched, "WATCHDOG_PID": "1"}, figures)._watched


@pytest.mark.parametrize(
    "environment",
    [
        {"NOTIFY_SOCKET": "relative"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "0"},
        {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "1e6"},
    ],
)
def test_an_environment_that_systemd_does_not_make(environment):
    with pytest.raises(UsageError, match="NOTIFY_SOCKET|WATCHDOG_USEC"):
        notifier(environment, Figures())
