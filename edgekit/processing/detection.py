"""A detector's outputs become boxes, by the head that the bundle names (``bundle.detect_head.DetectHead``).

``docs/bundle-processing.md``, section 4.3, is the same in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.bundle.detect_head import (
    AbsoluteBoxes,
    DetectHead,
    DistanceBoxes,
    Level,
    OffsetBoxes,
    Part,
    SizeBoxes,
    TanhBoxes,
)
from edgekit.errors import BundleError
from edgekit.processing.activations import activate
from edgekit.processing.boxes import from_centers, has_area
from edgekit.processing.nms import blend, nms, ranked
from edgekit.types import F32, Array

Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Boxes before or after a selection.

    Attributes:
        xyxy: ``(n, 4)`` float32, pixels of the graph's input.
        score: ``(n,)`` float32.
        index: ``(n,)`` int32, class of each.
    """

    xyxy: F32
    score: F32
    index: Array

    def picked(self, which: Array) -> Candidates:
        """Those at ``which``, positions or a mask."""
        return Candidates(self.xyxy[which], self.score[which], self.index[which])


def detect(outputs: Outputs, head: DetectHead, classes: int, input_wh: tuple[int, int]) -> Candidates:
    """Objects in a graph's outputs, best first.

    Args:
        outputs: name → array, one picture.
        head: how they are read.
        classes: number of labels.
        input_wh: width and height of the graph's input.

    Raises:
        BundleError: an output is missing, or does not have the shape that the head asks for.
    """
    levels = [_candidates(outputs, head, level, classes, input_wh) for level in head.levels]
    found = Candidates(
        np.concatenate([one.xyxy for one in levels]),
        np.concatenate([one.score for one in levels]),
        np.concatenate([one.index for one in levels]),
    )
    found = found.picked(has_area(found.xyxy))
    found = found.picked(ranked(found.score)[: head.max_candidates])
    if head.iou_threshold is not None:
        found = _thinned(found, head, head.iou_threshold)
    return found.picked(np.arange(min(len(found.score), head.max_objects)))


def _thinned(found: Candidates, head: DetectHead, iou_threshold: float) -> Candidates:
    """Without those that overlap better ones."""
    if head.overlaps == "drop":
        return found.picked(nms(found.xyxy, found.score, found.index, iou_threshold))
    stays, xyxy = blend(found.xyxy, found.score, found.index, iou_threshold, head.found_score)
    return Candidates(xyxy, found.score[stays], found.index[stays])


