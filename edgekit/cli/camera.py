"""``edgekit camera``: the frame loop."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit.cli.cascade_options import (
    add_cascade_arguments,
    cascade_of,
    finish,
    headline,
    told,
)
from edgekit.cli.deadline_options import add_deadline_arguments, max_age_ns, nanoseconds
from edgekit.cli.engine_options import add_engine_arguments
from edgekit.cli.first_frame import FirstFrame
from edgekit.cli.ladder_options import add_ladder_arguments, load_start
from edgekit.cli.output import emit, say
from edgekit.cli.preview_options import add_preview_arguments
from edgekit.cli.source_options import add_source_arguments, patience
from edgekit.cli.usage import usage_of
from edgekit.cli.values import option, parse_count
from edgekit.errors import EnvironmentLacks, UsageError

if TYPE_CHECKING:
    from edgekit.camera.protocol import Source
    from edgekit.cli.preview_options import Watch
    from edgekit.loop import Loop, LoopSummary
    from edgekit.sinks.protocol import Sink

SUMMARY = "runs a bundle on a camera or clip and accounts for every frame"
EPILOG = """\
sources:
  0, /dev/video0                a USB camera; /dev/v4l/by-id/… stays the same in whatever socket
  pi:0                          the Raspberry Pi's own camera, through picamera2
  rtsp://…, http://…            a network stream; an .mp4 on a web server plays like a file
  clip.mp4, photos/, photo.jpg  files; clips play at their own frame rate, photos at 10 a second
  synthetic:?fps=15&seconds=8&size=640x480&seed=1   made here; each key may be left out
  synthetic:?seconds=60&unplug=5s:2s&stall=20s:3s   a live camera that fails, from START for DURATION: unplug,
                                freeze, stall, corrupt, burst, clockjump, resize; any number of each
A live camera that is lost, hangs or freezes is opened again, for ever or for --reopen-for (docs/camera-sources.md).

examples:
  edgekit camera lite0.edge --source 0 --deadline 100ms
  edgekit camera ocr.edge --source clip.mp4 --sink annotated.mp4 --results lines.jsonl
  edgekit camera lite0.edge --source 0 --deadline 50ms --ladder auto
  edgekit camera lite0.edge --source clip.mp4 --unpaced --json    every frame, as fast as it goes
  edgekit camera lite0.edge --source 0 --preview 127.0.0.1:8080   a page with picture, boxes, answers and latency
  edgekit camera lite0.edge --source 0 --metrics 127.0.0.1:9464 --record run.ledger

The newest frame wins: while one is processed, a newer frame replaces the one that waits, and that is counted.
With --deadline, p95 of the latency from arrival to end of sink must hold it, and a frame that waited so long that it
cannot, while the next one can, is dropped as stale; --max-age drops whatever waited longer (docs/camera-deadlines.md).
--ladder auto runs the most accurate variant that holds the deadline, steps down when results are late or the machine is
hot, and up again when it is calm and cool. Each step is a line on stderr; each result says its variant and its drop.

a model that answers beside the loop, on threads of its own and at a lower priority (docs/cascade.md):
  edgekit camera detect.edge --source 0 --then vlm.edge --when "person>0.5" --prompt "What does the person wear?"
  edgekit camera detect.edge --source 0 --then vlm.edge --when "any>0.5 & scene>0.2" --every 30s --crop 10% \\
      --prompt "What is the {label} doing?" --answers answers.jsonl
  edgekit camera ocr.edge --source 0 --then llm.edge --when "text~total" --fields "shop,total:number"
  edgekit camera vlm.edge --source 0 --prompt "Is the door open?" --fields "open:yes|no"      in the loop itself
  a RULE asks when it begins to hold: person>0.5  any>0.6  text~total  scene>0.1, or several with & between

