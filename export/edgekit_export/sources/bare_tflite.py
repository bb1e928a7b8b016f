"""A bare TFLite file: its task, input and head, as far as tensors, quantisation and shapes tell them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgekit.bundle.detect_head import DetectHead, Level, OffsetBoxes, Part
from edgekit.bundle.manifest import Card, ClassHead, Head, ImageInput, Letterbox, Normalize, PixelOp
from edgekit.engines.protocol import TensorSpec
from edgekit.errors import DataError, ModelError, UsageError
from edgekit.processing.codes import Codes
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare import (
    LABELS_MEMBER,
    NORMALIZATIONS,
    BareInput,
    activation,
    normalization,
    read_label_file,
    resize_ops,
)
from edgekit_export.sources.tflite_file import TfliteFile, WrappedGraph, forms

_ACTIVATIONS = frozenset({"SOFTMAX", "LOGISTIC"})
_ANCHORS = (
    ((8, 2), (16, 6)),  # BlazeFace short range, palms
    ((16, 2), (32, 6)),  # BlazeFace back camera
    ((8, 2), (16, 2), (32, 6)),  # pose
    ((4, 1),),  # BlazeFace full range
)
"""Strides and anchors a cell of MediaPipe's detectors, which all have one point in the middle of a cell as anchor."""

_COORDINATES = 4


@dataclass(frozen=True, slots=True, eq=False)
class BareTflite:
    """What a file is wrapped with."""

    task: str
    card: Card
    graph: WrappedGraph
    assets: dict[str, bytes]


def bare_tflite(file: TfliteFile, bare: BareInput) -> BareTflite:
    """Tells how a file's picture goes in and what comes out.

    - ``classify``: one output ``(N, classes)``; without ``--task`` only where it ends in a softmax or sigmoid.
    - ``detect``: two outputs of as many positions as MediaPipe's detectors have anchors at this size.

    Raises:
        UsageError: the normalisation is not given and cannot be told.
        ModelError: the file takes no picture, or its outputs are not those of the task; the message lists them.
        DataError: the labels do not fit.
    """
    image, size_wh = _picture(file, bare)
    task = bare.task or _task(file, size_wh)
    head, classes = _class_head(file, bare) if task == "classify" else _anchored(file, size_wh)
    labels = _labels(file, bare, classes)
    usual = "crop" if task == "classify" else "letterbox"
    ops = _resize(bare.resize or usual, size_wh, task) + _normalize(file, image, bare)
    spec = SourceModel(
        shape=(1, 3, size_wh[1], size_wh[0]),
        input=ImageInput(
            tensor=image.name,
            ops=ops,
            color="bgr" if bare.color == "bgr" else "rgb",
            dtype="float32" if isinstance(ops[-1], Normalize) else "uint8",
        ),
        head=head,
    )
    assets = {LABELS_MEMBER: "".join(f"{label}\n" for label in labels).encode()}
    return BareTflite(task, _card(file, task), WrappedGraph(file, spec), assets)


def _picture(file: TfliteFile, bare: BareInput) -> tuple[TensorSpec, tuple[int, int]]:
    """The only input, and width and height of its picture."""
    inputs = file.tried.inputs
    image = inputs[0]
    if len(inputs) != 1 or len(image.shape) != 4 or image.shape[3] != 3 or image.shape[0] not in (None, 1):
        raise ModelError(
            f"{file.name}: takes no picture: expected one input N×height×width×3, got {forms(inputs)}, "
            f"and it gives {forms(file.tried.outputs)}",
            "edgekit runs TFLite files that classify pictures or find objects in them",
        )
    return image, (image.shape[2] or bare.require_size(), image.shape[1] or bare.require_size())


def _task(file: TfliteFile, size_wh: tuple[int, int]) -> str:
    if _classes(file) is not None and file.ends[0] in _ACTIVATIONS:
        return "classify"
    if _layout(file, size_wh) is not None:
        return "detect"
    raise _unknown(file, "cannot tell its task from its outputs")


def _unknown(file: TfliteFile, what: str) -> ModelError:
    return ModelError(
        f"{file.name}: {what}: {forms(file.tried.outputs)}",
        "--task classify takes one output N×classes; --task detect two of one position an anchor, boxes and scores, "
        "as MediaPipe's detectors have; for other heads write a recipe.toml",
    )


def _classes(file: TfliteFile) -> int | None:
    """Number of classes of the only output, where its shape is a classifier's."""
    shape = file.tried.outputs[0].shape
    if len(file.tried.outputs) != 1 or len(shape) < 2 or any(size != 1 for size in shape[1:-1]):
        return None
    return shape[-1] if shape[0] in (None, 1) and (shape[-1] or 0) > 1 else None


