"""JSON lines or CSV: a picture a row, with its label or its text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgekit.data.labels import LabelIndex
from edgekit.data.photo import open_photo
from edgekit.data.sample import Source, Truth, TruthKind
from edgekit.data.spec import DataSpec
from edgekit.errors import DataError

TABLE_SUFFIXES = frozenset({".jsonl", ".ndjson", ".csv"})


def open_table(spec: DataSpec, labels: LabelIndex | None, wanted: TruthKind) -> list[Source]:
    """Sources of a table: ``image`` (a path, relative to the table) and ``label`` or ``text``, or neither.

    Args:
        spec: the file, with ``crops`` and ``seed`` (crops only where rows carry no text).
        labels: the model's, where the task has labels.
        wanted: which column the task's truth is in.

    Raises:
        DataError: the table or a picture cannot be read, a row lacks what it needs, an unknown label.
        UsageError: an unknown option.
    """
    spec.refuse_unknown("crops", "seed")
    path = Path(spec.what)
    crops, seed = spec.count("crops", 1, least=1), spec.count("seed", 0)
    sources: list[Source] = []
    for where, row in _rows(path):
        image = row.get("image")
        if not isinstance(image, str) or not image:
            raise DataError(
                f"{where}: no 'image'", f"it has {', '.join(row) or 'nothing'}; expected image and {wanted}"
            )
        truth = _truth(row, where, labels, wanted)
        if crops > 1 and isinstance(truth, str):
            raise DataError(
                f"{path}: crops={crops} of pictures with text", "a crop does not show the whole text"
            )
        sources.append(open_photo(path.parent / image, image, crops, seed, truth, group_of(row, where)))
    if not sources:
        raise DataError(f"{path}: no row in it", "expected one picture a row")
    return sources


def group_of(row: Mapping[str, Any], where: str) -> str:
    """The row's ``group``, empty if it names none.

    Raises:
        DataError: it is no name.
    """
    group = row.get("group")
    if group is None:
        return ""
    if isinstance(group, bool) or not isinstance(group, str | int):
        raise DataError(f"{where}: 'group' is {group!r}", "expected a name")
    return str(group)


def _truth(row: Mapping[str, Any], where: str, labels: LabelIndex | None, wanted: TruthKind) -> Truth:
    other = "text" if wanted == "label" else "label"
    value = row.get(wanted)
    if value is None or (value == "" and wanted == "label"):
        if other in row:
            raise DataError(f"{where}: has {other!r}, this task needs {wanted!r}")
        return None
    if wanted == "label" and isinstance(value, str | int) and not isinstance(value, bool):
        return (labels or LabelIndex(())).find(value, where)
    if wanted == "text" and isinstance(value, str):
        return value
    raise DataError(
        f"{where}: {wanted!r} is {value!r}", "expected a string" + (" or an index" * (wanted == "label"))
    )


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where each row is, for messages, and its fields."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: not UTF-8: {error.reason} at byte {error.start}", "save the table as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if path.suffix.lower() == ".csv":
        yield from _csv_rows(path, text)
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"{path}:{number}", _json_row(f"{path}:{number}", line)


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{path}:{reader.line_num}: another number of fields than the header")
            yield f"{path}:{reader.line_num}", row
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: {error}") from error


def _json_row(where: str, line: str) -> Mapping[str, Any]:
    try:
        row = msgspec.json.decode(line)
    except msgspec.DecodeError as error:
        raise DataError(f"{where}: not JSON: {error}", "expected one object a line") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected an object with 'image', got {type(row).__name__}")
    return row
