"""Keeps what C code prints away from standard output, which belongs to the command's result."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_STDOUT = 1


@contextmanager
def hushed() -> Iterator[None]:
    """Inside the block, standard output leads nowhere for everyone in this process.

    HiGHS tells of its own repairs by ``printf`` whatever its options say, and a line of it in front of the JSON that
    ``--json`` promises breaks whoever reads it. C keeps lines in a buffer of its own, so that is emptied as well.
    """
    c = ctypes.CDLL(None)
    sys.stdout.flush()
    c.fflush(None)
    kept = os.dup(_STDOUT)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), _STDOUT)
        yield
    finally:
        c.fflush(None)
        os.dup2(kept, _STDOUT)
        os.close(kept)
