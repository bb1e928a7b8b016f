"""Options of ``edgekit camera`` for those who look at the loop from outside: preview, metrics, record, systemd."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.cli.output import say
from edgekit.cli.values import option, parse_path
from edgekit.errors import OutputError, UsageError

if TYPE_CHECKING:
    from edgekit.camera.protocol import Source
    from edgekit.deadline import FrameCounts
    from edgekit.events import Observer
    from edgekit.figures import About, Figures, Speciality
    from edgekit.tasks.protocol import Task
    from edgekit.web.address import Address
    from edgekit.web.server import Route, Server

TOKEN_VARIABLE = "EDGEKIT_PREVIEW_TOKEN"
EVERYWHERE = ("0.0.0.0", "::")


def add_preview_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares them."""
    parser.add_argument(
        "--preview",
        type=option(_address),
        metavar="HOST:PORT",
        help="a page with the picture, what was found, answers and latency",
    )
    parser.add_argument(
        "--metrics",
        type=option(_metrics_place),
        metavar="WHERE",
        help="HOST:PORT for Prometheus (/metrics), or FILE.jsonl: a line every 10 s",
    )
    parser.add_argument(
        "--preview-token",
        metavar="TOKEN",
        help=f"what viewers must give (better: {TOKEN_VARIABLE}); beyond loopback one is made where none is given",
    )
    parser.add_argument(
        "--record",
        type=option(parse_path),
        metavar="FILE",
        help="one line a frame with its times, for edgekit bench --ledger FILE",
    )


def _address(text: str) -> Address:
    from edgekit.web.address import parse_address

    return parse_address(text)


def _metrics_place(text: str) -> Address | Path:
    if text.endswith(".jsonl"):
        return Path(text)
    try:
        return _address(text)
    except UsageError as error:
        raise UsageError(
            f"expected an address or FILE.jsonl, got {text!r}", "write 127.0.0.1:9464, or run.jsonl"
        ) from error


class Watch(ExitStack):
    """All who look. Made before anything else, so that a port in use is told at once; closes them when left.

    Attributes:
        observers: to be told of the loop's events.
        exit_code: after it was left: 2 where one could not write what it should.
    """

    def __init__(self) -> None:
        super().__init__()
        self.exit_code = 0
        self.observers: list[Observer] = []
        self._begin: list[Callable[[About, FrameCounts], None]] = []

    def begin(self, about: Callable[[], About], counts: FrameCounts) -> None:
        """Tells all of them that the loop is about to start."""
        if self._begin:
            told = about()
            for begin in self._begin:
                begin(told, counts)

    def add(
        self,
        begin: Callable[[About, FrameCounts], None],
        close: Callable[[], None] | None = None,
        observer: Observer | None = None,
    ) -> None:
        """Adds one who is begun after, and closed before, those that are there; told of events where it observes."""
        self._begin.append(begin)
        if close is not None:
            self.callback(self._close, close)
        if observer is not None:
            self.observers.append(observer)

    def _close(self, close: Callable[[], None]) -> None:
        """Tells of what could not be written, but only after the run's own summary, which it does not spoil."""
        try:
            close()
        except OutputError as error:
            say(f"edgekit: {error}")
            self.exit_code = error.exit_code

    def serve(self, server: Server, what: str, path: str = "/") -> None:
        """Adds a server, and tells where it is."""

        def start(_about: About, _counts: FrameCounts) -> None:
            server.start()
            say(f"{what}: {_link(server, path)}")

        self.add(start, server.close)


def open_watch(args: argparse.Namespace) -> Watch:
    """What the options ask for; sockets are bound and files opened, nothing runs yet.

    Raises:
        UsageError: a token that cannot be used.
        EnvironmentLacks: a port in use, or an extra that is not installed.
        OutputError: a file that cannot be written.
    """
    watch = Watch()
    try:
        _add_all(watch, args)
    except BaseException:
        watch.close()
        raise
    return watch


