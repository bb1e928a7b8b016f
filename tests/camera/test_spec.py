from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from edgekit.camera.faulty import FaultySource
from edgekit.camera.folder import FolderSource
from edgekit.camera.opencv import OpenCvSource
from edgekit.camera.spec import SourceSpec, open_source, open_synthetic, parse_spec
from edgekit.camera.synthetic import SyntheticSource
from edgekit.errors import DataError, EnvironmentLacks, UsageError


@pytest.mark.parametrize(
    ("text", "kind", "rest"),
    [
        ("0", "device", "0"),
        ("12", "device", "12"),
        ("/dev/video3", "device", "/dev/video3"),
        ("/dev/v4l/by-id/usb-Cam-video-index0", "device", "/dev/v4l/by-id/usb-Cam-video-index0"),
        ("/dev/video", "path", "/dev/video"),
        ("2024", "path", "2024"),
        ("pi:0", "pi", "0"),
        ("pi", "path", "pi"),
        ("synthetic:", "synthetic", ""),
        ("synthetic:?fps=15", "synthetic", "?fps=15"),
        ("rtsp://cam/1", "stream", "rtsp://cam/1"),
        ("http://cam/mjpeg", "stream", "http://cam/mjpeg"),
        ("clip.mp4", "path", "clip.mp4"),
        ("a:b.mp4", "path", "a:b.mp4"),
    ],
)
def test_kinds(text, kind, rest):
    assert parse_spec(text) == SourceSpec(kind, rest)


@pytest.mark.parametrize("text", ["", "ftp://cam/1", "file:///etc/passwd"])
def test_what_is_refused(text):
    with pytest.raises(UsageError, match="source"):
        parse_spec(text)


def test_the_csi_camera_needs_picamera2():
    with pytest.raises(EnvironmentLacks, match="picamera2 cannot be imported") as caught:
        open_source("pi:0")
    assert "sudo apt install -y python3-picamera2" in caught.value.remedy
    assert "--system-site-packages" in caught.value.remedy


def test_faults_make_it_a_live_camera():
    source = open_source("synthetic:?fps=15&seconds=8&unplug=2s:2s&stall=6s:500ms&unplug=5s:1s")
    assert isinstance(source, FaultySource)
    assert (source.live, source.fps, source.size_wh) == (True, 15.0, (640, 480))
    assert source.description == (
        "synthetic:?fps=15&seconds=8&size=640x480&seed=0&unplug=2s:2s&stall=6s:0.5s&unplug=5s:1s"
    )


def test_an_address_that_was_mistyped_is_shown_without_its_password():
    with pytest.raises(DataError, match="no such file") as caught:
        open_source("rtsp:/me:secret@cam/1")
    assert "secret" not in str(caught.value)


def test_defaults_of_the_synthetic_source():
    source = open_source("synthetic:")
    assert isinstance(source, SyntheticSource)
    assert source.description == "synthetic:?fps=30&seconds=10&size=640x480&seed=0"
    assert (source.fps, source.size_wh, source.live) == (30.0, (640, 480), False)


def test_keys_of_the_synthetic_source():
    source = open_synthetic("?fps=15&seconds=8s&size=64x48&seed=3")
    assert source.description == "synthetic:?fps=15&seconds=8&size=64x48&seed=3"
    assert source._frames == 120
    assert math.isinf(open_synthetic("?seconds=inf")._frames)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("fps=15", "synthetic:fps=15"),
        ("?fsp=15", "no key 'fsp'"),
        ("?fps=15&fps=16", "twice"),
        ("?fps=0", "fps=0"),
        ("?fps=nan", "fps=nan"),
        ("?fps=1001", "fps=1001"),
        ("?fps=", "fps="),
        ("?seconds=0", "seconds=0"),
        ("?seconds=-1", "seconds=-1"),
        ("?size=15x16", "size=15x16"),
        ("?size=640", "size=640"),
        ("?size=4097x16", "size=4097x16"),
        ("?seed=1.5", "seed=1.5"),
        ("?seed=-1", "seed=-1"),
        ("?unplug=2", "unplug=2"),
        ("?stall=2s:0s", "stall=2s:0s"),
        ("?explode=2s:1s", "no key 'explode'"),
    ],
)
def test_bad_values_are_named(query, message):
    with pytest.raises(UsageError) as caught:
        open_synthetic(query)
    assert message in str(caught.value)


def test_paths_open_by_what_they_are(tmp_path, make_clip):
    cv2.imwrite(str(tmp_path / "p.png"), np.zeros((4, 4, 3), np.uint8))
    clip = make_clip("c.mp4", frames=2)
    assert isinstance(open_source(str(tmp_path)), FolderSource)
    assert isinstance(open_source(str(tmp_path / "p.png")), FolderSource)
    source = open_source(str(clip))
    assert isinstance(source, OpenCvSource)
    source.close()
    with pytest.raises(DataError, match="no such file or folder"):
        open_source(str(tmp_path / "missing.mp4"))
