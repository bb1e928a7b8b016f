"""The predictions file: a header, one line a sample, and a last line that says it is whole.

    {"kind":"edgekit-predictions","version":1,"task":"classify","labels":[…],"data":{…},…}
    {"number":0,"id":"cat/1.png","result":{"is":"classification","scores":"…"},…}
    {"end":1,"sha256":"…"}

A reader checks every line before it gives one: the file may come from anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

import msgspec

from edgekit.bundle.manifest import Card, Variant
from edgekit.errors import DataError
from edgekit.evaluation.outcome import Data, Part
from edgekit.evaluation.subject import Subject
from edgekit.predictions.lines import LONGEST_LINE
from edgekit.predictions.prediction import Entry, Key, Prediction, to_prediction

T = TypeVar("T")

SUFFIX = ".predictions"
CLOSING = b'{"end"'
_AGAIN = "record the predictions again: edgekit validate BUNDLE --data DATA --record FILE"


class Header(Part, frozen=True, kw_only=True):
    """What the predictions are of.

    Attributes:
        kind: always ``edgekit-predictions``.
        version: of this layout.
        task: name of the task.
        data: what was predicted; the digest is compared with the data of the run.
        labels: of the classes, where the task has classes.
        conditions: what the samples were put under, besides being taken as they are.
        subject: what predicted; ``None`` where another tool wrote the file.
        variant: its pre- and post-processing, for finding a stage that differs.
        files: SHA-256 of the members that ``variant`` names (labels, alphabet).
        card: of the bundle.
        machine: where it ran.
    """

    kind: Literal["edgekit-predictions"] = "edgekit-predictions"
    version: Literal[1] = 1
    task: str
    data: Data
    labels: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    subject: Subject | None = None
    variant: Variant | None = None
    files: dict[str, str] = msgspec.field(default_factory=dict)
    card: Card | None = None
    machine: str = ""


class End(Part, frozen=True):
    """The last line: how many entries came before, and the SHA-256 of all bytes before (may be left out)."""

    end: int
    sha256: str | None = None


class Recording:
    """Predictions of a file, read as they are asked for.

    Attributes:
        path: of the file.
        header: what they are of.
        sha256: of the whole file.
        size_bytes: of the file.
    """

    def __init__(self, path: Path, header: Header, offsets: dict[Key, int], sha256: str) -> None:
        self.path = path
        self.header = header
        self.sha256 = sha256
        self.size_bytes = path.stat().st_size
        self._offsets = offsets

    def __len__(self) -> int:
        return len(self._offsets)

    def prediction(self, key: Key, sample_id: str) -> Prediction:
        """What was predicted for one sample.

        Raises:
            DataError: nothing was, or for a sample of another name.
        """
        where = f"{self.path.name}: sample {key.number}{f' under {key.condition}' if key.condition else ''}"
        if key not in self._offsets:
            raise DataError(f"{where}: not in it", f"it holds {len(self)} predictions; {_AGAIN}")
        with self.path.open("rb") as file:
            file.seek(self._offsets[key])
            entry = _entry(file.readline(LONGEST_LINE), where)
        if entry.id and entry.id != sample_id:
            raise DataError(f"{where}: is of {entry.id!r}, the data has {sample_id!r} there", _AGAIN)
        return to_prediction(entry, self.header.labels, where)


def open_recording(path: Path) -> Recording:
    """Reads a whole predictions file once: every line is checked, none is kept.

    Raises:
        DataError: missing, damaged, of another version, or not finished.
    """
    try:
        with path.open("rb") as file:
            return Recording(path, *_scan(path, file))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error


def is_recording(path: Path) -> bool:
    """Whether the file begins as a predictions file does, or is called one."""
    if path.suffix == SUFFIX:
        return True
    try:
        with path.open("rb") as file:
            return b'"edgekit-predictions"' in file.read(256)
    except OSError:
        return False


def _scan(path: Path, file: BinaryIO) -> tuple[Header, dict[Key, int], str]:
    sha256 = hashlib.sha256()
    offsets: dict[Key, int] = {}
    header: Header | None = None
    end: End | None = None
    for number, offset, line in _lines(path, file):
        where = f"{path}:{number}"
        if end is not None:
            raise DataError(f"{where}: something follows the last line", _AGAIN)
        if header is None:
            header = decode_header(line, where)
        elif line.startswith(CLOSING):
            end = _decode(line, End, where)
            if end.sha256 is not None and end.sha256 != sha256.hexdigest():
                raise DataError(f"{where}: the SHA-256 of the lines before is another: damaged", _AGAIN)
        else:
            entry = _entry(line, where)
            to_prediction(entry, header.labels, where)
            if Key(entry.number, entry.condition) in offsets:
                raise DataError(f"{where}: sample {entry.number} is there twice", _AGAIN)
            offsets[Key(entry.number, entry.condition)] = offset
        sha256.update(line)
    if header is None or end is None or end.end != len(offsets):
        got = f"{len(offsets)} predictions" + (f", expected {end.end}" if end else " and no last line")
        raise DataError(f"{path}: not whole: {got}", "run the recording again: it goes on where it stopped")
    return header, offsets, sha256.hexdigest()


def _lines(path: Path, file: BinaryIO) -> Iterator[tuple[int, int, bytes]]:
    number = offset = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if not line.endswith(b"\n"):
            raise DataError(f"{path}:{number}: the line is cut off, or over {LONGEST_LINE} bytes", _AGAIN)
        yield number, offset, line
        offset += len(line)


def decode_header(line: bytes, where: str) -> Header:
    """The first line.

    Raises:
        DataError: not a header of ours.
    """
    return _decode(line, Header, where)


def _entry(line: bytes, where: str) -> Entry:
    return _decode(line, Entry, where)


def _decode(line: bytes, kind: type[T], where: str) -> T:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{where}: {' '.join(str(error).split())[:300]}", _AGAIN) from error
