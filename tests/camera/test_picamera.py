from __future__ import annotations

import sys
import types
from typing import ClassVar

import numpy as np
import pytest

from edgekit.camera.picamera import READ_TIMEOUT_S, PiCameraSource, open_pi_camera
from edgekit.camera.protocol import Corrupt, Lost
from edgekit.camera.spec import open_source
from edgekit.errors import EnvironmentLacks
from edgekit.types import Frame


class FakeCamera:
    """What of ``picamera2.Picamera2`` is used."""

    cameras: ClassVar = [{"Model": "imx708"}]
    script: ClassVar = []
    made: ClassVar = []
    fails_at = None

    def __init__(self, number):
        self.number, self.calls = number, []
        FakeCamera.made.append(self)
        self._may_fail("open")

    @classmethod
    def global_camera_info(cls):
        return cls.cameras

    def _may_fail(self, step):
        if FakeCamera.fails_at == step:
            raise RuntimeError(f"Failed to {step} camera")

    def create_video_configuration(self, main, queue):
        return {"main": main, "queue": queue, "controls": {"FrameDurationLimits": (33333, 33333)}}

    def configure(self, configuration):
        self.configuration = configuration

    def start(self):
        self._may_fail("start")
        self.calls.append("start")

    def capture_array(self, name, wait):
        assert (name, wait) == ("main", READ_TIMEOUT_S)
        item = FakeCamera.script.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def stop(self):
        self._may_fail("stop")
        self.calls.append("stop")

    def close(self):
        self.calls.append("close")


class OwnTimeoutError(Exception):
    pass


@pytest.fixture
def library(monkeypatch):
    module = types.ModuleType("picamera2")
    module.Picamera2, module.TimeoutError = FakeCamera, OwnTimeoutError
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(FakeCamera, "script", [])
    monkeypatch.setattr(FakeCamera, "made", [])
    monkeypatch.setattr(FakeCamera, "fails_at", None)
    return module


PIXELS = np.full((720, 1280, 3), 9, np.uint8)


def test_pictures_are_bgr_and_none_is_from_a_queue(library):
    FakeCamera.script = [PIXELS]
    source = open_source("pi:0")
    assert isinstance(source, PiCameraSource)
    assert (source.description, source.live, source.size_wh) == ("pi:0", True, (1280, 720))
    assert source.fps == pytest.approx(30.0, abs=1e-3)
    frame = source.read()
    assert isinstance(frame, Frame)
    assert frame.color == "bgr"  # libcamera's RGB888 lies in memory as B, G, R
    configuration = FakeCamera.made[0].configuration
    assert configuration["main"] == {"size": (1280, 720), "format": "RGB888"}
    assert configuration["queue"] is False


@pytest.mark.parametrize("error", [OwnTimeoutError(), TimeoutError()])
def test_a_camera_that_gives_nothing_is_lost(library, error):
    FakeCamera.script = [error]
    assert open_pi_camera("0").read() == Lost("pi:0: no picture within 5 s (is the ribbon cable firm?)")


def test_what_the_library_says_is_told(library):
    FakeCamera.script = [RuntimeError("camera frontend has timed out"), np.zeros((2, 2, 7), np.uint8)]
    source = open_pi_camera("0")
    assert source.read() == Lost("pi:0: camera frontend has timed out")
    assert source.read() == Corrupt("pi:0: a picture of shape (2, 2, 7)")


def test_closed_it_can_be_opened_again(library):
    source = open_pi_camera("0")
    source.close()
    assert FakeCamera.made[0].calls == ["start", "stop", "close"]
    assert source.reopen().description == "pi:0"
    assert len(FakeCamera.made) == 2


def test_a_camera_that_has_gone_cannot_be_stopped_but_is_closed(library):
    source = open_pi_camera("0")
    FakeCamera.fails_at = "stop"
    source.close()
    assert FakeCamera.made[0].calls == ["start", "close"]


@pytest.mark.parametrize("number", ["1", "", "x", "-1"])
def test_a_camera_that_is_not_there(library, number):
    with pytest.raises(EnvironmentLacks, match=f"pi:{number}: no such camera, found 1") as caught:
        open_pi_camera(number)
    assert caught.value.exit_code == 3


def test_no_camera_at_all(library, monkeypatch):
    monkeypatch.setattr(FakeCamera, "cameras", [])
    with pytest.raises(EnvironmentLacks, match="found 0") as caught:
        open_pi_camera("0")
    assert "rpicam-hello --list-cameras" in caught.value.remedy


@pytest.mark.parametrize(("step", "closed"), [("open", []), ("start", ["stop", "close"])])
def test_a_camera_that_another_program_has_is_given_back(library, step, closed):
    FakeCamera.fails_at = step
    with pytest.raises(EnvironmentLacks, match=f"cannot be started: Failed to {step} camera"):
        open_pi_camera("0")
    assert FakeCamera.made[0].calls == closed
