"""Reads a recorded ledger line by line, in constant memory. The file may come from anywhere: nothing is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from edgekit.errors import DataError
from edgekit.logbook.lines import LINE_BYTES, Head, Line, decode

REMEDY = "give a file that edgekit camera --record wrote"


def read_lines(path: Path) -> Iterator[Line]:
    """The lines, the head first. A last line without its end is what a power cut left of it, and is left out.

    Raises:
        DataError: no such file, not a recorded ledger, of another version, or a line that is not whole.
    """
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(LINE_BYTES + 1):
                number += 1
                if not line.endswith(b"\n"):
                    if len(line) > LINE_BYTES:
                        raise DataError(f"{path}, line {number}: longer than {LINE_BYTES} bytes", REMEDY)
                    if number == 1:
                        raise DataError(f"{path}, line 1: not whole", REMEDY)
                    return
                yield _checked(path, number, line[:-1])
            if number == 0:
                raise DataError(f"{path}: empty", REMEDY)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}", REMEDY) from error


def _checked(path: Path, number: int, text: bytes) -> Line:
    try:
        line = decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise DataError(f"{path}, line {number}: {error}", REMEDY) from error
    if isinstance(line, Head) != (number == 1):
        expected = "expected what ran" if number == 1 else "a second head"
        raise DataError(f"{path}, line {number}: {expected}", REMEDY)
    return line
