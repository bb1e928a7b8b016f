from __future__ import annotations

import base64
import os
import re
import threading

import numpy as np
import pytest

import edgekit.camera.mjpeg as module
from edgekit.camera.mjpeg import MjpegSource, decode, open_mjpeg
from edgekit.camera.opencv import OpenCvSource
from edgekit.camera.protocol import Corrupt, Lost
from edgekit.camera.spec import open_source
from edgekit.errors import EnvironmentLacks
from edgekit.types import Frame
from tests.camera.mjpeg_server import HEAD, jpeg, part, pictures, serving


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 1.0)


@pytest.fixture(autouse=True)
def no_thread_stays():
    before = set(threading.enumerate())
    yield
    assert {t for t in threading.enumerate() if isinstance(t, threading.Timer)} <= before


def readings(source, most=200):
    """Up to the loss of the stream, which is the last of them."""
    found = []
    while len(found) < most and not (found and isinstance(found[-1], Lost)):
        found.append(source.read())
    source.close()
    source.close()
    return found


def kinds(found):
    return "".join({Frame: "F", Corrupt: "c", Lost: "L"}[type(reading)] for reading in found)


def served(script, sent=None):
    with serving(script) as server:
        source = open_source(server.url)
        assert sent is None or sent.wait(30)  # what is there is no matter of time
        return server.url, readings(source)


def test_pictures_come_as_they_were_sent_and_a_closed_stream_is_lost():
    def script(_n):
        yield HEAD
        yield from pictures(0, 8, 0.0)

    url, found = served(script)
    assert kinds(found) == "FFFFFFFFL"
    assert found[-1] == Lost(f"{url}: closed by the other side after 8 frames")
    for index, reading in enumerate(found[:-1]):
        assert (reading.pixels == decode(jpeg(index))).all()
        assert (reading.size_wh, reading.color) == ((64, 48), "bgr")


def test_a_stream_that_stalls_is_lost_after_the_timeout(impatient):
    sent = threading.Event()

    def script(_n):
        yield HEAD
        yield from pictures(0, 3, 0.0)
        sent.set()
        yield None

    _, found = served(script, sent)
    assert kinds(found) == "FFFL"
    assert "no answer in time after 3 frames" in found[-1].reason


def test_a_picture_that_comes_byte_by_byte_is_lost_too(impatient):
    sent = threading.Event()

    def script(_n):
        yield HEAD
        yield part(jpeg(0))
        sent.set()
        for byte in part(jpeg(1)):
            yield bytes([byte])
            yield 0.02

    _, found = served(script, sent)
    assert kinds(found) == "FL"
    assert "no whole picture within 1 s" in found[-1].reason


def test_another_size_is_given_as_it_is():
    def script(_n):
        yield HEAD
        yield from pictures(0, 2, 0.0)
        yield from pictures(2, 2, 0.0, (96, 64))

    _, found = served(script)
    assert [r.size_wh for r in found[:-1]] == [(64, 48)] * 2 + [(96, 64)] * 2


