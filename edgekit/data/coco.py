"""COCO's ``instances.json``: pictures with the boxes of the objects in them (Lin et al. 2014)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from edgekit.data.image_folder import image_folder
from edgekit.data.json_file import read_json
from edgekit.data.labels import Labels
from edgekit.data.photo import Photo, open_photo
from edgekit.data.sample import TrueBoxes
from edgekit.data.spec import DataSpec
from edgekit.errors import DataError

_OTHER_NAMES = {
    "airplane": "aeroplane",
    "couch": "sofa",
    "dining table": "diningtable",
    "motorcycle": "motorbike",
    "potted plant": "pottedplant",
    "tv": "tvmonitor",
}
"""What Darknet's ``coco.names``, and models trained with it, call some of COCO's categories."""


class _Image(msgspec.Struct, gc=False):
    id: int
    file_name: str


class _Object(msgspec.Struct, gc=False):
    image_id: int
    category_id: int
    bbox: tuple[float, float, float, float]
    iscrowd: int = 0


class _Category(msgspec.Struct, gc=False):
    id: int
    name: str


class _Instances(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Object]
    categories: list[_Category]


def open_coco(spec: DataSpec, labels: Labels) -> list[Photo]:
    """Sources of ``instances.json?images=FOLDER``: one a picture, in the file's order.

    All annotations are held in memory.

    Args:
        spec: the file, with ``images``, the folder of the pictures; see
            :func:`edgekit.data.image_folder.image_folder`.
        labels: find the model's class by a category's name.

    Raises:
        DataError: it is no such file, contradicts itself, names a category that the model does not know, or
            a picture cannot be read.
        UsageError: an unknown option.
    """
    spec.refuse_unknown("images")
    path = Path(spec.what)
    content = read_json(path, _Instances, "COCO's instances: images, annotations and categories")
    if not content.images:
        raise DataError(f"{path}: no picture in it")
    names = _file_names(content.images, path)
    boxes = _boxes(content, names, _classes(content, path, labels), path)
    folder = image_folder(spec, lambda p: (p / content.images[0].file_name).is_file())
    return [open_photo(folder / name, name, 1, 0, boxes[image]) for image, name in names.items()]


def _file_names(images: Sequence[_Image], path: Path) -> dict[int, str]:
    """Name by id of the picture; names that lead out of the folder are refused."""
    names: dict[int, str] = {}
    for image in images:
        name = PurePosixPath(image.file_name)
        if not name.name or name.is_absolute() or ".." in name.parts or "\0" in image.file_name:
            raise DataError(
                f"{path}: image {image.id}: file_name is {image.file_name!r}", "expected a file's name"
            )
        if image.id in names:
            raise DataError(f"{path}: two images have the id {image.id}")
        names[image.id] = image.file_name
    return names


def _classes(content: _Instances, path: Path, labels: Labels) -> Mapping[int, int]:
    """The model's class by id of each category that is in use."""
    used = {o.category_id for o in content.annotations}
    classes: dict[int, int] = {}
    for category in content.categories:
        if category.id in classes:
            raise DataError(f"{path}: two categories have the id {category.id}")
        if category.id in used:
            classes[category.id] = _class(category.name, labels, path)
    if missing := used - classes.keys():
        raise DataError(f"{path}: annotations of category {min(missing)}, which is none of its categories")
    return classes


def _class(name: str, labels: Labels, path: Path) -> int:
    try:
        return labels.find(name, str(path))
    except DataError:
        if name in _OTHER_NAMES:
            return labels.find(_OTHER_NAMES[name], str(path))
        raise


def _boxes(
    content: _Instances, names: Mapping[int, str], classes: Mapping[int, int], path: Path
) -> dict[int, TrueBoxes]:
    """Boxes by id of the picture."""
    of: dict[int, list[_Object]] = {image: [] for image in names}
    for i, thing in enumerate(content.annotations):
        where = f"{path}: annotation {i}"
        if thing.image_id not in of:
            raise DataError(f"{where}: of image {thing.image_id}, which is none of its images")
        if min(thing.bbox[2:]) < 0 or max(map(abs, thing.bbox)) > _LARGEST:
            raise DataError(
                f"{where}: bbox is {list(thing.bbox)}", "expected left, top, width, height in pixels"
            )
        if thing.iscrowd not in (0, 1):
            raise DataError(f"{where}: iscrowd is {thing.iscrowd}, expected 0 or 1")
        of[thing.image_id].append(thing)
    return {image: _true_boxes(things, classes) for image, things in of.items()}


_LARGEST = 1e6
"""Pixels: farther out no picture reaches, and float32 would round."""


def _true_boxes(things: Sequence[_Object], classes: Mapping[int, int]) -> TrueBoxes:
    xywh = np.array([thing.bbox for thing in things], np.float64).reshape(-1, 4)
    xyxy = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]]).astype(np.float32)
    index = np.array([classes[thing.category_id] for thing in things], np.int32)
    return TrueBoxes(xyxy, index, np.array([thing.iscrowd == 1 for thing in things], bool))
