"""Cameras, network streams and video files through OpenCV (V4L2 and FFmpeg)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2

from edgekit.camera.address import without_password
from edgekit.camera.pixels import PixelForm, to_bgr
from edgekit.camera.protocol import Corrupt, EndOfSource, LiveSource, Lost, Reading, Reshaped
from edgekit.errors import DataError, EnvironmentLacks
from edgekit.processing.opencv_path import opencv_path
from edgekit.processing.quiet import quiet
from edgekit.types import Frame

DEFAULT_FPS = 30.0
MAX_FPS = 480.0
STREAM_TIMEOUT_MS = 5000
"""How long opening a stream, or waiting for its next frame, may take: OpenCV's 30 s look like a hang."""

VIDEO_DEVICES = Path("/dev")
DEVICE_NAMES = Path("/sys/class/video4linux")

_TELETYPE = int.from_bytes(b"ansi", "little")  # FFmpeg draws any text file as a video of a terminal


class OpenCvSource:
    """An opened ``cv2.VideoCapture``; see :class:`edgekit.camera.protocol.Source`.

    Args:
        capture: opened.
        description: how it is named.
        again: opens the same camera once more; ``None`` for a file, which is not live.
    """

    def __init__(
        self, capture: cv2.VideoCapture, description: str, again: Callable[[], LiveSource] | None = None
    ) -> None:
        live = again is not None
        self.description = description
        self.live = live
        self.notes: list[str] = []
        self.size_wh = _size_of(capture)
        self.fps = self._frame_rate(capture.get(cv2.CAP_PROP_FPS))
        self._announced = 0 if live else int(max(capture.get(cv2.CAP_PROP_FRAME_COUNT), 0))
        self._capture = capture
        self._again = again
        self._delivered = 0
        self._form: PixelForm | None = None
        self._next: Frame | None = None

    def read(self) -> Reading:
        """Reads the next frame; see :class:`edgekit.camera.protocol.Source`."""
        if self._next is not None:
            frame, self._next = self._next, None
            return frame
        try:
            with quiet():  # a stream that times out would be told twice
                if not self._capture.grab():
                    return self._nothing()
                ok, pixels = self._capture.retrieve()
        except cv2.error as error:
            return Corrupt(f"{self.description}: {error.err}")
        fourcc = _fourcc_of(self._capture) if ok and pixels is not None and pixels.shape[2:] == (2,) else 0
        converted = to_bgr(pixels, fourcc) if ok else None
        if converted is None:
            return Corrupt(f"{self.description}: frame {self._delivered} cannot be decoded")
        self._delivered += 1
        picture, form = converted
        before, self._form = self._form, form
        frame = Frame(picture, "bgr")
        if before is None or before == form:
            return frame
        self._next = frame
        return Reshaped(f"{before} → {form}")

    def reopen(self) -> LiveSource:
        """Opens the same camera once more; see :class:`edgekit.camera.protocol.Source`."""
        assert self._again is not None, "a file is not opened again"
        return self._again()

    def close(self) -> None:
        """Releases the device or file."""
        self._capture.release()

    def _nothing(self) -> Reading:
        """OpenCV says the same for an end of file, a lost stream and a damaged file: tell them apart."""
        if self.live:
            return Lost(f"{self.description}: no frame after {self._delivered}")
        if self._delivered == 0:
            raise DataError(f"{self.description}: no frame of this video can be decoded")
        if self._delivered < self._announced:
            self.notes.append(f"video ends after {self._delivered} of {self._announced} announced frames")
        return EndOfSource()

    def _frame_rate(self, reported: float) -> float | None:
        if 0.1 <= reported <= MAX_FPS:  # NaN fails too
            return float(reported)
        if self.live:
            return None
        self.notes.append(f"the file's frame rate is {reported:g}: assumed {DEFAULT_FPS:g}")
        return DEFAULT_FPS


def open_video(path: Path) -> OpenCvSource:
    """Opens a video file.

    It is decoded by one thread: FFmpeg's frame threads would decode ahead while the engine computes, on the
    cores that the engine needs.

    Raises:
        DataError: missing, empty, or not a video.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such video file")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the video file is empty")
    with quiet():
        capture = cv2.VideoCapture(opencv_path(path.resolve()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened() or _fourcc_of(capture) == _TELETYPE:
        capture.release()
        raise DataError(f"{path}: not a video that OpenCV can read", "expected e.g. an .mp4 with H.264")
    return OpenCvSource(capture, str(path))


def open_stream(url: str) -> OpenCvSource:
    """Opens a network stream, with limits on how long opening and reading may take.

    Not every version of OpenCV keeps to the limit of a read over RTSP: the watchdog of :mod:`edgekit.camera.live` is
    there for that. A clip that lies on a web server has a length: it is a file, and ends.

    Raises:
        EnvironmentLacks: nobody answers, or what answers is no stream.
    """
    parameters = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]
    parameters += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_TIMEOUT_MS, cv2.CAP_PROP_N_THREADS, 1]
    with quiet():
        capture = cv2.VideoCapture(opencv_path(url), cv2.CAP_FFMPEG, parameters)
    if not capture.isOpened():
        capture.release()
        raise EnvironmentLacks(
            f"{without_password(url)}: no stream answers (waited up to {STREAM_TIMEOUT_MS / 1000:g} s)",
            "check the address and that the camera is on",
        )
    if url.startswith("http") and capture.get(cv2.CAP_PROP_FRAME_COUNT) > 0:
        return OpenCvSource(capture, without_password(url))
    return OpenCvSource(capture, without_password(url), lambda: open_stream(url))


def open_device(device: str) -> OpenCvSource:
    """Opens a camera by its number or device file.

    Args:
        device: ``0``, ``/dev/video0``, or a name under ``/dev/v4l``, which stays the same in whatever socket it is.

    Raises:
        EnvironmentLacks: no such camera, or it is in use; the message names those that exist.
    """
    with quiet():
        if device.isdecimal():
            capture = cv2.VideoCapture(int(device), cv2.CAP_ANY)
        else:
            capture = cv2.VideoCapture(device, cv2.CAP_V4L2)
    if not capture.isOpened():
        capture.release()
        raise EnvironmentLacks(f"camera {device}: cannot be opened", f"cameras of this machine: {cameras()}")
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # where the driver allows it: queued frames are old frames
    return OpenCvSource(capture, f"camera {device}", lambda: open_device(device))


def cameras() -> str:
    """The machine's camera devices with their names, or ``none``."""
    devices = sorted(VIDEO_DEVICES.glob("video[0-9]*"), key=lambda p: (len(p.name), p.name))
    return ", ".join(f"{device}{_name_of(device)}" for device in devices) or "none"


def _name_of(device: Path) -> str:
    try:
        return f" ({(DEVICE_NAMES / device.name / 'name').read_text(encoding='utf-8').strip()})"
    except OSError:
        return ""


def _size_of(capture: cv2.VideoCapture) -> tuple[int, int] | None:
    width, height = (int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    return (width, height) if width > 0 and height > 0 else None


def _fourcc_of(capture: cv2.VideoCapture) -> int:
    return int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