def test_broken_pictures_are_counted_and_cost_no_other():
    whole = jpeg(1)

    def script(_n):
        yield HEAD
        for body in (whole, whole[: len(whole) // 2], whole, os.urandom(800), b"", whole):
            yield part(body)

    assert kinds(served(script)[1]) == "FcFccFL"


def test_a_part_of_a_terabyte_is_not_collected():
    def script(_n):
        yield HEAD
        yield part(jpeg(0))
        yield part(b"x", 10**12)
        yield part(jpeg(1))

    assert kinds(served(script)[1]) == "FcFL"


def test_a_picture_of_four_thousand_million_pixels_is_not_decoded():
    data = bytearray(jpeg(0))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = b"\xff\xff\xff\xff"
    assert decode(bytes(data)) is None
    assert decode(jpeg(0)) is not None


def test_fuzzed_pictures_are_decoded_or_not():
    rng = np.random.default_rng(3)
    whole = np.frombuffer(jpeg(5), np.uint8)
    for _ in range(300):
        data = whole.copy()
        data[rng.integers(0, len(data), 4)] = rng.integers(0, 256, 4)
        picture = decode(data.tobytes())
        assert picture is None or (picture.dtype == np.uint8 and picture.shape[2] == 3)


def test_chunked_transfer_is_understood():
    def script(_n):
        yield HEAD.replace(b"HTTP/1.0", b"HTTP/1.1").replace(
            b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for index in range(3):
            body = part(jpeg(index))
            yield b"%x\r\n" % len(body) + body + b"\r\n"

    assert kinds(served(script)[1]) == "FFFL"


@pytest.mark.parametrize(
    "script",
    [
        lambda n: iter([None]),
        lambda n: (item for byte in HEAD for item in (bytes([byte]), 0.2)),
        lambda n: iter([HEAD[:25], 0.5, HEAD[25:30], None]),
    ],
    ids=["says nothing", "says it byte by byte", "stops in the middle"],
)
def test_a_server_that_does_not_come_to_the_point(impatient, script):
    with (
        serving(script) as server,
        pytest.raises(EnvironmentLacks, match=r"no stream answers \(waited 1 s\)"),
    ):
        open_mjpeg(server.url)


def test_nobody_there():
    with serving(lambda n: iter([])) as server:
        url = server.url
    with pytest.raises(EnvironmentLacks, match="Connection refused") as caught:
        open_mjpeg(url.replace("http://", "http://me:secret@"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["http://", "http://me:se cret@:x/", "http://[::1", "http://me:secret@cam:port/", "https://:0"]
)
def test_addresses_that_are_none(url):
    with pytest.raises(EnvironmentLacks) as caught:
        open_source(url)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    "answer", [b"garbage\r\n\r\n", b"", bytes(range(256)) * 20, b"HTTP/1.1 999 " + b"x" * 70000]
)
def test_answers_that_are_no_http(answer):
    with (
        serving(lambda n: iter([answer])) as server,
        pytest.raises(EnvironmentLacks, match="no stream answers"),
    ):
        open_source(server.url)


def test_what_is_no_motion_jpeg_is_left_to_ffmpeg(monkeypatch):
    def script(_n):
        yield b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>log in</html>"

    with serving(script) as server, pytest.raises(EnvironmentLacks, match="no stream answers"):
        assert open_mjpeg(server.url) is None
        open_source(server.url)


def test_a_clip_on_a_web_server_is_a_file_that_ends(make_clip):
    data = make_clip("clip.avi", frames=6).read_bytes()

    def script(_n):
        yield b"HTTP/1.0 200 OK\r\nContent-Type: video/x-msvideo\r\nContent-Length: %d\r\n\r\n" % len(data)
        yield data

    with serving(script) as server:
        source = open_source(server.url)
        assert isinstance(source, OpenCvSource)
        assert (source.live, source.fps) == (False, 10.0)
        frames = 0
        while isinstance(source.read(), Frame):
            frames += 1
        source.close()
    assert frames == 6


class Guarded:
    """Asks for a user and a password as ``scheme`` has it."""

    def __init__(self, challenge):
        self.challenge, self.heads = challenge, []

    def __call__(self, head):
        self.heads.append(head)
        if b"Authorization:" in head:
            yield HEAD
            yield part(jpeg(0))
        else:
            yield b"HTTP/1.1 401 No\r\nWWW-Authenticate: " + self.challenge + b"\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("challenge", [b'Basic realm="cam"', b'Digest realm="cam", nonce="abc", qop="auth"'])
def test_user_and_password_go_the_way_the_server_asks(challenge):
    guarded = Guarded(challenge)
    with serving(guarded, by_head=True) as server:
        source = open_source(server.url.replace("http://", "http://me:p%40ss@"))
        assert isinstance(source, MjpegSource)
        assert "p%40ss" not in source.description and "me" not in source.description
        assert isinstance(source.read(), Frame)
        source.close()
    sent = re.search(rb"Authorization: (\w+) (\S+)", guarded.heads[-1])
    assert sent is not None
    assert sent[1] == challenge.split()[0]
    if sent[1] == b"Basic":
        assert base64.b64decode(sent[2]) == b"me:p@ss"
    assert b"p%40ss" not in b"".join(guarded.heads)


def test_the_wrong_password_is_told():
    def script(_n):
        yield b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"

    with serving(script) as server, pytest.raises(EnvironmentLacks, match="answers 403 Forbidden") as caught:
        open_source(server.url.replace("http://", "http://me:secret@"))
    assert "secret" not in str(caught.value)
    assert caught.value.remedy == "check the address, user name and password"


def test_opened_again_it_goes_on_and_one_that_became_a_page_is_refused():
    def script(number):
        yield HEAD if number < 2 else HEAD.replace(b"multipart/x-mixed-replace", b"text/html")
        yield part(jpeg(number))

    with serving(script) as server:
        source = open_source(server.url)
        assert kinds(readings(source)) == "FL"
        again = source.reopen()
        assert kinds(readings(again)) == "FL"
        with pytest.raises(EnvironmentLacks, match="no Motion JPEG any more"):
            again.reopen()
