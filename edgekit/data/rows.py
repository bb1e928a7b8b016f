"""Rows of a JSON-lines or CSV table, one at a time, and one of them again by its place in the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edgekit.data.json_file import decoded
from edgekit.errors import DataError

TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".csv"})
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is.

    Attributes:
        path: the table.
        line: its last one, from 1.
        start: its first byte, and
        stop: the one after its last.
        header: columns of a CSV, empty in JSON lines.
    """

    path: Path
    line: int
    start: int
    stop: int
    header: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its fields by column (strings only in CSV), and where it is."""

    fields: Mapping[str, Any]
    place: Place

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return str(self.place)


class _Lines:
    """Lines of a file as text, with the byte and the line that has been reached."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = file
        self.byte = 0
        self.line = 0

    def __iter__(self) -> Iterator[str]:
        for raw in self._file:
            bom = len(_BOM) if self.byte == 0 and raw.startswith(_BOM) else 0
            try:
                text = raw[bom:].decode()
            except UnicodeDecodeError as error:
                raise DataError(
                    f"{self._path}: not UTF-8: {error.reason} at byte {self.byte + bom + error.start}",
                    "save the table as UTF-8",
                ) from error
            self.byte += len(raw)
            self.line += 1
            yield text


def rows(path: Path) -> Iterator[Row]:
    """The rows of a table, read as they are asked for: ``.csv`` with a header, or a JSON object a line.

    Raises:
        DataError: it cannot be read, is not UTF-8, or a row is no object or has too many or few fields.
    """
    try:
        with path.open("rb") as file:
            lines = _Lines(path, file)
            yield from _csv_rows(path, lines) if path.suffix.lower() == ".csv" else _json_rows(path, lines)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error


def reread(place: Place) -> Row:
    """A row again, from the file.

    Raises:
        DataError: it cannot be read, or is no such row any more.
    """
    try:
        with place.path.open("rb") as file:
            file.seek(place.start)
            text = file.read(place.stop - place.start).decode("utf-8-sig")
        if not place.header:
            return Row(_object(text, str(place)), place)
        values = next(csv.reader(io.StringIO(text, newline="\n"), strict=True))
        return Row(dict(zip(place.header, values, strict=True)), place)
    except (OSError, ValueError, StopIteration, csv.Error) as error:
        raise DataError(f"{place}: cannot be read again: {error}") from error


def _json_rows(path: Path, lines: _Lines) -> Iterator[Row]:
    start = 0
    for line in lines:
        if line.strip():
            place = Place(path, lines.line, start, lines.byte)
            yield Row(_object(line, str(place)), place)
        start = lines.byte


def _object(line: str, where: str) -> Mapping[str, Any]:
    row = decoded(line, Any, where, "one object a line")
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected an object, got {type(row).__name__}", "write one object a line")
    return row


def _csv_rows(path: Path, lines: _Lines) -> Iterator[Row]:
    reader = csv.reader(iter(lines), strict=True)
    try:
        header = tuple(next(reader, ()))
        if len(set(header)) < len(header):
            raise DataError(f"{path}: two columns of one name in the header: {', '.join(header)}")
        start = lines.byte
        for values in reader:
            place = Place(path, lines.line, start, lines.byte, header)
            if values and len(values) != len(header):
                raise DataError(
                    f"{place}: another number of fields than the header: {len(values)}, expected {len(header)}"
                )
            if values:
                yield Row(dict(zip(header, values, strict=True)), place)
            start = lines.byte
    except csv.Error as error:
        raise DataError(f"{path}:{lines.line}: {error}", "quote such fields, or use .jsonl") from error
