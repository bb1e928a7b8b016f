"""A model that comes as a bare graph: what its user must say about its input, and what can be read off it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx

from edgekit.bundle.manifest import (
    Card,
    CenterCrop,
    ClassHead,
    Head,
    ImageInput,
    Letterbox,
    Normalize,
    PixelOp,
    ResizeShorter,
    ResizeStretch,
)
from edgekit.cli.values import parse_count
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare_detector import infer_head
from edgekit_export.sources.packages import file_sha256

TASKS = ("classify", "detect")
RESIZES = ("crop", "stretch", "letterbox")
COLORS = ("rgb", "bgr")

NORMALIZATIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "minus1to1": ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "0to1": ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Name → mean and standard deviation a channel, on pixels of 0–255."""

LABELS_MEMBER = "assets/labels.txt"
LETTERBOX_PAD = 114  # what YOLO networks are trained with
CROP_RATIO = 256 / 224  # shorter side before the crop, as ImageNet models are evaluated


@dataclass(frozen=True, slots=True)
class BareInput:
    """What cannot be read off a graph.

    Attributes:
        normalize: a name of :data:`NORMALIZATIONS`, or ``mean/std`` as ``r,g,b/r,g,b`` on pixels of 0–255.
        size: side of the square input, for graphs whose own is dynamic.
        resize: ``crop`` (shorter side to 256/224 of the size, centre crop), ``stretch`` or ``letterbox``; by default
            what such networks are given: crops to classifiers.
        color: channel order the graph was trained on.
        labels: file with one label a line; ``class 0`` … otherwise.
        activation: of a classifier's scores.
        task: ``classify`` or ``detect``; told from the outputs of a TFLite file, else ``classify``.
    """

    normalize: str | None = None
    size: int | None = None
    resize: str | None = None
    color: str = "rgb"
    labels: Path | None = None
    activation: str = "softmax"
    task: str | None = None

    def __post_init__(self) -> None:
        for name, known in (("task", TASKS), ("resize", RESIZES), ("color", COLORS)):
            value = getattr(self, name)
            if value not in (None, *known):
                raise UsageError(f"--{name}: got {value!r}", f"choose from {', '.join(known)}")

    @classmethod
    def of_options(cls, options: Mapping[str, str], labels: Path | None) -> BareInput:
        """What :meth:`options` gave; the labels, which it names by digest, are given again.

        Raises:
            UsageError: an option that is none of these, or has a value that it cannot have.
        """
        fields = {option: field for field, option in _OPTIONS.items()}
        given: dict[str, Any] = {}
        for name, value in options.items():
            if f"--{name}" not in fields:
                known = ", ".join(option.removeprefix("--") for option in fields)
                raise UsageError(f"option {name!r}: no such option of a source", f"known ones: {known}")
            given[fields[f"--{name}"]] = parse_count(value) if name == "input-size" else value
        return cls(**given | {"labels": labels})

    def options(self) -> dict[str, str]:
        """Option, without ``--`` → value, as far as it is not the usual one; a file by its SHA-256."""
        usual = BareInput()
        given = {
            option.removeprefix("--"): getattr(self, field)
            for field, option in _OPTIONS.items()
            if getattr(self, field) != getattr(usual, field)
        }
        return {
            name: file_sha256(value) if isinstance(value, Path) else str(value)
            for name, value in given.items()
        }

    def require_size(self) -> int:
        """The size.

        Raises:
            UsageError: it was not given.
        """
        if self.size is None:
            raise UsageError(
                "the size of the network's input is not known", "add --input-size 224 (its true size)"
            )
        return self.size

    def refuse(self, origin: str, task: str, allowed: Collection[str] = ()) -> None:
        """Refuses what would change what a model says itself.

        Args:
            origin: the model.
            task: its own.
            allowed: fields that may be given.

        Raises:
            UsageError: another one was given.
        """
        if self.task not in (None, task):
            raise UsageError(f"--task {self.task}: {origin} is for {task}", "leave it out")
        usual = BareInput()
        for field, option in _OPTIONS.items():
            if field not in ("task", *allowed) and getattr(self, field) != getattr(usual, field):
                raise UsageError(
                    f"{option}: {origin} says itself what goes in and what comes out", "leave it out"
                )


_OPTIONS = {
    "task": "--task",
    "normalize": "--normalize",
    "size": "--input-size",
    "resize": "--resize",
    "color": "--color",
    "labels": "--labels",
    "activation": "--activation",
}


