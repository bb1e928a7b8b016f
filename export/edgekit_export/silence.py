"""Keeps away what native libraries write to stdout and stderr: converters log every step, a solver its repairs."""

from __future__ import annotations

import ctypes
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path


@contextmanager
def silence() -> Iterator[None]:
    """Inside the block both streams of the process lead nowhere; what went wrong comes as an exception.

    What C prints stands in a buffer of its own, which would be written out long after: it is emptied on both sides.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    _flush_c()
    with ExitStack() as stack:
        nowhere = stack.enter_context(Path(os.devnull).open("w"))
        for number in (1, 2):
            try:
                kept = os.dup(number)
            except OSError:  # closed by the caller
                continue
            os.dup2(nowhere.fileno(), number)
            stack.callback(_restore, kept, number)
        stack.callback(_flush_c)
        with redirect_stdout(nowhere), redirect_stderr(nowhere):
            yield


def _flush_c() -> None:
    ctypes.CDLL(None).fflush(None)


def _restore(kept: int, number: int) -> None:
    (sys.stdout if number == 1 else sys.stderr).flush()
    os.dup2(kept, number)
    os.close(kept)


@contextmanager
def no_warnings(*loggers: str) -> Iterator[None]:
    """Libraries that warn about their own parts, and about each other; none of it concerns the user."""
    levels = {name: logging.getLogger(name).level for name in loggers}
    for name in levels:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
