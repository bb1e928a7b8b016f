"""A classifier that comes as a bare graph: what its user must say about its input, and what can be read off it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx

from edgekit.bundle.manifest import (
    Card,
    CenterCrop,
    ClassHead,
    ImageInput,
    Normalize,
    PixelOp,
    ResizeShorter,
    ResizeStretch,
)
from edgekit.errors import DataError, ModelError, UsageError
from edgekit_export.recipe import SourceModel

NORMALIZATIONS: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "imagenet": ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "minus1to1": ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5)),
    "0to1": ((0.0, 0.0, 0.0), (255.0, 255.0, 255.0)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Name → mean and standard deviation a channel, on pixels of 0–255."""

LABELS_MEMBER = "assets/labels.txt"
CROP_RATIO = 256 / 224  # shorter side before the crop, as ImageNet models are evaluated


@dataclass(frozen=True, slots=True)
class BareInput:
    """What cannot be read off a graph.

    Attributes:
        normalize: a name of :data:`NORMALIZATIONS`, or ``mean/std`` as ``r,g,b/r,g,b`` on pixels of 0–255.
        size: side of the square input, for graphs whose own is dynamic.
        resize: ``crop`` (shorter side to 256/224 of the size, centre crop) or ``stretch``.
        color: channel order the graph was trained on.
        labels: file with one label a line; ``class 0`` … otherwise.
        activation: of the scores.
    """

    normalize: str | None = None
    size: int | None = None
    resize: str = "crop"
    color: str = "rgb"
    labels: Path | None = None
    activation: str = "softmax"

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


def bare_recipe(
    name: str, model: onnx.ModelProto, shape: tuple[int, int, int, int], bare: BareInput
) -> tuple[Card, SourceModel, dict[str, bytes]]:
    """Card, graph specification and assets of a classifier without a recipe.

    Raises:
        UsageError: the normalisation is not given or not understood.
        ModelError: the graph has no output of one score a class.
        DataError: the label file does not fit.
    """
    side = shape[2] or bare.require_size()
    width = shape[3] or bare.require_size()
    mean, std = _normalization(bare.normalize)
    classes = _classes(model, name)
    spec = SourceModel(
        shape=(1, 3, side, width),
        input=ImageInput(
            tensor="image",
            color="bgr" if bare.color == "bgr" else "rgb",
            ops=(*_resize_ops(bare.resize, side, width), Normalize(mean=mean, std=std)),
        ),
        head=ClassHead(tensor="scores", labels=LABELS_MEMBER, activation=_activation(bare.activation)),
    )
    labels = _labels(bare.labels, classes)
    return _card(name, model), spec, {LABELS_MEMBER: "".join(f"{label}\n" for label in labels).encode()}


def _normalization(text: str | None) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
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


def _resize_ops(resize: str, height: int, width: int) -> tuple[PixelOp, ...]:
    if resize == "stretch":
        return (ResizeStretch(width=width, height=height),)
    shorter = round(max(height, width) * CROP_RATIO)
    return ResizeShorter(size=shorter), CenterCrop(width=width, height=height)


def _activation(text: str) -> str:
    if text not in ("softmax", "sigmoid", "none"):
        raise UsageError(f"--activation: got {text!r}", "choose from softmax, sigmoid, none")
    return text


def _classes(model: onnx.ModelProto, name: str) -> int:
    outputs = [[d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.output]
    if len(outputs) != 1 or len(outputs[0]) < 2 or outputs[0][1] < 2 or any(d > 1 for d in outputs[0][2:]):
        raise ModelError(
            f"{name}: cannot tell its task: expected one output (N, classes), got {outputs}",
            "only classifiers are taken without a recipe; write a recipe.toml for the rest",
        )
    return outputs[0][1]


def _labels(path: Path | None, classes: int) -> list[str]:
    if path is None:
        return [f"class {i}" for i in range(classes)]
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise DataError(f"{path}: expected a file of labels, got a folder, a pipe or a device")
    try:
        labels = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise DataError(f"{path}: cannot be read: {reason}", "write one label a line, in UTF-8") from error
    if len(labels) != classes:
        raise DataError(f"{path}: expected {classes} labels, one a line, got {len(labels)}")
    return labels


def _card(name: str, model: onnx.ModelProto) -> Card:
    return Card(
        title=name,
        task="classify",
        domain="unknown: exported from a bare graph",
        languages=(),
        input_range="unknown: exported from a bare graph",
        cannot=("nothing is known about what it was trained for: write a card.toml",),
        license="unknown",
        source=name,
        parameters=sum(int(np.prod(t.dims)) for t in model.graph.initializer),
    )