def _class_head(file: TfliteFile, bare: BareInput) -> tuple[Head, int]:
    classes = _classes(file)
    if classes is None:
        raise _unknown(file, "expected one output N×classes, got")
    applied = activation("none" if file.ends[0] in _ACTIVATIONS else bare.activation)
    return ClassHead(tensor=file.tried.outputs[0].name, labels=LABELS_MEMBER, activation=applied), classes


def _layout(file: TfliteFile, size_wh: tuple[int, int]) -> tuple[tuple[int, int], ...] | None:
    """Strides and anchors, where both outputs have a position for each."""
    shapes = [spec.shape for spec in file.tried.outputs]
    if len(shapes) != 2 or any(len(s) != 3 or s[0] not in (None, 1) for s in shapes):
        return None
    positions = {shape[1] for shape in shapes}
    channels = sorted(shape[2] or 0 for shape in shapes)
    if channels[0] != 1 or channels[1] < _COORDINATES:
        return None
    return next((layout for layout in _ANCHORS if positions == {_positions(layout, size_wh)}), None)


def _positions(layout: Sequence[tuple[int, int]], size_wh: tuple[int, int]) -> int:
    return sum(-(-size_wh[0] // stride) * -(-size_wh[1] // stride) * anchors for stride, anchors in layout)


def _anchored(file: TfliteFile, size_wh: tuple[int, int]) -> tuple[Head, int]:
    """The head of MediaPipe's detectors: thresholds as its graphs have them."""
    layout = _layout(file, size_wh)
    if layout is None:
        raise _unknown(file, "cannot tell how its outputs are read as objects")
    scores, boxes = sorted(file.tried.outputs, key=lambda spec: spec.shape[2] or 0)
    parts = (
        Part(tensor=scores.name, channels="last", activation="sigmoid"),
        Part(tensor=boxes.name, channels="last"),
    )
    levels, first = [], 0
    for stride, anchors in layout:
        levels.append(Level(*parts, stride=stride, anchors=anchors, first=first))
        first += _positions([(stride, anchors)], size_wh)
    head = DetectHead(
        levels=tuple(levels),
        labels=LABELS_MEMBER,
        boxes=OffsetBoxes(unit="pixel"),
        min_score=0.05,
        found_score=0.5,
        iou_threshold=0.3,
        overlaps="blend",
    )
    return head, 1


def _labels(file: TfliteFile, bare: BareInput, classes: int) -> Sequence[str]:
    if bare.labels is not None:
        given = read_label_file(bare.labels)
        if len(given) != classes:
            raise DataError(f"{bare.labels}: expected {classes} labels, one a line, got {len(given)}")
        return given
    if file.labels is not None and len(file.labels) == classes:
        return file.labels
    return [f"class {i}" for i in range(classes)]


def _resize(resize: str, size_wh: tuple[int, int], task: str) -> tuple[PixelOp, ...]:
    if task == "detect" and resize == "letterbox":
        return (Letterbox(width=size_wh[0], height=size_wh[1], pad=0),)  # MediaPipe's border
    return resize_ops(resize, size_wh[1], size_wh[0])


def _normalize(file: TfliteFile, image: TensorSpec, bare: BareInput) -> tuple[PixelOp, ...]:
    """What stands between pixels and the input; nothing where it takes them as they are."""
    name = bare.normalize or _told(image)
    if name is None and image.codes is not None:
        low, high = _range(image.codes)
        raise UsageError(
            f"{file.name}: its input holds codes of {low:.4g} to {high:.4g}, which is no usual range of pixels",
            f"add --normalize: choose from {', '.join(NORMALIZATIONS)}, or write mean/std as 127,127,127/128,128,128",
        )
    told = image.codes is None and bare.normalize is None and file.normalization
    mean, std = told or normalization(name)
    plain = (mean, std) == NORMALIZATIONS["none"]
    if plain and (image.codes is not None or image.dtype == "uint8"):
        return ()
    return (Normalize(mean=mean, std=std),)


def _told(image: TensorSpec) -> str | None:
    """The normalisation that an input's quantisation tells: its codes reach from black to white, to a step."""
    if image.codes is None:
        return "none" if image.dtype == "uint8" else None
    for name in ("none", "0to1", "minus1to1"):
        (mean, *_), (std, *_) = NORMALIZATIONS[name]
        ends = (0 - mean) / std, (255 - mean) / std
        if np.allclose(_range(image.codes), ends, rtol=0, atol=1.01 * image.codes.scale):
            return name
    return None


def _range(codes: Codes) -> tuple[float, float]:
    limits = np.iinfo(codes.dtype)
    return (limits.min - codes.zero_point) * codes.scale, (limits.max - codes.zero_point) * codes.scale


def _card(file: TfliteFile, task: str) -> Card:
    return Card(
        title=file.name.removesuffix(".tflite"),
        task=task,
        domain="unknown: a bare TFLite file",
        languages=(),
        input_range="unknown: a bare TFLite file",
        cannot=("nothing is known about what it was trained for: write a card.toml",),
        license="unknown",
        source=file.name,
        parameters=file.parameters,
    )
