from __future__ import annotations

import http.server
import itertools
import subprocess
import sys
import threading

import cv2
import numpy as np
import pytest

import edgekit.camera.opencv as module
from edgekit.camera.opencv import OpenCvSource, cameras, open_device, open_stream, open_video
from edgekit.camera.protocol import Corrupt, EndOfSource, Lost, Reshaped
from edgekit.errors import DataError, EnvironmentLacks
from edgekit.types import Frame


class FakeCapture:
    """A ``cv2.VideoCapture`` that plays a script: an array, ``None`` (not decodable), or nothing more."""

    def __init__(self, script=(), properties=None, opened=True):
        self.script = list(script)
        self.properties = {
            cv2.CAP_PROP_FPS: 25.0,
            cv2.CAP_PROP_FRAME_WIDTH: 4.0,
            cv2.CAP_PROP_FRAME_HEIGHT: 2.0,
            **(properties or {}),
        }
        self.opened = opened
        self.released = 0
        self.set_calls = []

    def get(self, key):
        return self.properties.get(key, 0.0)

    def set(self, key, value):
        self.set_calls.append((key, value))
        return True

    def isOpened(self):
        return self.opened

    def grab(self):
        return bool(self.script)

    def retrieve(self):
        pixels = self.script.pop(0)
        return pixels is not None, pixels

    def release(self):
        self.released += 1


def never():
    raise AssertionError("nothing asked to open it again")


GREY = np.full((2, 4, 3), 9, np.uint8)


def test_a_clip_is_read_to_its_end(make_clip):
    source = open_video(make_clip(frames=4, fps=12.5))
    assert (source.fps, source.size_wh, source.live, source.notes) == (12.5, (64, 48), False, [])
    levels = []
    while isinstance(reading := source.read(), Frame):
        assert reading.color == "bgr"
        levels.append(round(float(reading.pixels.mean())))
    source.close()
    source.close()
    assert len(levels) == 4
    assert all(
        later - earlier >= 3 for earlier, later in itertools.pairwise(levels)
    )  # grey 0, 8, 16, 24, lossy
    assert reading == EndOfSource()
    assert source.notes == []


def test_a_cut_clip_gives_what_it_has_and_says_so(test_data, tmp_path):
    whole = (test_data / "videos" / "car-detection.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[:200_000])
    source = open_video(cut)
    count = 0
    while isinstance(source.read(), Frame):
        count += 1
    source.close()
    assert 0 < count < 377
    assert source.notes == [f"video ends after {count} of 377 announced frames"]


def write(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("empty.mp4", b"", "is empty"),
        ("text.mp4", b"hello\n" * 50, "not a video"),
        ("notes.txt", b"hello\n" * 50, "not a video"),  # FFmpeg would draw it as a terminal
        ("noise.mp4", bytes(range(256)) * 40, "not a video"),
    ],
)
def test_files_that_are_no_video(tmp_path, name, data, message):
    with pytest.raises(DataError, match=message) as caught:
        open_video(write(tmp_path / name, data))
    assert caught.value.exit_code == 2
    assert name in str(caught.value)


def test_a_missing_clip(tmp_path):
    with pytest.raises(DataError, match="no such video file"):
        open_video(tmp_path / "none.mp4")


def test_a_clip_of_which_nothing_can_be_decoded():
    source = OpenCvSource(FakeCapture(), "clip.mp4")
    with pytest.raises(DataError, match=r"clip\.mp4: no frame of this video can be decoded"):
        source.read()


@pytest.mark.parametrize("pixels", [None, np.zeros((0, 0, 3), np.uint8)])
def test_a_frame_that_cannot_be_decoded_is_corrupt_not_the_end(pixels):
    source = OpenCvSource(FakeCapture([pixels, GREY]), "clip.mp4")
    assert source.read() == Corrupt("clip.mp4: frame 0 cannot be decoded")
    assert isinstance(source.read(), Frame)


def test_grey_cameras_become_three_channels():
    source = OpenCvSource(FakeCapture([np.full((2, 4), 7, np.uint8)]), "camera 0", never)
    reading = source.read()
    assert isinstance(reading, Frame)
    assert reading.pixels.shape == (2, 4, 3)
    assert (reading.pixels == 7).all()


def test_a_driver_that_changes_its_form_says_so_before_the_frame():
    packed = np.full((2, 4, 2), 128, np.uint8)
    source = OpenCvSource(FakeCapture([GREY, packed, packed, GREY]), "camera 0", never)
    readings = [source.read() for _ in range(6)]
    assert [type(reading) for reading in readings] == [Frame, Reshaped, Frame, Frame, Reshaped, Frame]
    assert [r.detail for r in readings if isinstance(r, Reshaped)] == ["bgr → yuyv", "yuyv → bgr"]
    assert all(r.pixels.shape == (2, 4, 3) for r in readings if isinstance(r, Frame))


def test_opencv_that_raises_is_a_frame_that_cannot_be_decoded():
    fake = FakeCapture([GREY])
    fake.retrieve = lambda: cv2.cvtColor(np.zeros((1, 1, 2), np.uint8), cv2.COLOR_BGR2GRAY)
    reading = OpenCvSource(fake, "camera 0", never).read()
    assert isinstance(reading, Corrupt)
    assert reading.reason.startswith("camera 0: ")


