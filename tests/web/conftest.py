"""A preview without a loop: events are told by hand, so that a test knows what must be seen."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from edgekit.bundle.manifest import Drop
from edgekit.deadline import FrameCounts
from edgekit.events import AnswerTold, CameraChanged, FrameDone, VariantChanged
from edgekit.figures import About, Figures, Speciality
from edgekit.ladder import Heat
from edgekit.ledger import STAGES
from edgekit.sinks.protocol import Outcome
from edgekit.types import Detections, Frame
from edgekit.web.access import access_for
from edgekit.web.address import Address
from edgekit.web.preview import OPEN_PATHS, Preview, locked_page
from edgekit.web.server import Server

MS = 1_000_000
DROP = Drop("map", 1.25, (0.5, 2.0), 0.95, 500, "sample")
HOSTILE = "<img src=x onerror=alert(1)>"


def stages_ns(total_ms: float) -> dict[str, int]:
    """2 % wait, 10 % pre, 80 % infer, 6 % post, 2 % sink."""
    shares = {
        "wait": 0.02,
        "pre": 0.1,
        "infer": 0.8,
        "post": 0.06,
        "sink": 0.02,
        "total": 1.0,
        "capture": 0.3,
    }
    return {stage: round(shares[stage] * total_ms * MS) for stage in STAGES}


def frame_done(
    index: int, arrived_ns: int, total_ms: float = 20.0, missed: bool = False, result=None
) -> FrameDone:
    pixels = np.zeros((240, 320, 3), np.uint8)
    pixels[:, :, 1] = np.linspace(40, 200, 320, dtype=np.uint8)  # BGR: green rises to the right
    boxes = Detections(
        np.array([[40, 60, 140, 200], [200, 30, 300, 120], [0, 0, 5, 5]], np.float32),
        np.array([0.91, 0.55, 0.1], np.float32),
        np.array([0, 1, 0]),
        ("person", HOSTILE),
    )
    frame = Frame(pixels, "bgr", index, arrived_ns)
    return FrameDone(
        Outcome(frame, result or boxes, round(total_ms * MS), "int8"), stages_ns(total_ms), missed
    )


@dataclass
class Stage:
    """All that a preview is made of."""

    figures: Figures
    preview: Preview
    server: Server
    counts: FrameCounts
    now_ns: int = 10**12

    @property
    def url(self) -> str:
        return f"http://{self.server.address}"

    def tell(self, event: FrameDone | CameraChanged | VariantChanged | AnswerTold) -> None:
        name = {
            FrameDone: "frame_done",
            CameraChanged: "camera_changed",
            VariantChanged: "variant_changed",
            AnswerTold: "answer_told",
        }[type(event)]
        for observer in (self.figures, self.preview):
            getattr(observer, name)(event)

    def frames(self, n: int, total_ms: float = 20.0) -> None:
        """``n`` frames, 50 ms apart."""
        for i in range(n):
            self.now_ns += 50 * MS
            self.counts.read += 1
            self.counts.processed += 1
            self.tell(
                frame_done(
                    self.counts.processed - 1, self.now_ns - round(total_ms * MS), total_ms, i % 10 == 9
                )
            )

    def connect(self, path: str = "/stream", host: str | None = None) -> socket.socket:
        """A connection that has asked for a page."""
        connection = socket.create_connection((self.server.address.host, self.server.address.port), 60)
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {host or self.server.address}\r\n\r\n".encode())
        return connection


def about(**changes) -> About:
    fields = {
        "bundle": "fake",
        "speciality": Speciality(
            "A detector of people", "people indoors", ("see in the dark", "tell twins apart")
        ),
        "answerer": Speciality("Shapes", "coloured shapes only", ("read",)),
        "task": "detect",
        "variant": "int8",
        "drops": {"int8": DROP},
        "engine": "fake 1.0",
        "threads": 2,
        "source": "synthetic:",
        "source_fps": 20.0,
        "deadline_ms": 40.0,
    }
    return About(**{**fields, **changes})


@contextmanager
def run_of(port: int = 0) -> Iterator[Stage]:
    """A run that is looked at on a port."""
    made: list[Stage] = []
    figures = Figures(lambda: Heat(51.5, throttled="clock limited"), now_ns=lambda: made[0].now_ns)
    preview = Preview(figures, fps=50)
    address = Address("127.0.0.1", port)
    server = Server(
        address,
        preview.routes(),
        access_for(address, None, "pi"),
        open_paths=OPEN_PATHS,
        locked=locked_page(),
    )
    made.append(Stage(figures, preview, server, FrameCounts()))
    for watcher in (figures, preview):
        watcher.begin(about(), made[0].counts)
    server.start()
    try:
        yield made[0]
    finally:
        preview.close()
        server.close()


@pytest.fixture
def stage() -> Iterator[Stage]:
    with run_of() as made:
        yield made
