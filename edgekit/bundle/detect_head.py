"""The manifest's head of object detectors: where scores and boxes stand in a graph's outputs, and their code.

One head covers detectors of one map (FastestDet), of several with boxes decoded in the graph or not (YOLO,
PicoDet), of anchors (BlazeFace), of centres (CenterNet) and of queries (DETR and its kin): they differ in the
code of their boxes, in what a score is made of, and in what is left out. ``docs/bundle-processing.md`` says exactly
how.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from edgekit.bundle.fields import Count, Line, MemberPath, Pixels, Share, Strict


class Part(Strict, frozen=True):
    """Consecutive channels of an output, for every position.

    Attributes:
        tensor: name of the output.
        start: the first channel.
        channels: which axis the channels are: ``first`` after the batch, or the ``last``. The other axes, in
            their order, are the positions.
        activation: of these channels, for scores only. ``softmax`` is over them.
    """

    tensor: Line
    start: Count = 0
    channels: Literal["first", "last"] = "first"
    activation: Literal["softmax", "sigmoid", "none"] = "none"


class Level(Strict, frozen=True):
    """One map of positions, or one list of them.

    Attributes:
        scores: one channel a class.
        boxes: as the head's ``boxes`` says.
        objectness: one channel: how sure it is that anything is there.
        offset: two channels, for ``sizes``: where in its cell the centre lies.
        stride: input pixels a cell, for boxes that are relative to one.
        anchors: positions of each cell, one behind the other.
        first: the level's first position, where outputs hold several levels one behind the other.
    """

    scores: Part
    boxes: Part
    objectness: Part | None = None
    offset: Part | None = None
    stride: Pixels = 1
    anchors: Annotated[int, Meta(ge=1, le=64)] = 1
    first: Count = 0


class AbsoluteBoxes(Strict, frozen=True, tag="absolute", tag_field="code"):
    """Four numbers in the graph's input: in ``pixel``, or as a ``share`` of its sides."""

    order: Literal["xyxy", "cxcywh"]
    unit: Literal["pixel", "share"]


class TanhBoxes(Strict, frozen=True, tag="tanh", tag_field="code"):
    """Centre relative to the cell by tanh, size as a share of the input by a sigmoid (FastestDet)."""


class DistanceBoxes(Strict, frozen=True, tag="distances", tag_field="code"):
    """Distances of left, top, right and bottom edge from a point of the cell.

    Attributes:
        bins: numbers a side. More than one are a distribution over 0 … bins − 1 whose mean is the distance
            (arXiv 2006.04388, section 3.2).
        unit: of the distance: ``stride``, or ``pixel`` of the input.
        point: where in its cell the point lies: 0.5 is the middle.
    """

    bins: Annotated[int, Meta(ge=1, le=256)] = 1
    unit: Literal["stride", "pixel"] = "stride"
    point: Share = 0.5


class SizeBoxes(Strict, frozen=True, tag="sizes", tag_field="code"):
    """Width and height around a centre: the cell's corner and the level's ``offset`` (arXiv 1904.07850)."""

    unit: Literal["stride", "pixel"] = "stride"


class OffsetBoxes(Strict, frozen=True, tag="offsets", tag_field="code"):
    """Centre relative to a point of the cell, width and height: anchors without sizes (arXiv 1907.05047, section 3.2).

    Attributes:
        unit: of all four: ``stride``, or ``pixel`` of the input.
        point: where in its cell the point lies: 0.5 is the middle.
    """

    unit: Literal["stride", "pixel"] = "stride"
    point: Share = 0.5


BoxCode: TypeAlias = AbsoluteBoxes | TanhBoxes | DistanceBoxes | SizeBoxes | OffsetBoxes

Power: TypeAlias = Annotated[float, Meta(gt=0, le=4)]


class DetectHead(Strict, frozen=True, tag="detect_head", tag_field="op"):
    """Objects: their class, score and box.

    Attributes:
        levels: what is read; candidates of all levels compete.
        labels: member with one label a line.
        boxes: code of the boxes.
        min_score: candidates below it are left out. Low ones count for average precision.
        found_score: from here on an object counts as found, where one must say: to show, to decide.
        background: a channel of ``scores`` that is no class: ``first``, ``last`` or ``none``.
        classes: ``best``: a position is a candidate for its best class; ``all``: for each.
        peaks: only positions whose score is the highest of the 3 × 3 around it, a class each, are candidates.
        objectness_power: exponent of the objectness in the score.
        score_power: exponent of the class's score in the score.
        max_candidates: so many best candidates are looked at.
        iou_threshold: a candidate that overlaps a better one of its class by more is left out; null keeps all.
        overlaps: what becomes of those: ``drop``, or ``blend``: the better one's box is the mean of its own and, from
            ``found_score`` on, theirs, by their scores (arXiv 1907.05047, section 3.4).
        max_objects: so many are given at the most.
    """

    levels: Annotated[tuple[Level, ...], Meta(min_length=1, max_length=16)]
    labels: MemberPath
    boxes: BoxCode
    min_score: Share
    found_score: Share = 0.3
    background: Literal["none", "first", "last"] = "none"
    classes: Literal["best", "all"] = "best"
    peaks: bool = False
    objectness_power: Power = 1.0
    score_power: Power = 1.0
    max_candidates: Annotated[int, Meta(ge=1, le=10000)] = 1000
    iou_threshold: Share | None = None
    overlaps: Literal["drop", "blend"] = "drop"
    max_objects: Annotated[int, Meta(ge=1, le=10000)] = 100

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts of all levels."""
        parts = ((one.scores, one.boxes, one.objectness, one.offset) for one in self.levels)
        return tuple(part for level in parts for part in level if part is not None)