def _candidates(
    outputs: Outputs, head: DetectHead, level: Level, classes: int, input_wh: tuple[int, int]
) -> Candidates:
    """All candidates of a level that reach ``min_score``, position by position."""
    raw = _own_positions(_class_channels(outputs, head, level, classes), head, level)
    grid_wh = -(-input_wh[0] // level.stride), -(-input_wh[1] // level.stride)
    if not isinstance(head.boxes, AbsoluteBoxes) and len(raw) != grid_wh[0] * grid_wh[1] * level.anchors:
        each = f" x {level.anchors}" if level.anchors > 1 else ""
        raise BundleError(
            f"output {level.scores.tensor}: expected {grid_wh[0]} x {grid_wh[1]}{each} positions "
            f"(stride {level.stride}), got {len(raw)}"
        )
    named = raw[:, 1:] if head.background == "first" else raw[:, :classes]
    if head.classes == "best":
        place, index = np.arange(len(raw)), named.argmax(axis=1)
    else:
        place, index = np.nonzero(named >= _least_value(head, level))
    if head.peaks:
        is_peak = _peaks(named.reshape(grid_wh[1], grid_wh[0], classes), place, index)
        place, index = place[is_peak], index[is_peak]
    score = _scores(outputs, head, level, raw, place, index)
    reached = score >= np.float32(head.min_score)
    place, index = place[reached], index[reached]
    boxes = _boxes(outputs, head, level, place, grid_wh[0], input_wh)
    return Candidates(boxes, score[reached], index.astype(np.int32))


def _own_positions(values: F32, head: DetectHead, level: Level) -> F32:
    """Those of a level, of an output that may hold several."""
    firsts = [other.first for other in head.levels if other.scores.tensor == level.scores.tensor]
    return values[level.first : min((first for first in firsts if first > level.first), default=None)]


def _class_channels(outputs: Outputs, head: DetectHead, level: Level, classes: int) -> F32:
    """``(positions, channels)`` of the classes as the graph gives them, background included."""
    part, channels = level.scores, classes + (head.background != "none")
    raw = _read(outputs, part, channels)
    others = {p.start for p in head.parts if p.tensor == part.tensor}
    shape = outputs[part.tensor].shape
    total = shape[1] if part.channels == "first" else shape[-1]
    if part.start + channels not in {total, *others}:
        raise BundleError(
            f"output {part.tensor}: {total - part.start} channels from {part.start} on, "
            f"expected {channels} for {classes} labels"
        )
    return raw


def _least_value(head: DetectHead, level: Level) -> float:
    """A value that a class must have for its score to reach ``min_score``, not above the true one.

    Most values lie far below: what is sorted out here needs no activation.
    """
    if level.objectness is not None or level.scores.activation == "softmax":
        return -np.inf
    least = head.min_score
    if level.scores.activation == "none":
        return least * (1 - _MARGIN)
    if not 0 < least < 1:
        return -np.inf if least <= 0 else _LARGE_LOGIT
    return float(np.log(least / (1 - least))) - _MARGIN


_MARGIN = 1e-3
_LARGE_LOGIT = 10.0
"""Below it no float32 sigmoid is 1."""


def _scores(outputs: Outputs, head: DetectHead, level: Level, raw: F32, place: Array, index: Array) -> F32:
    """``(n,)`` scores of class ``index`` at position ``place``."""
    channel = index + (head.background == "first")
    if level.scores.activation == "softmax":
        score = activate(raw[place], "softmax")[np.arange(len(place)), channel]
    else:
        score = activate(raw[place, channel], level.scores.activation)
    if head.score_power != 1:
        score = np.power(score, np.float32(head.score_power))
    if level.objectness is None:
        return np.asarray(score, np.float32)
    objectness = _rows(outputs, level.objectness, 1, place + level.first)[:, 0]
    objectness = activate(objectness, level.objectness.activation)
    if head.objectness_power != 1:
        objectness = np.power(objectness, np.float32(head.objectness_power))
    return np.asarray(score * objectness, np.float32)


def part_values(outputs: Outputs, head: DetectHead, side: int = 1) -> F32:
    """``(n,)`` all values that a head reads, behind their activations: part by part, level by level.

    Boxes in pixels are given as shares of ``side``, so that all values are of a size.
    """
    lengths = {level.boxes for level in head.levels if getattr(head.boxes, "unit", "") == "pixel"}
    values = []
    for part in dict.fromkeys(head.parts):
        shape = outputs[part.tensor].shape
        later = [p.start for p in head.parts if p.tensor == part.tensor and p.start > part.start]
        end = min(later, default=shape[1] if part.channels == "first" else shape[-1])
        found = activate(_read(outputs, part, end - part.start), part.activation).reshape(-1)
        values.append(found / np.float32(side) if part in lengths else found)
    return np.concatenate(values)


def _read(outputs: Outputs, part: Part, channels: int) -> F32:
    """``(positions, channels)`` float32 of an output."""
    if part.tensor not in outputs:
        raise BundleError(f"expected an output {part.tensor}, got {', '.join(outputs)}")
    output = outputs[part.tensor]
    axis = 1 if part.channels == "first" else output.ndim - 1
    if output.ndim < 2 or output.shape[0] != 1 or output.shape[axis] < part.start + channels:
        raise BundleError(
            f"output {part.tensor}: expected one picture and channels {part.start} to "
            f"{part.start + channels - 1} {part.channels}, got shape {output.shape}"
        )
    rows = output.reshape(output.shape[1], -1).T if axis == 1 else output.reshape(-1, output.shape[-1])
    return np.asarray(rows[:, part.start : part.start + channels], np.float32)


def _peaks(values: F32, place: Array, index: Array) -> Array:
    """Whether each candidate is the highest of the 3 × 3 around it; ``values`` is ``(rows, columns, classes)``."""
    rows, columns = values.shape[:2]
    row, column = np.divmod(place, columns)
    own = values[row, column, index]
    highest = np.ones(len(place), bool)
    for down, right in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        y, x = np.clip(row + down, 0, rows - 1), np.clip(column + right, 0, columns - 1)
        highest &= own >= values[y, x, index]
    return highest


def _boxes(
    outputs: Outputs, head: DetectHead, level: Level, place: Array, columns: int, input_wh: tuple[int, int]
) -> F32:
    """``(n, 4)`` boxes of the positions ``place``."""
    code, stride = head.boxes, np.float32(level.stride)
    bins = code.bins if isinstance(code, DistanceBoxes) else 1
    channels = 2 if isinstance(code, SizeBoxes) else 4 * bins
    raw = _rows(outputs, level.boxes, channels, place + level.first)
    cell = np.stack(np.divmod(place // level.anchors, columns)[::-1], axis=1).astype(np.float32)
    whole = np.asarray(input_wh, np.float32)
    match code:
        case AbsoluteBoxes():
            scaled = raw * np.tile(whole, 2) if code.unit == "share" else raw
            return from_centers(scaled) if code.order == "cxcywh" else scaled
        case TanhBoxes():
            centers = (cell + np.tanh(raw[:, :2])) * stride
            return from_centers(np.hstack([centers, activate(raw[:, 2:], "sigmoid") * whole]))
        case DistanceBoxes():
            reach = _mean_of(raw, bins) * (stride if code.unit == "stride" else np.float32(1))
            point = (cell + np.float32(code.point)) * stride
            return np.hstack([point - reach[:, :2], point + reach[:, 2:]])
        case SizeBoxes():
            if level.offset is not None:
                cell = cell + _rows(outputs, level.offset, 2, place + level.first)
            sizes = raw * (stride if code.unit == "stride" else np.float32(1))
            return from_centers(np.hstack([cell * stride, sizes]))
        case OffsetBoxes():
            scaled = raw * (stride if code.unit == "stride" else np.float32(1))
            point = (cell + np.float32(code.point)) * stride
            return from_centers(np.hstack([point + scaled[:, :2], scaled[:, 2:]]))


def _rows(outputs: Outputs, part: Part, channels: int, place: Array) -> F32:
    """Values at the positions ``place``."""
    values = _read(outputs, part, channels)
    if place.size and place[-1] >= len(values):
        raise BundleError(
            f"output {part.tensor}: expected more than {place[-1]} positions, got {len(values)}"
        )
    return values[place]


def _mean_of(raw: F32, bins: int) -> F32:
    """``(n, 4)`` distances; with more than one bin, the means of distributions over 0 … bins − 1."""
    if bins == 1:
        return raw
    shares = activate(raw.reshape(-1, 4, bins), "softmax")
    return np.asarray(shares @ np.arange(bins, dtype=np.float32), np.float32)
