"""Where the pictures lie that a JSON file names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgekit.data.spec import DataSpec
from edgekit.errors import DataError


def beside(spec: DataSpec, key: str) -> Path | None:
    """The path that an option names: from the current folder, or from the one that the file lies in.

    Returns:
        ``None`` where the option was not given.

    Raises:
        DataError: nothing is there, or both are.
    """
    given = spec.options.get(key)
    if given is None:
        return None
    places = dict.fromkeys(p.resolve() for p in (Path(given), Path(spec.what).parent / given) if p.exists())
    if len(places) != 1:
        found = f"there are two: {' and '.join(map(str, places))}" if places else "no such file or folder"
        raise DataError(f"data: {spec.text}: {key}={given}: {found}", "give the whole path")
    return next(iter(places))


def image_folder(spec: DataSpec, holds: Callable[[Path], bool]) -> Path:
    """The folder of the pictures: the option ``images``, or the one beside the file that has them.

    Looked at are the file's own folder, the folders in it, and those next to it (COCO puts ``annotations``
    next to ``val2017``).

    Args:
        spec: the file.
        holds: whether a folder has the first picture.

    Raises:
        DataError: the option names no folder; without it, no folder has the picture, or several have.
    """
    if (given := beside(spec, "images")) is not None:
        if not given.is_dir():
            raise DataError(f"data: {spec.text}: images={given}: expected a folder")
        return given
    own = Path(spec.what).resolve().parent
    try:
        near = [own, *sorted(own.iterdir()), *sorted(own.parent.iterdir())]
        found = list(dict.fromkeys(p.resolve() for p in near if p.is_dir() and holds(p)))
    except OSError as error:
        raise DataError(f"{error.filename}: {error.strerror or error}") from error
    if len(found) == 1:
        return found[0]
    what = "no folder beside it has its pictures"
    if found:
        what = f"several folders have its pictures: {', '.join(map(str, found[:3]))}"
    raise DataError(f"{spec.what}: {what}", f"name it: {spec.what}?images=FOLDER")