def bare_recipe(
    name: str, model: onnx.ModelProto, shape: tuple[int, int, int, int], bare: BareInput
) -> tuple[Card, SourceModel, dict[str, bytes]]:
    """Card, graph specification and assets of a model without a recipe.

    Raises:
        UsageError: the normalisation is not given or not understood.
        ModelError: the graph's outputs are not those of the task, as far as they can be known.
        DataError: the label file does not fit.
    """
    side = shape[2] or bare.require_size()
    width = shape[3] or bare.require_size()
    mean, std = normalization(bare.normalize)
    given = None if bare.labels is None else read_label_file(bare.labels)
    head, classes, usual = _head(name, model, bare, (width, side), given)
    spec = SourceModel(
        shape=(1, 3, side, width),
        input=ImageInput(
            tensor="image",
            color="bgr" if bare.color == "bgr" else "rgb",
            ops=(*resize_ops(bare.resize or usual, side, width), Normalize(mean=mean, std=std)),
        ),
        head=head,
    )
    labels = given or [f"class {i}" for i in range(classes)]
    assets = {LABELS_MEMBER: "".join(f"{v}\n" for v in labels).encode()}
    return _card(name, model, bare.task or "classify"), spec, assets


def _head(
    name: str, model: onnx.ModelProto, bare: BareInput, size_wh: tuple[int, int], labels: list[str] | None
) -> tuple[Head, int, str]:
    """The head, its number of classes, and the usual resize."""
    if bare.task == "detect":
        found = infer_head(model, name, size_wh, LABELS_MEMBER, None if labels is None else len(labels))
        return found.head, found.classes, found.resize
    classes = _classes(model, name)
    if labels is not None and len(labels) != classes:
        raise DataError(f"{bare.labels}: expected {classes} labels, one a line, got {len(labels)}")
    head = ClassHead(tensor="scores", labels=LABELS_MEMBER, activation=activation(bare.activation))
    return head, classes, "crop"


def normalization(text: str | None) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Mean and standard deviation a channel, as ``--normalize`` gives them.

    Raises:
        UsageError: it was not given, or is not understood.
    """
    remedy = f"choose from {', '.join(NORMALIZATIONS)}, or write mean/std as 127,127,127/128,128,128 (pixels 0-255)"
    if text is None:
        raise UsageError("how pixels are normalised cannot be read off a graph", f"add --normalize: {remedy}")
    if text in NORMALIZATIONS:
        return NORMALIZATIONS[text]
    try:
        mean, std = ([float(v) for v in part.split(",")] for part in text.split("/"))
    except ValueError as error:
        raise UsageError(f"--normalize: got {text!r}", remedy) from error
    if len(mean) != 3 or len(std) != 3 or not np.isfinite(mean).all() or not all(0 < s < np.inf for s in std):
        raise UsageError(f"--normalize: got {text!r}", remedy)
    return (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])


def resize_ops(resize: str, height: int, width: int) -> tuple[PixelOp, ...]:
    """The operations of a resize, by its name in :attr:`BareInput.resize`."""
    if resize == "stretch":
        return (ResizeStretch(width=width, height=height),)
    if resize == "letterbox":
        return (Letterbox(width=width, height=height, pad=LETTERBOX_PAD),)
    shorter = round(max(height, width) * CROP_RATIO)
    return ResizeShorter(size=shorter), CenterCrop(width=width, height=height)


def activation(text: str) -> Literal["softmax", "sigmoid", "none"]:
    """The activation of a classifier's scores, as ``--activation`` gives it.

    Raises:
        UsageError: it is none.
    """
    if text not in ("softmax", "sigmoid", "none"):
        raise UsageError(f"--activation: got {text!r}", "choose from softmax, sigmoid, none")
    return text  # type: ignore[return-value]


def _classes(model: onnx.ModelProto, name: str) -> int:
    outputs = [[d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.output]
    if len(outputs) != 1 or len(outputs[0]) < 2 or outputs[0][1] < 2 or any(d > 1 for d in outputs[0][2:]):
        raise ModelError(
            f"{name}: cannot tell its task: expected one output (N, classes), got {outputs}",
            "add --task detect if it finds objects; write a recipe.toml for the rest",
        )
    return outputs[0][1]


def read_label_file(path: Path) -> list[str]:
    """Labels, one a line.

    Raises:
        DataError: the file cannot be read, or is not UTF-8.
    """
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise DataError(f"{path}: expected a file of labels, got a folder, a pipe or a device")
    try:
        return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise DataError(f"{path}: cannot be read: {reason}", "write one label a line, in UTF-8") from error


def _card(name: str, model: onnx.ModelProto, task: str) -> Card:
    return Card(
        title=name,
        task=task,
        domain="unknown: exported from a bare graph",
        languages=(),
        input_range="unknown: exported from a bare graph",
        cannot=("nothing is known about what it was trained for: write a card.toml",),
        license="unknown",
        source=name,
        parameters=sum(int(np.prod(t.dims)) for t in model.graph.initializer),
    )