def test_a_live_source_that_gives_nothing_is_lost_and_may_come_back():
    fake = FakeCapture([GREY])
    source = OpenCvSource(fake, "camera 0", never)
    assert isinstance(source.read(), Frame)
    assert source.read() == Lost("camera 0: no frame after 1")
    fake.script.append(GREY)
    assert isinstance(source.read(), Frame)


@pytest.mark.parametrize("reported", [0.0, float("nan"), float("inf"), -25.0, 90_000.0, 0.05])
def test_an_absurd_frame_rate_is_replaced_and_told(reported):
    source = OpenCvSource(FakeCapture(properties={cv2.CAP_PROP_FPS: reported}), "clip.mp4")
    assert source.fps == 30.0
    assert source.notes == [f"the file's frame rate is {reported:g}: assumed 30"]


@pytest.mark.parametrize(("reported", "fps"), [(0.1, 0.1), (29.97, 29.97), (480.0, 480.0)])
def test_a_sensible_frame_rate_is_kept(reported, fps):
    source = OpenCvSource(FakeCapture(properties={cv2.CAP_PROP_FPS: reported}), "clip.mp4")
    assert source.fps == fps
    assert source.notes == []


def test_a_live_source_without_a_frame_rate_has_none():
    source = OpenCvSource(FakeCapture(properties={cv2.CAP_PROP_FPS: 0.0}), "camera 0", never)
    assert source.fps is None
    assert source.notes == []


def test_an_unknown_size_is_unknown():
    source = OpenCvSource(FakeCapture(properties={cv2.CAP_PROP_FRAME_WIDTH: 0.0}), "camera 0", never)
    assert source.size_wh is None


@pytest.mark.parametrize("device", ["97", "/dev/video97"])
def test_a_camera_that_does_not_exist(device):
    with pytest.raises(EnvironmentLacks, match=f"camera {device}: cannot be opened") as caught:
        open_device(device)
    assert caught.value.exit_code == 3
    assert "cameras of this machine: " in caught.value.remedy


def test_a_camera_that_exists_is_live_and_keeps_no_queue(monkeypatch):
    fake = FakeCapture([GREY])
    monkeypatch.setattr(cv2, "VideoCapture", lambda *args: fake)
    source = open_device("0")
    assert (source.description, source.live) == ("camera 0", True)
    assert source.reopen() is not source
    assert (cv2.CAP_PROP_BUFFERSIZE, 1) in fake.set_calls


def test_cameras_are_listed_by_number_with_their_names(tmp_path, monkeypatch):
    dev, names = tmp_path / "dev", tmp_path / "names"
    (names / "video2").mkdir(parents=True)
    (names / "video2" / "name").write_text("HD Webcam\n")
    dev.mkdir()
    monkeypatch.setattr(module, "VIDEO_DEVICES", dev)
    monkeypatch.setattr(module, "DEVICE_NAMES", names)
    assert cameras() == "none"
    for number in (10, 2):
        (dev / f"video{number}").touch()
    assert cameras() == f"{dev}/video2 (HD Webcam), {dev}/video10"


def test_a_dead_port_is_what_the_environment_lacks():
    with pytest.raises(EnvironmentLacks, match="no stream answers") as caught:
        open_stream("rtsp://me:secret@127.0.0.1:9/x")
    assert "secret" not in str(caught.value)


class MotionJpeg(http.server.BaseHTTPRequestHandler):
    """Sends eight pictures as multipart and closes."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=cut")
        self.end_headers()
        for level in range(0, 160, 20):
            jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), level, np.uint8))[1].tobytes()
            head = f"--cut\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def motion_jpeg():
    server = http.server.HTTPServer(("127.0.0.1", 0), MotionJpeg)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/stream"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_network_stream_is_live_and_lost_when_the_other_side_closes(motion_jpeg):
    source = open_stream(motion_jpeg)
    assert source.live
    frames = 0
    while isinstance(reading := source.read(), Frame):
        assert reading.size_wh == (64, 48)
        frames += 1
    source.close()
    assert frames == 8
    assert reading == Lost(f"{motion_jpeg}: no frame after 8")


OPENS_BAD_SOURCES = """
import sys
from edgekit.camera.spec import open_source
from edgekit.errors import EdgekitError
for text in sys.argv[1:]:
    try:
        source = open_source(text)
        while type(source.read()).__name__ != "EndOfSource":
            pass
    except EdgekitError as error:
        print(error.kind)
"""


def test_opencv_and_ffmpeg_say_nothing_themselves(tmp_path, make_clip):
    """In a process of its own: FFmpeg's level is read once, when the first clip of a process is opened."""
    text = write(tmp_path / "text.mp4", b"hello\n" * 50)
    cut = write(tmp_path / "cut.mp4", make_clip(frames=30).read_bytes()[:-900])
    damaged = bytearray(make_clip(frames=30).read_bytes())
    damaged[300:700] = bytes(400)
    broken = write(tmp_path / "broken.mp4", bytes(damaged))
    sources = [str(text), str(cut), str(broken), "97", "/dev/video97", "rtsp://127.0.0.1:9/x"]
    run = subprocess.run(
        [sys.executable, "-c", OPENS_BAD_SOURCES, *sources], capture_output=True, text=True, timeout=60
    )
    assert run.stderr == ""
    assert run.stdout.split().count("environment") == 3
    assert run.stdout.split()[0] == "data"
