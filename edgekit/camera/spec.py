"""What ``--source`` may be, and how it is opened."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl

from edgekit.camera.address import without_password
from edgekit.camera.faults import FAULT_KINDS, FaultPlan, parse_fault
from edgekit.camera.faulty import FaultySource
from edgekit.camera.folder import FolderSource
from edgekit.camera.mjpeg import open_mjpeg
from edgekit.camera.opencv import open_device, open_stream, open_video
from edgekit.camera.picamera import open_pi_camera
from edgekit.camera.protocol import Source
from edgekit.camera.synthetic import SyntheticSource
from edgekit.errors import DataError, UsageError
from edgekit.processing.picture_files import is_picture

Kind: TypeAlias = Literal["device", "stream", "pi", "synthetic", "path"]

STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")
FORMS = (
    "0, /dev/video0, pi:0, rtsp://…, http://…, a video, a picture, a folder of pictures, synthetic:?fps=15"
)
MAX_SIDE = 4096
MAX_FPS = 1000.0
MAX_SECONDS = 10_000_000.0


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source as it was named: what kind, and the rest of the name."""

    kind: Kind
    rest: str


def parse_spec(text: str) -> SourceSpec:
    """Tells what kind of source ``text`` names, without opening anything.

    Raises:
        UsageError: empty, or of an unknown scheme.
    """
    if not text:
        raise UsageError("source: got nothing", f"expected one of {FORMS}")
    if re.fullmatch(r"[0-9]{1,3}|/dev/video[0-9]+|/dev/v4l/.+", text):
        return SourceSpec("device", text)
    scheme, colon, rest = text.partition(":")
    if colon and scheme in ("pi", "synthetic"):
        return SourceSpec("pi" if scheme == "pi" else "synthetic", rest)
    if "://" in text:
        if scheme not in STREAM_SCHEMES:
            raise UsageError(f"source: no scheme {scheme!r}", f"expected one of {FORMS}")
        return SourceSpec("stream", text)
    return SourceSpec("path", text)


def open_source(text: str) -> Source:
    """Opens a source.

    Raises:
        UsageError: ``text`` cannot be understood.
        DataError: a file or folder that is missing, empty or of another kind.
        EnvironmentLacks: a camera or stream that is not there.
    """
    spec = parse_spec(text)
    if spec.kind == "device":
        return open_device(spec.rest)
    if spec.kind == "stream":
        motion_jpeg = open_mjpeg(spec.rest) if spec.rest.startswith("http") else None
        return motion_jpeg or open_stream(spec.rest)
    if spec.kind == "pi":
        return open_pi_camera(spec.rest)
    return open_synthetic(spec.rest) if spec.kind == "synthetic" else _open_path(Path(spec.rest))


def _open_path(path: Path) -> Source:
    if not path.exists():
        shown = without_password(str(path))  # it may be an address that was mistyped
        raise DataError(f"source: {shown}: no such file or folder", f"expected one of {FORMS}")
    if path.is_dir() or is_picture(path):
        return FolderSource(path)
    return open_video(path)


def open_synthetic(query: str) -> SyntheticSource | FaultySource:
    """A synthetic source from ``?fps=15&seconds=8&size=640x480&seed=1``; each key may be left out.

    With faults (``&unplug=2s:2s``, :mod:`edgekit.camera.faults`; any number of each) it is a live camera, without it
    plays like a file.

    Raises:
        UsageError: an unknown or repeated key, or a value out of range.
    """
    if query and not query.startswith("?"):
        raise UsageError(f"source: synthetic:{query}", "expected synthetic: or synthetic:?fps=15&seconds=8")
    pairs = parse_qsl(query[1:], keep_blank_values=True)
    faults = tuple(parse_fault(kind, value) for key, value in pairs for kind in FAULT_KINDS if key == kind)
    plain = [(key, value) for key, value in pairs if key not in FAULT_KINDS]
    values = dict(plain)
    unknown = sorted(values.keys() - {"fps", "seconds", "size", "seed"})
    if unknown or len(values) != len(plain):
        wrong = f"no key {unknown[0]!r}" if unknown else "a key is given twice"
        choices = (
            f"expected fps, seconds, size, seed, each at most once, and faults: {', '.join(FAULT_KINDS)}"
        )
        raise UsageError(f"source: synthetic: {wrong}", choices)
    seconds = _seconds(values.get("seconds", "10"))
    fps = _number("fps", values.get("fps", "30"), 0.1, MAX_FPS)
    made = SyntheticSource(
        fps,
        seconds,
        _size(values.get("size", "640x480")),
        int(_number("seed", values.get("seed", "0"), 0, 2**31 - 1)),
    )
    return FaultySource(made, FaultPlan(faults), fps, seconds) if faults else made


def _number(key: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high or (key == "seed" and value != int(value)):
        raise UsageError(f"source: synthetic: {key}={text}", f"expected {low:g} to {high:g}")
    return value


def _seconds(text: str) -> float:
    return math.inf if text == "inf" else _number("seconds", text.removesuffix("s"), 0.001, MAX_SECONDS)


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    if not match or not all(16 <= int(side) <= MAX_SIDE for side in match.groups()):
        raise UsageError(f"source: synthetic: size={text}", f"expected WIDTHxHEIGHT, each 16 to {MAX_SIDE}")
    return int(match[1]), int(match[2])
