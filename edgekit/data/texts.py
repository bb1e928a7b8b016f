"""Text files as data: whole, or by paragraph or line."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, TypeAlias

from edgekit.data.passage import Passage, digest_of
from edgekit.data.spec import DataSpec
from edgekit.errors import DataError, UsageError
from edgekit.processing.picture_files import by_number

TEXT_SUFFIXES = frozenset({".txt"})
_BOM = b"\xef\xbb\xbf"


def is_text(path: Path) -> bool:
    """Whether the name says that it is a text; hidden files are none."""
    return path.suffix.lower() in TEXT_SUFFIXES and not path.name.startswith(".")


def open_texts(spec: DataSpec) -> list[Passage]:
    """Sources of a text file, or of those of a folder in the order of their names.

    ``?by=`` says what one sample is, and what intervals take as independent: a ``document`` (a whole file;
    the default for a folder), a ``paragraph`` (what lies between blank lines; the default for one file, which
    as a single sample would prove nothing) or a ``line``. Blank ones are passed over. Line ends become
    ``\\n``, and white space around a sample is cut off.

    Raises:
        DataError: a file that cannot be read, is not UTF-8, or has no text in it.
        UsageError: an unknown option.
    """
    spec.refuse_unknown("by")
    path = Path(spec.what)
    folder = path.is_dir()
    by = spec.options.get("by", "document" if folder else "paragraph")
    if by not in _PIECES:
        raise UsageError(f"data: {spec.text}: by={by}", f"expected {', '.join(_PIECES)}")
    if not folder:
        return _passages(path, path.name, by)
    files = sorted((p for p in path.iterdir() if is_text(p) and p.is_file()), key=by_number)
    return [passage for p in files for passage in _passages(p, f"{path.name}/{p.name}", by)]


def _passages(path: Path, name: str, by: str) -> list[Passage]:
    found: list[Passage] = []
    try:
        with path.open("rb") as file:
            whole_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            for line, start, raw in _PIECES[by](file):
                if text := _text(raw, path, start):
                    where = name if by == "document" else f"{name}:{line}"
                    read = partial(_read, path, start, start + len(raw))
                    found.append(Passage(where, digest_of(text), whole_sha256, read))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if not found:
        raise DataError(f"{path}: expected a text, got an empty file", "write something into it")
    return found


def _read(path: Path, start: int, stop: int) -> str:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return _text(file.read(stop - start), path, start)
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error


def _text(raw: bytes, path: Path, start: int) -> str:
    bom = len(_BOM) if start == 0 and raw.startswith(_BOM) else 0
    try:
        return raw[bom:].decode().replace("\r\n", "\n").strip()
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: not UTF-8: {error.reason} at byte {start + bom + error.start}", "save the text as UTF-8"
        ) from error


def _document(file: IO[bytes]) -> Iterator[_Piece]:
    yield 1, 0, file.read()


def _lines(file: IO[bytes]) -> Iterator[_Piece]:
    start = 0
    for number, raw in enumerate(file, 1):
        yield number, start, raw
        start += len(raw)


def _paragraphs(file: IO[bytes]) -> Iterator[_Piece]:
    held: list[bytes] = []
    first = begin = 0
    for number, start, raw in _lines(file):
        if raw.strip():
            first, begin = (first, begin) if held else (number, start)
            held.append(raw)
        elif held:
            yield first, begin, b"".join(held)
            held = []
    if held:
        yield first, begin, b"".join(held)


_Piece: TypeAlias = tuple[int, int, bytes]
"""Line, from 1; first byte, from 0; and the bytes."""

_PIECES: dict[str, Callable[[IO[bytes]], Iterator[_Piece]]] = {
    "document": _document,
    "paragraph": _paragraphs,
    "line": _lines,
}
