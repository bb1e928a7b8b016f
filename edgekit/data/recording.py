"""A recording as a source, and folders of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from edgekit.data.sample import Truth
from edgekit.data.spec import DataSpec
from edgekit.data.undivided import Undivided
from edgekit.errors import DataError
from edgekit.processing.picture_files import by_number
from edgekit.processing.sounds import SOUND_SUFFIXES, is_sound, read_sound
from edgekit.types import Sound


@dataclass(frozen=True, slots=True)
class Recording(Undivided):
    """One recording; see :class:`edgekit.data.sample.Source`.

    Attributes:
        known: what is said in it, its class, or ``None``.
        group: the part of the data it belongs to.
    """

    path: Path
    id: str
    sha256: str
    known: Truth = None
    group: str = ""

    def _load(self) -> Sound:
        return read_sound(self.path)


def open_recording(path: Path, name: str, truth: Truth = None, group: str = "") -> Recording:
    """Reads the file once, for its digest.

    Raises:
        DataError: it cannot be read, or is empty.
    """
    try:
        if not path.stat().st_size:
            raise DataError(f"{path}: no sound in it: the file is empty", "record or copy it again")
        with path.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    return Recording(path, name, sha256, truth, group)


def sounds_of(path: Path) -> list[Path]:
    """The recording itself, or those of a folder in the order of their names.

    Raises:
        DataError: nothing there, or a folder without one.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        what = "neither a file nor a folder" if path.exists() else "no such file or folder"
        raise DataError(f"{path}: {what}", "name a recording, or a folder of them")
    files = [p for p in path.iterdir() if is_sound(p) and p.is_file()]
    if not files:
        raise DataError(f"{path}: no sound in this folder", f"endings: {' '.join(sorted(SOUND_SUFFIXES))}")
    return sorted(files, key=by_number)


def open_recordings(spec: DataSpec) -> list[Recording]:
    """Sources of a recording, or of those of a folder, about which nothing is known.

    Raises:
        DataError: nothing there, or a file that cannot be read.
        UsageError: an unknown option.
    """
    spec.refuse_unknown()
    path = Path(spec.what)
    prefix = f"{path.name}/" if path.is_dir() else ""
    return [open_recording(p, f"{prefix}{p.name}") for p in sounds_of(path)]
