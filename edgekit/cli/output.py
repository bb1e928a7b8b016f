"""What commands print: one JSON object or a readable text on stdout, progress and errors on stderr."""

from __future__ import annotations

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from edgekit.errors import EdgekitError, OutputError

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA = 1
PIPE_COLUMNS = 240
PLAIN_INTERVAL_S = 10.0  # how often progress writes a line where there is no terminal


def prepare_streams(as_json: bool) -> None:
    """Makes stdout and stderr take whatever is written: JSON is UTF-8, other text loses no line to a character.

    A stream that the caller closed is replaced by ``/dev/null``: otherwise the next file that is opened gets its
    number, and with it what was meant for the stream.
    """
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 (open to the end)
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if as_json and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


def write(text: str) -> None:
    """Writes to stdout, at once, so that a reader at the other end of a pipe has each result when it is there.

    Raises:
        BrokenPipeError: the reader left.
        OutputError: it cannot be written, as on a full disk.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        abandon(sys.stdout)
        raise
    except OSError as error:
        abandon(sys.stdout)
        what = f"standard output: {error.strerror or error}"
        raise OutputError(what, "check free space and permissions where it goes") from error


def abandon(stream: TextIO) -> None:
    """Lets what is left in a stream's buffer go to nowhere, or Python would try and fail again when it ends."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def json_line(obj: Mapping[str, Any]) -> str:
    """One line of JSON. Bytes of a path that are no UTF-8 appear as they do on stderr: ``\\udce9``."""
    import msgspec

    from edgekit.unicode import encodable

    try:
        return msgspec.json.encode(obj).decode() + "\n"
    except UnicodeEncodeError:
        return msgspec.json.encode(encodable(msgspec.to_builtins(obj))).decode() + "\n"


def emit(args: argparse.Namespace, obj: Mapping[str, Any], text: RenderableType) -> None:
    """Prints ``obj`` as one line of JSON with ``--json``, else ``text`` (rich markup and tables allowed).

    Raises:
        BrokenPipeError, OutputError: see :func:`write`.
    """
    if args.json:
        write(json_line({"schema": SCHEMA, **obj}))
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_COLUMNS  # a pipe has no width: keep rows whole for grep
    console = Console(soft_wrap=True, highlight=False, width=width)
    with console.capture() as capture:  # rich itself ends the process where the reader has left
        console.print(text)
    write(capture.get())


def say(message: str) -> None:
    """Writes one line for a person on stderr; if nobody can read it, the work goes on."""
    try:
        sys.stderr.write(message + "\n")
        sys.stderr.flush()
    except OSError:
        abandon(sys.stderr)


def fail(error: EdgekitError, as_json: bool) -> int:
    """Tells an error, one line on stderr and with ``--json`` one object on stdout; returns its exit code."""
    if as_json:
        body = {"kind": error.kind, "message": error.message, "remedy": error.remedy}
        with suppress(OSError, OutputError):  # the line and the code remain
            write(json_line({"schema": SCHEMA, "error": body}))
    say("edgekit: " + " ".join(str(error).split()))
    return error.exit_code


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Shows how far long work is, on stderr.

    A terminal gets a bar with the time left, a pipe a plain line at the start, every ten seconds and at the end.

    Args:
        description: what is being done.
        total: number of steps, if known.

    Yields:
        ``advance(n=1)``: call it when ``n`` steps are done.
    """
    if sys.stderr.isatty():
        with _bar(description, total) as advance:
            yield advance
    else:
        with _lines(description, total) as advance:
            yield advance


@contextmanager
def _bar(description: str, total: int | None) -> Iterator[Callable[..., None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)
        yield lambda n=1: bar.advance(task, n)


@contextmanager
def _lines(description: str, total: int | None) -> Iterator[Callable[..., None]]:
    start = last = time.monotonic()
    done = 0

    def advance(n: int = 1) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= PLAIN_INTERVAL_S:
            last = now
            left = f", {(now - start) / done * (total - done):.0f} s left" if total and done else ""
            say(f"{description}: {done}{f' of {total}' if total else ''}{left}")

    say(f"{description} …")
    yield advance
    say(f"{description}: done in {time.monotonic() - start:.1f} s")
