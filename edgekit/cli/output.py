"""What commands print: one JSON object or a readable text on stdout, progress and errors on stderr."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from edgekit.errors import EdgekitError

if TYPE_CHECKING:
    from rich.console import RenderableType

SCHEMA = 1
PIPE_COLUMNS = 240
PLAIN_INTERVAL_S = 10.0  # how often progress writes a line where there is no terminal


def emit(args: argparse.Namespace, obj: Mapping[str, Any], text: RenderableType) -> None:
    """Prints ``obj`` as one line of JSON with ``--json``, else ``text`` (rich markup and tables allowed)."""
    if args.json:
        import msgspec

        sys.stdout.write(msgspec.json.encode({"schema": SCHEMA, **obj}).decode() + "\n")
        return
    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPE_COLUMNS  # a pipe has no width: keep rows whole for grep
    Console(soft_wrap=True, highlight=False, width=width).print(text)


def say(message: str) -> None:
    """Writes one line for a person on stderr."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def fail(error: EdgekitError, as_json: bool) -> int:
    """Tells an error, one line on stderr and with ``--json`` one object on stdout; returns its exit code."""
    if as_json:
        import msgspec

        body = {"kind": error.kind, "message": error.message, "remedy": error.remedy}
        sys.stdout.write(msgspec.json.encode({"schema": SCHEMA, "error": body}).decode() + "\n")
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
