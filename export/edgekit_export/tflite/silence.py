"""Keeps what native libraries write to stdout and stderr away: converters log every step there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path


@contextmanager
def silence() -> Iterator[None]:
    """Inside the block both streams of the process lead nowhere; what went wrong comes as an exception."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with ExitStack() as stack:
        nowhere = stack.enter_context(Path(os.devnull).open("w"))
        for number in (1, 2):
            try:
                kept = os.dup(number)
            except OSError:  # closed by the caller
                continue
            os.dup2(nowhere.fileno(), number)
            stack.callback(_restore, kept, number)
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield


def _restore(kept: int, number: int) -> None:
    (sys.stdout if number == 1 else sys.stderr).flush()
    os.dup2(kept, number)
    os.close(kept)
