"""A folder of pictures and clips: flat without labels, or one sub-folder a class."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit.data.clip import CLIP_SUFFIXES, DEFAULT_FRAMES, is_clip, open_clip
from edgekit.data.labels import Labels
from edgekit.data.photo import open_photo
from edgekit.data.sample import Source, Truth
from edgekit.data.spec import DataSpec
from edgekit.errors import DataError
from edgekit.processing.picture_files import PICTURE_SUFFIXES, by_number, is_picture

_OPTIONS = ("crops", "frames", "seed")


def open_folder(spec: DataSpec, labels: Labels | None) -> list[Source]:
    """Sources of a folder, by name.

    Args:
        spec: the folder, with ``crops``, ``frames`` and ``seed``.
        labels: find the index of a class, where the task has labels.

    Raises:
        DataError: missing, empty, with an unreadable picture, or with a sub-folder that is no label.
        UsageError: an unknown option.
    """
    spec.refuse_unknown(*_OPTIONS)
    folder = Path(spec.what)
    entries = _entries(folder)
    flat = [p for p in entries if p.is_file() and (is_picture(p) or is_clip(p))]
    classes = [p for p in entries if p.is_dir() and not p.name.startswith(".") and any(_pictures(p))]
    if flat and classes:
        raise DataError(
            f"{folder}: pictures beside folders of pictures ({classes[0].name}, …)",
            "either all pictures lie in folders named after their class, or none does",
        )
    opener = _opener(spec)
    if flat:
        return [opener(path, f"{folder.name}/{path.name}", None) for path in flat]
    if not classes:
        raise DataError(
            f"{folder}: no picture in it", f"endings: {' '.join(sorted(PICTURE_SUFFIXES | CLIP_SUFFIXES))}"
        )
    if labels is None:
        raise DataError(
            f"{folder}: only folders in it ({classes[0].name}, …)", "name the folder that has the pictures"
        )
    found: list[Source] = []
    for sub in classes:
        truth = labels.find(sub.name, str(folder))
        found += [opener(path, f"{sub.name}/{path.name}", truth) for path in _pictures(sub)]
    return found


def open_file(spec: DataSpec) -> list[Source]:
    """A single picture or clip, without label.

    Raises:
        DataError: it cannot be read.
        UsageError: an unknown option.
    """
    spec.refuse_unknown(*_OPTIONS)
    path = Path(spec.what)
    return [_opener(spec)(path, path.name, None)]


def _opener(spec: DataSpec) -> Callable[[Path, str, Truth], Source]:
    crops, seed = spec.count("crops", 1, least=1), spec.count("seed", 0)
    frames = spec.count("frames", DEFAULT_FRAMES, least=1)

    def opened(path: Path, name: str, truth: Truth) -> Source:
        if is_clip(path):
            return open_clip(path, name, frames, crops, seed)
        return open_photo(path, name, crops, seed, truth)

    return opened


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=by_number)
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror or error}") from error


def _pictures(folder: Path) -> list[Path]:
    return [p for p in _entries(folder) if p.is_file() and is_picture(p)]
