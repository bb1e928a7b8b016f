"""The Raspberry Pi's own cameras, on its ribbon cable, through picamera2 (libcamera)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from edgekit.camera.pixels import to_bgr
from edgekit.camera.protocol import Corrupt, LiveSource, Lost, Reading
from edgekit.errors import EnvironmentLacks
from edgekit.types import Frame

SIZE_WH = (1280, 720)
"""picamera2's own size for video."""

READ_TIMEOUT_S = 5.0
"""capture_array waits for ever where the ribbon cable has come off (picamera2 #1004)."""

_INSTALL = "sudo apt install -y python3-picamera2, and make the environment with python3 -m venv --system-site-packages"


class PiCameraSource:
    """A started picamera2 camera; see :class:`edgekit.camera.protocol.Source`.

    Args:
        library: the module.
        number: which camera.
        camera: configured and started, with ``main`` in libcamera's RGB888, whose bytes lie in the order B, G, R.
        fps: its configured frame rate.
    """

    live = True

    def __init__(self, library: Any, number: int, camera: Any, fps: float | None) -> None:  # noqa: ANN401
        self.description = f"pi:{number}"
        self.fps = fps
        self.size_wh: tuple[int, int] | None = SIZE_WH
        self.notes: list[str] = []
        self._number = number
        self._camera = camera
        self._timeouts: tuple[type[Exception], ...] = (TimeoutError, *_timeout_of(library))

    def read(self) -> Reading:
        """Waits for the next picture; see :class:`edgekit.camera.protocol.Source`."""
        try:
            pixels = self._camera.capture_array("main", wait=READ_TIMEOUT_S)
        except self._timeouts:
            return Lost(
                f"{self.description}: no picture within {READ_TIMEOUT_S:g} s (is the ribbon cable firm?)"
            )
        except (RuntimeError, OSError) as error:
            return Lost(f"{self.description}: {error}")
        converted = to_bgr(pixels)
        if converted is None:
            return Corrupt(f"{self.description}: a picture of shape {getattr(pixels, 'shape', None)}")
        return Frame(converted[0], "bgr")

    def reopen(self) -> LiveSource:
        """Starts the same camera again."""
        return open_pi_camera(str(self._number))

    def close(self) -> None:
        """Stops the camera and gives it back."""
        _shut(self._camera)


def open_pi_camera(number: str) -> PiCameraSource:
    """Starts a camera of the Pi.

    Args:
        number: ``0``, or ``1`` on a board with two.

    Raises:
        EnvironmentLacks: no picamera2, no such camera, or another program has it.
    """
    library = _library()
    found = len(library.Picamera2.global_camera_info())
    index = int(number) if number.isdecimal() else -1
    if not 0 <= index < found:
        which = (
            f"expected pi:0 to pi:{found - 1}" if found else "rpicam-hello --list-cameras finds none either"
        )
        raise EnvironmentLacks(f"pi:{number}: no such camera, found {found}", which)
    camera = None
    try:
        camera = library.Picamera2(index)
        # queue=False: a picture that begins after it was asked for, never one that waited in a buffer
        main = {"size": SIZE_WH, "format": "RGB888"}
        configuration = camera.create_video_configuration(main=main, queue=False)
        camera.configure(configuration)
        camera.start()
    except (RuntimeError, OSError, IndexError) as error:
        if camera is not None:
            _shut(camera)
        raise EnvironmentLacks(
            f"pi:{number}: cannot be started: {error}", "does another program use it?"
        ) from error
    return PiCameraSource(library, index, camera, _fps_of(configuration))


def _shut(camera: Any) -> None:  # noqa: ANN401
    """Stops and closes it, as far as a camera that may be gone lets that happen."""
    for step in ("cancel_all_and_flush", "stop", "close"):  # older versions have no way to cancel
        with suppress(RuntimeError, OSError, AttributeError):
            getattr(camera, step)()


def _library() -> Any:  # noqa: ANN401 (it has no types, and is not on PyPI's machines)
    try:
        import picamera2  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError as error:
        raise EnvironmentLacks(f"pi: picamera2 cannot be imported: {error}", _INSTALL) from error
    return picamera2


def _timeout_of(library: Any) -> tuple[type[Exception], ...]:  # noqa: ANN401
    own = getattr(library, "TimeoutError", None)
    return (cast(type[Exception], own),) if isinstance(own, type) else ()


def _fps_of(configuration: Any) -> float | None:  # noqa: ANN401
    limits_us = configuration.get("controls", {}).get("FrameDurationLimits")
    return 1e6 / limits_us[0] if limits_us and limits_us[0] > 0 else None
