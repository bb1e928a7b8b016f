"""The head of a detector that comes as a bare graph, where names and shapes of its outputs leave no doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import onnx
from msgspec.structs import replace

from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, Level, Part
from edgekit.errors import DataError, EdgekitError, ModelError, UsageError
from edgekit_export.convert.shapes import fix_input_shape, infer_shapes

_STRIDES = (8, 16, 32)
_ANCHORS = 3  # of each cell, of a YOLO with anchors
_REMEDY = (
    "write a recipe.toml with a detect_head (docs/bundle-processing.md, section 4.3): levels with the outputs of "
    "scores and boxes, and the code of the boxes"
)

Resize = Literal["letterbox", "stretch"]


@dataclass(frozen=True, slots=True)
class BareHead:
    """What the outputs say.

    Attributes:
        head: how they are read.
        classes: how many labels it needs.
        resize: how such networks are given their pictures, unless told otherwise.
    """

    head: DetectHead
    classes: int
    resize: Resize


def infer_head(
    model: onnx.ModelProto, name: str, size_wh: tuple[int, int], labels: str, known: int | None
) -> BareHead:
    """Reads the head off a graph.

    - one output ``(1, 4 + classes, cells)``: a YOLO without anchors, boxes as centre and size in pixels;
    - one output ``(1, 3 cells, 5 + classes)``: a YOLO with three anchors a cell, with objectness;
    - ``logits`` and ``pred_boxes``, ``(1, queries, …)``: DETR and its kin, as transformers exports them. With one
      channel more than labels, softmax and no object last; with as many, sigmoids.

    Args:
        model: with one input of pictures.
        name: what to call it in messages.
        size_wh: of its input.
        labels: path of the labels' member.
        known: how many labels the user gave.

    Raises:
        ModelError: other outputs.
        UsageError: labels are needed to tell.
        DataError: another number of labels than classes.
    """
    shapes = _outputs(model, size_wh)
    cells = sum(-(-size_wh[0] // s) * -(-size_wh[1] // s) for s in _STRIDES)
    found = _yolo(shapes, cells, labels) if len(shapes) == 1 else None
    if found is None and shapes.keys() >= {"logits", "pred_boxes"}:
        found = _queries(shapes["logits"], name, labels, known)
    if found is None:
        listed = ", ".join(f"{key} {tuple(shape)}" for key, shape in shapes.items())
        raise ModelError(f"{name}: cannot tell how its outputs are read as objects: {listed}", _REMEDY)
    if known is not None and known != found.classes:
        raise DataError(f"{name}: expected {found.classes} labels, one a line, got {known}")
    return found


def _outputs(model: onnx.ModelProto, size_wh: tuple[int, int]) -> Mapping[str, list[int]]:
    """Shapes of the outputs for one picture of that size; 0 where a side is not known."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    constants = {tensor.name for tensor in made.graph.initializer}
    (picture,) = [value.name for value in made.graph.input if value.name not in constants]
    fix_input_shape(made, picture, (1, 3, size_wh[1], size_wh[0]))
    infer_shapes(made)
    return {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in made.graph.output}


def _yolo(shapes: Mapping[str, list[int]], cells: int, labels: str) -> BareHead | None:
    (name, shape), *_ = shapes.items()
    if len(shape) != 3 or shape[0] != 1:
        return None
    boxes = AbsoluteBoxes(order="cxcywh", unit="pixel")
    if shape[2] == cells and shape[1] > 4:
        level = Level(scores=Part(tensor=name, start=4), boxes=Part(tensor=name))
        return BareHead(_head(level, boxes, labels, iou_threshold=0.7), shape[1] - 4, "letterbox")
    if shape[1] == _ANCHORS * cells and shape[2] > 5:
        level = Level(
            scores=Part(tensor=name, start=5, channels="last"),
            boxes=Part(tensor=name, channels="last"),
            objectness=Part(tensor=name, start=4, channels="last"),
        )
        return BareHead(_head(level, boxes, labels, iou_threshold=0.6), shape[2] - 5, "letterbox")
    return None


def _queries(shape: list[int], name: str, labels: str, known: int | None) -> BareHead:
    channels = shape[-1]
    if known is None or known not in (channels, channels - 1):
        told = "" if known is None else f", got {known} labels"
        error: type[EdgekitError] = UsageError if known is None else DataError
        raise error(
            f"{name}: logits have {channels} channels: {channels} classes with a sigmoid each, or {channels - 1} and "
            f"no object with a softmax{told}",
            "add --labels FILE, one a line",
        )
    softmax = known == channels - 1
    level = Level(
        scores=Part(tensor="logits", channels="last", activation="softmax" if softmax else "sigmoid"),
        boxes=Part(tensor="pred_boxes", channels="last"),
    )
    head = _head(level, AbsoluteBoxes(order="cxcywh", unit="share"), labels, iou_threshold=None)
    # DETR takes each query's best class, its kin with sigmoids the best of all queries and classes.
    best = {"background": "last"} if softmax else {"classes": "all", "max_objects": 300}
    return BareHead(replace(head, found_score=0.5, **best), int(known), "stretch")


def _head(level: Level, boxes: AbsoluteBoxes, labels: str, iou_threshold: float | None) -> DetectHead:
    return DetectHead(
        levels=(level,), labels=labels, boxes=boxes, min_score=0.01, iou_threshold=iou_threshold
    )
