"""Cameras on a real network, on loopback, through the capture with its threads."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

import edgekit.camera.live as live
import edgekit.camera.mjpeg as mjpeg
import edgekit.camera.opencv as opencv
from edgekit.camera.live import LiveCapture
from edgekit.camera.mailbox import Mailbox
from edgekit.camera.opencv import open_stream
from edgekit.camera.patience import Patience
from edgekit.camera.spec import open_source
from edgekit.errors import EnvironmentLacks
from tests.camera.live_fakes import Told
from tests.camera.mjpeg_server import HEAD, jpeg, part, pictures, serving
from tests.camera.rtsp_server import packets, streaming

PATIENCE_S = 30.0


@pytest.fixture(autouse=True)
def a_quick_watchdog(monkeypatch):
    monkeypatch.setattr(live, "TICK_S", 0.01)


def threads():
    return [t for t in threading.enumerate() if t.name in ("edgekit-capture", "edgekit-watchdog")]


class Consumer:
    """Takes every frame that it can get, in a thread of its own."""

    def __init__(self, mailbox):
        self.mailbox, self.sizes = mailbox, []
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while (frame := self.mailbox.take()) is not None:
            self.sizes.append(frame.size_wh)
            self.mailbox.counts.processed += 1

    def wait_for(self, frames):
        wait_until(lambda: len(self.sizes) >= frames)


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.005)


@contextmanager
def capturing(source, **patience):
    """A capture that runs for a block; at its end every frame is accounted for and no thread is left."""
    mailbox, told = Mailbox(), Told()
    capture = LiveCapture(source, mailbox, patience=Patience(**patience), tell=told)
    capture.told, capture.consumer = told, Consumer(mailbox)
    capture.start()
    try:
        yield capture
    finally:
        mailbox.stop("interrupted")
        capture.consumer.thread.join(PATIENCE_S)
        joined = capture.join(PATIENCE_S)
    assert joined
    assert threads() == []
    assert mailbox.counts.unaccounted == 0


def healthy(_number):
    yield HEAD
    yield from pictures(0, 10_000, 0.01)


def until(event):
    """Parts of a healthy stream, up to the event."""
    for item in pictures(0, 10_000, 0.005):
        if event.is_set():
            return
        yield item


def test_a_camera_that_is_switched_off_and_on_again():
    off = threading.Event()

    def script(number):
        yield HEAD
        yield from until(off) if number == 0 else pictures(0, 10_000, 0.005)

    with serving(script) as server:
        with capturing(open_source(server.url)) as capture:
            server.down()
            capture.consumer.wait_for(5)
            off.set()
            wait_until(lambda: capture.told.states)
            time.sleep(0.3)  # attempts are refused
            assert server.connections == 1
            server.up()
            capture.consumer.wait_for(len(capture.consumer.sizes) + 5)
        server.over.set()
    assert capture.told.states == ["lost", "live"]
    assert capture.journal.reconnects == 1


def test_a_camera_that_stalls_in_the_middle_of_a_picture(monkeypatch):
    monkeypatch.setattr(mjpeg, "TIMEOUT_S", 1.0)

    def script(number):
        yield HEAD
        yield from pictures(0, 5, 0.005)
        if number == 0:
            yield part(jpeg(9))[:200]
            yield None
        yield from pictures(5, 10_000, 0.01)

    with serving(script) as server:
        with capturing(open_source(server.url)) as capture:
            wait_until(lambda: "live" in capture.told.states)
        server.over.set()
    assert capture.told.states[:2] == ["lost", "live"]
    assert server.connections >= 2


def test_a_camera_that_drops_every_connection_after_a_few_frames_is_not_stormed():
    def script(_number):
        yield HEAD
        yield from pictures(0, 3, 0.0)

    start_s = time.monotonic()
    with serving(script) as server, capturing(open_source(server.url)):
        wait_until(lambda: server.connections >= 4)
        took_s = time.monotonic() - start_s
    assert took_s >= 1.0  # each loss takes 0.1 s to notice, and then 0.1, 0.2, 0.4 s


def test_a_camera_that_changes_its_size():
    seen = threading.Event()

    def script(_number):
        yield HEAD
        yield from until(seen)
        yield from pictures(20, 10_000, 0.01, (96, 64))

    with serving(script) as server:
        with capturing(open_source(server.url)) as capture:
            capture.consumer.wait_for(1)
            seen.set()
            wait_until(lambda: (96, 64) in capture.consumer.sizes)
        server.over.set()
    assert [detail for _, _, detail in capture.told.events] == ["64x48 → 96x64"]
    assert set(capture.consumer.sizes) == {(64, 48), (96, 64)}


def test_a_camera_that_shows_a_still_is_frozen():
    def script(number):
        yield HEAD
        while number == 0:
            yield part(jpeg(0))
            yield 0.01
        yield from pictures(1, 10_000, 0.01)

    with serving(script) as server:
        with capturing(open_source(server.url), frozen_s=0.1) as capture:
            wait_until(lambda: "live" in capture.told.states)
        server.over.set()
    assert capture.told.states[:2] == ["frozen", "live"]
    assert server.connections == 2
    assert capture.journal.as_json(0)["outages"][0]["cause"] == "frozen"


def test_opencv_that_hangs_in_a_read_is_left_behind(monkeypatch):
    """As over RTSP, where it does not keep to its timeout."""
    monkeypatch.setattr(opencv, "STREAM_TIMEOUT_MS", 30_000)
    quiet = threading.Event()

    def script(number):
        yield HEAD
        yield from pictures(0, 30, 0.005)
        while number == 0 and not quiet.is_set():
            yield 0.01
        yield from pictures(30, 10_000, 0.01)

    with serving(script) as server:
        with capturing(open_stream(server.url), hang_s=0.3) as capture:
            wait_until(lambda: "live" in capture.told.states)
            assert len(threads()) == 3  # the watchdog, the reader, and the one that hangs
            before = len(capture.consumer.sizes)
            capture.consumer.wait_for(before + 10)
            quiet.set()
        server.over.set()
    assert capture.told.states[:2] == ["lost", "live"]
    assert capture.journal.as_json(0)["outages"][0]["cause"] == "hung"


def test_an_rtsp_camera_that_stalls_is_opened_again(monkeypatch):
    monkeypatch.setattr(opencv, "STREAM_TIMEOUT_MS", 2000)

    def script(number):
        for index in range(40 if number == 0 else 10_000):
            yield from packets(index, jpeg(index))
            yield 0.04
        yield None

    with streaming(script) as server:
        with capturing(open_source(server.url)) as capture:
            wait_until(lambda: "live" in capture.told.states)
            capture.consumer.wait_for(len(capture.consumer.sizes) + 5)
        server.over.set()
    assert capture.told.states[:2] == ["lost", "live"]
    assert server.plays >= 2
    assert set(capture.consumer.sizes) == {(64, 48)}


def test_what_queued_up_before_the_first_read_is_not_told_as_fresh():
    """FFmpeg keeps what it saw while it probed, and the socket what came while the model was loaded.

    The camera says one frame a second, so that half a second may pass between two frames of a queue.
    """
    levels = [cv2.imencode(".jpg", np.full((48, 64, 3), 2 * i, np.uint8))[1].tobytes() for i in range(40)]
    sent = threading.Event()

    def script(_number):
        for index, picture in enumerate(levels):
            yield from packets(index, picture, fps=1)
            yield 0.01
        sent.set()
        yield None

    with streaming(script, fps=1) as server:
        source = open_source(server.url)
        assert sent.wait(PATIENCE_S)
        mailbox = Mailbox()
        capture = LiveCapture(source, mailbox)
        capture.start()
        frame = mailbox.take(PATIENCE_S)
        mailbox.stop("interrupted")
        server.over.set()
        assert capture.join(PATIENCE_S)
    assert frame.pixels.mean() / 2 >= 35
    assert mailbox.counts.dropped["newer_frame"] >= 35


def test_a_dead_and_a_mute_rtsp_port_are_clear_errors(monkeypatch):
    monkeypatch.setattr(opencv, "STREAM_TIMEOUT_MS", 300)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        port = mute.getsockname()[1]
        with pytest.raises(EnvironmentLacks, match="no stream answers"):  # bound, and nobody listens
            open_source(f"rtsp://me:secret@127.0.0.1:{port}/x")
        mute.listen()
        with pytest.raises(EnvironmentLacks, match="no stream answers") as caught:
            open_source(f"rtsp://me:secret@127.0.0.1:{port}/x")
    assert "secret" not in str(caught.value)
    assert caught.value.exit_code == 3
