"""The preview: keeps the newest frame, and shows it to those who look, at their own pace.

The loop's thread stores one reference a frame and wakes nobody. A thread of the preview's own looks a few times a
second, and only while somebody watches: it encodes once for all viewers, and offers.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from edgekit.deadline import FrameCounts
from edgekit.events import AnswerTold, FrameDone, Observer
from edgekit.figures import About, Figures, answer_json
from edgekit.ledger import STAGES
from edgekit.web.hub import Hub
from edgekit.web.overlay import overlay
from edgekit.web.records import jpeg, record
from edgekit.web.server import Response, Route

FPS = 10.0
FIGURES_S = 0.5  # between two looks at the figures

STATIC = Path(__file__).parent / "static"
PAGES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/preview.css": ("preview.css", "text/css; charset=utf-8"),
    "/preview.js": ("preview.js", "text/javascript; charset=utf-8"),
    "/plots.js": ("plots.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
OPEN_PATHS = frozenset({"/preview.css", "/icon.svg"})
LOCKED = "locked.html"


class Preview(Observer):
    """Shows frames, answers and figures to viewers.

    Args:
        figures: told of the same events.
        fps: pictures a second at most.

    Attributes:
        encoded: pictures so far; none while nobody looks.
    """

    def __init__(self, figures: Figures, fps: float = FPS) -> None:
        self.hub = Hub()
        self.encoded = 0
        self._figures = figures
        self._pause_s = 1 / fps
        self._figures_every = max(round(FIGURES_S * fps), 1)
        self._newest: FrameDone | None = None
        self._shown: FrameDone | None = None
        self._answers_changed = False
        self._ticks = 0
        self._stopped = threading.Event()
        self._telling = threading.Lock()  # a step that has begun must not tell older figures after the end's
        self._thread = threading.Thread(target=self._run, name="edgekit-preview", daemon=True)

    def frame_done(self, event: FrameDone) -> None:
        """Keeps the newest."""
        self._newest = event

    def answer_told(self, event: AnswerTold) -> None:
        """Remembers that there is something new."""
        self._answers_changed = True

    def begin(self, about: About, counts: FrameCounts) -> None:
        """Starts the thread."""
        self.hub.publish("hello", record("hello", {"about": about.as_json(), "stages": list(STAGES)}))
        self._thread.start()

    def close(self) -> None:
        """Shows the last frame, the last words and how it ended, then ends all streams and the thread."""
        self._stopped.set()
        with self._telling:
            try:
                if len(self.hub):
                    self.step(ended=True)
            finally:
                self.hub.close()  # or the server's threads would wait for ever
        if self._thread.ident is not None:
            self._thread.join()

    def routes(self) -> dict[str, Route]:
        """What the preview's server answers."""
        pages: dict[str, Route] = {path: _page(name, kind) for path, (name, kind) in PAGES.items()}
        return {**pages, "/stream": self._stream}

    def step(self, ended: bool = False) -> None:
        """Offers what is new since the last step; at the end the figures whenever they were told last."""
        newest = self._newest
        if newest is not None and newest is not self._shown:
            self._shown = newest
            self.hub.publish("frame", self._frame_record(newest))
        if self._answers_changed:
            self._answers_changed = False
            answers = [answer_json(answer) for answer in self._figures.answers()]
            self.hub.publish("answers", record("answers", {"answers": answers}))
        if ended or self._ticks % self._figures_every == 0:
            self.hub.publish("figures", self._figures_record(ended))
        self._ticks += 1

    def _run(self) -> None:
        while self.hub.wait_for_viewer():
            with self._telling:
                if self._stopped.is_set():
                    return
                self.step()
            self._stopped.wait(self._pause_s)

    def _frame_record(self, event: FrameDone) -> bytes:
        outcome = event.outcome
        self.encoded += 1
        fields: dict[str, Any] = {
            "index": outcome.frame.index,
            "name": outcome.frame.name,
            "size_wh": outcome.frame.size_wh,
            "age_ms": round(outcome.age_ns / 1e6, 1),
            "missed": event.missed,
            "variant": outcome.variant,
            "overlay": overlay(outcome.result),
        }
        return record("frame", fields, jpeg(outcome.frame))

    def _figures_record(self, ended: bool) -> bytes:
        fields = {"figures": self._figures.snapshot(), "viewers": len(self.hub), "ended": ended}
        return record("figures", fields)

    def _stream(self, _headers: Mapping[str, str]) -> Response:
        viewer = self.hub.join()
        if viewer is None:
            message = f"{self.hub.limit} viewers are looking already.\n".encode()
            return Response("text/plain; charset=utf-8", message, HTTPStatus.SERVICE_UNAVAILABLE)
        return Response("application/octet-stream", viewer.records(), finish=partial(self.hub.leave, viewer))


def locked_page() -> Response:
    """Asks for the token."""
    return Response(PAGES["/"][1], (STATIC / LOCKED).read_bytes(), HTTPStatus.UNAUTHORIZED)


def _page(name: str, content_type: str) -> Route:
    body = (STATIC / name).read_bytes()
    return lambda _headers: Response(content_type, body)
