"""From a specification of data to its sources: which of the formats it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgekit.data.clip import is_clip
from edgekit.data.coco import open_coco
from edgekit.data.folder import open_file, open_folder
from edgekit.data.need import Need
from edgekit.data.provided import open_provided
from edgekit.data.recording import open_recordings
from edgekit.data.rows import TABLE_SUFFIXES
from edgekit.data.sample import Source
from edgekit.data.spec import FORMS, DataSpec
from edgekit.data.table import open_table
from edgekit.data.texts import is_text, open_texts
from edgekit.data.vqa import open_vqa
from edgekit.errors import DataError
from edgekit.processing.picture_files import is_picture
from edgekit.processing.sounds import is_sound


def open_sources(spec: DataSpec, need: Need) -> Sequence[Source]:
    """The sources of one specification.

    Args:
        spec: what was named.
        need: what the task needs.

    Raises:
        DataError: nothing there, something unreadable, or nothing that the task can be given.
        UsageError: a specification that cannot be understood.
        EnvironmentLacks: rendered data without edgekit-export.
    """
    path = Path(spec.what)
    try:
        folder, there, plain = path.is_dir(), path.exists(), path.is_file()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if spec.provider and not there:
        return open_provided(spec, need)
    if folder:
        return _open_folder(spec, need)
    if not there:
        raise DataError(f"{path}: no such file or folder", f"expected {FORMS}")
    if not plain:  # reading a pipe would wait for ever
        raise DataError(f"{path}: expected a file or a folder, got a pipe or a device", f"give it {FORMS}")
    return _open_file(spec, need)


def _open_folder(spec: DataSpec, need: Need) -> Sequence[Source]:
    path = Path(spec.what)
    try:
        names = list(path.iterdir())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    if need.inputs == ("sound",):
        return open_recordings(spec)
    texts = any(is_text(name) for name in names)
    if "picture" not in need.inputs or (texts and "text" in need.inputs):
        if not texts:
            raise DataError(f"{path}: no text in it", "endings: .txt")
        if "picture" in need.inputs and any(is_picture(name) for name in names):
            raise DataError(f"{path}: texts beside pictures", "name a folder of one kind, or a table")
        return open_texts(spec)
    return open_folder(spec, need.labels if need.truth == "label" else None)


def _open_file(spec: DataSpec, need: Need) -> Sequence[Source]:
    path = Path(spec.what)
    suffix = path.suffix.lower()
    if suffix in TABLE_SUFFIXES:
        return open_table(spec, need)
    if suffix == ".json" and need.truth == "boxes" and need.labels:
        return open_coco(spec, need.labels)
    if suffix == ".json" and need.truth == "answers":
        return open_vqa(spec)
    if is_text(path) and "text" in need.inputs:
        return open_texts(spec)
    if is_sound(path) and "sound" in need.inputs:
        return open_recordings(spec)
    if (is_picture(path) or is_clip(path)) and "picture" in need.inputs:
        return open_file(spec)
    if suffix == ".json":
        raise DataError(
            f"{path}: JSON has boxes (COCO) or answers (VQA), none for the task {need.task!r}",
            f"give it {' or '.join(need.inputs)}s, or a table of them",
        )
    if is_text(path) or is_picture(path) or is_clip(path) or is_sound(path):
        raise DataError(
            f"{path}: no data for the task {need.task!r}", f"it is measured on {' or '.join(need.inputs)}s"
        )
    raise DataError(f"{path}: cannot tell what data this is from its ending", f"expected {FORMS}")