exit code: 0 done, also by Ctrl-C or SIGTERM · 1 deadline not held, or a question failed · 2 bad input · 3 camera
missing or lost"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the command's arguments."""
    parser.add_argument("bundle", type=Path, metavar="BUNDLE", help="an .edge file")
    add_source_arguments(parser)
    parser.add_argument("--variant", metavar="V", help="which variant (default: the bundle's first)")
    parser.add_argument("--engine", metavar="E", help="which engine (default: the model format's own)")
    add_engine_arguments(parser)
    add_deadline_arguments(parser)
    add_ladder_arguments(parser)
    parser.add_argument("--frames", type=option(parse_count), metavar="N", help="stop after N results")
    parser.add_argument("--unpaced", action="store_true", help="files: every frame, as fast as it goes")
    parser.add_argument("--sink", type=Path, metavar="OUT", help="annotated clip (OUT.mp4) or folder")
    parser.add_argument("--results", type=Path, metavar="FILE", help="one JSON line a result")
    add_cascade_arguments(parser)
    add_preview_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Runs the loop until the source ends, N frames are done, or a signal comes; prints the summary."""
    from edgekit.cli.preview_options import open_watch

    check_sink(args.sink)
    with open_watch(args) as watch:
        code = _run(args, watch)
    return code or watch.exit_code


def _run(args: argparse.Namespace, watch: Watch) -> int:
    from edgekit.camera.faulty import clock_of
    from edgekit.camera.spec import open_source
    from edgekit.cli.camera_status import Status
    from edgekit.cli.camera_summary import describe
    from edgekit.cli.preview_options import about
    from edgekit.events import Observer, Observers
    from edgekit.loop import Loop, LoopOptions

    options = LoopOptions(
        frames=args.frames,
        deadline_ns=nanoseconds(args.deadline),
        max_age_ns=max_age_ns(args),
        paced=not args.unpaced,
    )
    start = load_start(args)
    with cascade_of(args, start.task) as cascade:
        usage = usage_of(args)
        source = open_source(args.source)
        try:
            sink = open_sink(args.sink, args.results, source)
        except BaseException:
            source.close()
            raise
        status = Status(source.description)
        observers: list[Observer] = [status, FirstFrame(usage), *watch.observers]
        if cascade is not None:
            cascade.observer = Observers(observers)
        loop = Loop(
            source,
            start.task,
            sink,
            options,
            drop=start.drop,
            climber=start.climber,
            patience=patience(args),
            now_ns=clock_of(source),
            observers=[*observers, *filter(None, [cascade])],
        )
        with stopped_by_signals(loop):
            watch.begin(partial(about, args, start.task, source, options.deadline_ns), loop.mailbox.counts)
            del start  # a variant that the ladder leaves shall not stay in memory
            summary = loop.run(warm_up=True)
        answers = finish(cascade, summary.ending in ("end_of_source", "frame_limit"))
    status.clear()
    emit(args, summary.as_json() | told(answers), describe(summary, headline(answers)))
    return exit_code(summary) or int(answers is not None and answers.fates["failed"] > 0)


def exit_code(summary: LoopSummary) -> int:
    """0 done, 1 a deadline was given and does not hold, 3 the camera was lost."""
    if summary.ending == "camera_lost":
        say(f"edgekit: camera lost: {summary.notes[-1]}")
        return EnvironmentLacks.exit_code
    return 0 if summary.verdict in (None, "PASS") else 1


def check_sink(path: Path | None) -> None:
    """Refuses a name that says neither clip nor folder.

    Raises:
        UsageError: another ending than ``.mp4``.
    """
    if path is not None and path.suffix.lower() not in ("", ".mp4"):
        raise UsageError(
            f"--sink: got {path.name}", "write OUT.mp4 for a clip, or a name without ending for a folder"
        )


def open_sink(path: Path | None, results: Path | None, source: Source) -> Sink:
    """The sinks that were asked for, as one.

    Raises:
        OutputError: one of them cannot be written.
    """
    from edgekit.camera.opencv import DEFAULT_FPS
    from edgekit.sinks.folder import FolderSink
    from edgekit.sinks.results import ResultsSink
    from edgekit.sinks.tee import Tee
    from edgekit.sinks.video import VideoSink

    sinks: list[Sink] = []
    try:
        if results is not None:
            sinks.append(ResultsSink(results))
        if path is not None:
            sinks.append(VideoSink(path, source.fps or DEFAULT_FPS) if path.suffix else FolderSink(path))
    except BaseException:
        Tee(sinks).abort()
        raise
    return Tee(sinks)


@contextmanager
def stopped_by_signals(loop: Loop) -> Iterator[None]:
    """Ends the loop cleanly on the first SIGINT or SIGTERM; a second one ends the process as usual."""
    previous: dict[int, Any] = {}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def stop(_number: int, _frame: object) -> None:
        restore()
        loop.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        previous[number] = signal.signal(number, stop)
    try:
        yield
    finally:
        restore()