def _add_all(watch: Watch, args: argparse.Namespace) -> None:
    from edgekit.systemd import NOTIFY_SOCKET

    if args.preview is not None or args.metrics is not None or os.environ.get(NOTIFY_SOCKET):
        _add_figures(watch, args)
    if args.record is not None:
        from edgekit.logbook.recorder import Recorder

        recorder = Recorder(args.record)
        watch.add(recorder.begin, recorder.close, recorder)


def _add_figures(watch: Watch, args: argparse.Namespace) -> None:
    from edgekit.figures import Figures
    from edgekit.systemd import notifier
    from edgekit.thermal import SYSTEM, Thermometer

    thermometer = Thermometer(
        args.thermal_root or SYSTEM, tool=lambda: ""
    )  # the firmware's takes too long to ask
    figures = Figures(thermometer.read)
    watch.add(figures.begin, observer=figures)
    _add_pages(watch, figures, args)
    notify = notifier(os.environ, figures)
    if notify is not None:
        watch.add(notify.begin, notify.close, notify)


def _add_pages(watch: Watch, figures: Figures, args: argparse.Namespace) -> None:
    """Preview and metrics, on one server where both name the same place."""
    metrics_at = args.metrics
    if isinstance(metrics_at, Path):
        from edgekit.metrics_lines import MetricsLines

        lines, metrics_at = MetricsLines(metrics_at, figures), None
        watch.add(lines.begin, lines.close)
    metrics = {} if metrics_at is None else _metrics_route(watch, figures)
    if args.preview is not None:
        from edgekit.web.preview import OPEN_PATHS, Preview, locked_page

        shared = args.preview == metrics_at
        preview = Preview(figures)
        routes = {**preview.routes(), **(metrics if shared else {})}
        server = _server(args.preview, args, routes, open_paths=OPEN_PATHS, locked=locked_page())
        watch.serve(server, "preview")
        watch.add(preview.begin, preview.close, preview)
        if shared:
            return
    if metrics_at is not None:
        watch.serve(_server(metrics_at, args, metrics), "metrics", "/metrics")


def _metrics_route(watch: Watch, figures: Figures) -> dict[str, Route]:
    from edgekit.metrics import Metrics
    from edgekit.web.server import Response

    metrics = Metrics(figures)
    watch.add(metrics.begin, observer=metrics)
    return {"/metrics": lambda _headers: Response(metrics.CONTENT_TYPE, metrics.text())}


def _server(address: Address, args: argparse.Namespace, routes: dict[str, Route], **pages: Any) -> Server:  # noqa: ANN401
    from edgekit.web.access import access_for
    from edgekit.web.server import Server

    token = args.preview_token
    if token is None:
        token = os.environ.get(TOKEN_VARIABLE) or None
    return Server(address, routes, access_for(address, token, socket.gethostname()), **pages)


def _link(server: Server, path: str) -> str:
    """What to open: with the token, and with the machine's name where it listens on all of its addresses."""
    address = server.address
    host = f"{socket.gethostname()}:{address.port}" if address.host in EVERYWHERE else str(address)
    token = server.access.token
    return f"http://{host}{path}" + ("" if token is None else f"?token={token}")


def about(args: argparse.Namespace, task: Task, source: Source, deadline_ns: int | None) -> About:
    """What runs, as those who look are told."""
    from edgekit.bundle.reader import open_bundle
    from edgekit.figures import About

    manifest = open_bundle(args.bundle).manifest
    return About(
        bundle=manifest.name,
        speciality=_speciality(args.bundle),
        task=task.name,
        variant=task.variant,
        drops={variant.name: variant.drop for variant in manifest.variants if variant.drop is not None},
        engine=task.engine,
        threads=task.threads,
        source=source.description,
        source_fps=source.fps,
        deadline_ms=None if deadline_ns is None else deadline_ns / 1e6,
        answerer=None if args.then is None else _speciality(args.then),
    )


def _speciality(bundle: Path) -> Speciality:
    from edgekit.bundle.reader import open_bundle
    from edgekit.figures import Speciality

    card = open_bundle(bundle).manifest.card
    return Speciality(card.title, card.domain, card.cannot)
