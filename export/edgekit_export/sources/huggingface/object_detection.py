"""``…ForObjectDetection``: boxes, each with a score of each label, from queries (DETR and its kin, YOLOS)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec.structs import replace

from edgekit.bundle.detect_head import AbsoluteBoxes, DetectHead, Level, Part
from edgekit.errors import ModelError, UsageError
from edgekit_export.sources.bare import LABELS_MEMBER, BareInput
from edgekit_export.sources.huggingface.folder import HfFolder, labels_of
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.huggingface.picture_graph import (
    WEIGHTS_ONLY,
    check_channels,
    exported_graph,
    picture_graph,
)
from edgekit_export.sources.huggingface.picture_input import detector_input
from edgekit_export.sources.huggingface.picture_source import picture_source
from edgekit_export.sources.huggingface.processor_settings import read_settings
from edgekit_export.sources.source import Source

SOFTMAX = ("Detr", "TableTransformer", "Yolos")
SIGMOID = ("RTDetr", "RTDetrV2", "DFine", "ConditionalDetr", "DeformableDetr")
"""Stems of classes: one class or no object a query, or each class by itself."""


def build(folder: HfFolder, asked: BareInput) -> Source:
    """The source of a folder.

    Raises:
        ModelError: an architecture whose outputs are not known here, a processor that cannot be followed, or as
            :func:`load_network` says.
        UsageError: an option would change what the folder says.
        EnvironmentLacks: transformers is not installed.
    """
    asked.refuse(folder.origin, "detect", allowed=("size", "resize"))
    labels = labels_of(folder)
    head = head_of(folder)
    picture = detector_input(read_settings(folder), asked.size, resize_of(asked))
    path = folder.exported()
    if path is None:
        graph = picture_graph(folder, load_network(folder), picture, head, _result, WEIGHTS_ONLY)
    else:
        graph = exported_graph(folder, path, picture, head, WEIGHTS_ONLY)
    read = graph.spec.head
    assert isinstance(read, DetectHead)
    channels = len(labels) + (head.background != "none")
    check_channels(graph.model, read.levels[0].scores.tensor, channels, len(labels), folder.origin)
    return picture_source(
        folder, "detect", graph, picture, labels, f"objects of {len(labels)} labels in pictures"
    )


def _result(given: Any) -> tuple[Any, Any]:  # noqa: ANN401
    return given.logits, given.pred_boxes


def resize_of(asked: BareInput) -> Literal["stretch", "letterbox"]:
    """How pictures of another ratio are brought to the graph's size.

    Raises:
        UsageError: by a crop, which loses objects.
    """
    if asked.resize == "crop":
        raise UsageError(
            "--resize crop: a detector is given the whole picture", "choose stretch or letterbox"
        )
    return "letterbox" if asked.resize == "letterbox" else "stretch"


def head_of(folder: HfFolder) -> DetectHead:
    """How the queries are read, as the processor's ``post_process_object_detection`` does.

    Raises:
        ModelError: an architecture whose outputs are not known here.
    """
    stem = folder.architectures[0].removesuffix("ForObjectDetection")
    if stem not in (*SOFTMAX, *SIGMOID):
        names = ", ".join(f"{name}ForObjectDetection" for name in (*SOFTMAX, *SIGMOID))
        raise ModelError(
            f"{folder.origin}: how {folder.architectures[0]} is read is not known", f"known are {names}"
        )
    softmax = stem in SOFTMAX or folder.config.get("use_focal_loss") is False
    activation: Literal["softmax", "sigmoid"] = "softmax" if softmax else "sigmoid"
    head = DetectHead(
        levels=(
            Level(
                scores=Part(tensor="logits", channels="last", activation=activation),
                boxes=Part(tensor="pred_boxes", channels="last"),
            ),
        ),
        labels=LABELS_MEMBER,
        boxes=AbsoluteBoxes(order="cxcywh", unit="share"),
        min_score=0.01,
        found_score=0.5,
    )
    if softmax:
        return replace(head, background="last")
    return replace(head, classes="all", max_objects=int(folder.config.get("num_queries") or 300))
