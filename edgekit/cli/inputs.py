"""What ``edgekit run`` was told to run on, as the bundle's task takes it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from edgekit.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgekit.types import Content, Kind

STDIN = Path("-")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """One input: what to call it, and what to give the task."""

    name: str
    content: Content | Path


def inputs_of(kind: Kind, paths: Sequence[Path], texts: Sequence[str]) -> Iterable[Given]:
    """All inputs, in the order in which they were named; texts of the command line come last.

    Files and folders are looked at before the first one is given, standard input is read as it comes.

    Args:
        kind: what the task takes.
        paths: files and folders; ``-`` is standard input.
        texts: texts themselves.

    Raises:
        UsageError: nothing was named, or texts for a task of another kind.
        DataError: nothing there, or nothing of that kind.
    """
    if not paths and not texts:
        raise UsageError(
            "run: expected an INPUT, got nothing", f"name a {kind} file, or - for standard input"
        )
    if texts and kind != "text":
        raise UsageError("--text: this bundle takes no texts", f"name a {kind} file")
    opened = {"picture": _pictures, "text": _texts, "sound": _sounds}[kind]
    named = [opened(path) for path in paths]
    spoken = [Given(f"text {number}", text) for number, text in enumerate(texts, 1)]
    return (one for some in (*named, spoken) for one in some)


def standard_input() -> BinaryIO:
    """Standard input as bytes.

    Raises:
        DataError: the caller closed it; Python then has no such stream.
    """
    if sys.stdin is None:
        raise DataError("standard input: closed", "pipe or redirect something into it")
    return sys.stdin.buffer


def _pictures(path: Path) -> Iterable[Given]:
    from edgekit.processing.picture_files import pictures_of

    if path == STDIN:
        return _picture_of_stdin()
    return [Given(str(picture), picture) for picture in pictures_of(path)]


def _picture_of_stdin() -> Iterator[Given]:
    from edgekit.processing.images import decode_picture
    from edgekit.types import Frame

    yield Given("-", Frame(decode_picture(standard_input().read(), "standard input"), "bgr", name="-"))


def _sounds(path: Path) -> Iterable[Given]:
    from edgekit.data.recording import sounds_of

    if path == STDIN:
        return _sound_of_stdin()
    return [Given(str(sound), sound) for sound in sounds_of(path)]


def _sound_of_stdin() -> Iterator[Given]:
    from edgekit.processing.sounds import decode_sound

    yield Given("-", decode_sound(standard_input().read(), "standard input"))


def _texts(path: Path) -> Iterable[Given]:
    """One text a line; blank lines are passed over."""
    if path == STDIN:
        return _texts_of_stdin()
    if path.is_dir():
        from edgekit.data.texts import is_text
        from edgekit.processing.picture_files import by_number

        files = sorted((p for p in path.iterdir() if is_text(p)), key=by_number)
        if not files:
            raise DataError(f"{path}: no text in this folder", "endings: .txt")
        return [given for file in files for given in _of_file(file)]
    return _of_file(path)


def _texts_of_stdin() -> Iterator[Given]:
    """Each text as its line arrives; that there was none is known at the end."""
    given = None
    for given in _lines("-", standard_input()):
        yield given
    if given is None:
        raise DataError("standard input: expected a text a line, got none", "pipe texts into it")


def _of_file(path: Path) -> list[Given]:
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever, a device never end
        raise DataError(
            f"{path}: expected a text file, got a pipe or a device", "name a text file, or - to pipe"
        )
    try:
        found = list(_lines(str(path), path.read_bytes().splitlines()))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}", "name a text file") from error
    if not found:
        raise DataError(f"{path}: expected a text a line, got none", "write one text a line into it")
    return found


def _lines(name: str, lines: Iterable[bytes]) -> Iterator[Given]:
    for number, raw in enumerate(lines, 1):
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name}: line {number} is no UTF-8: this bundle takes texts", "give it one text a line"
            ) from error
        if text:
            yield Given(f"{name}:{number}", text)
