"""``…ForImageClassification``: a score of each label for a picture."""

from __future__ import annotations

from typing import Literal

from edgekit.bundle.manifest import ClassHead
from edgekit.errors import ModelError
from edgekit_export.sources.bare import LABELS_MEMBER, BareInput
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder, labels_member, labels_of
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.huggingface.picture_graph import (
    WEIGHTS_ONLY,
    check_channels,
    exported_graph,
    parameters_of,
    picture_graph,
)
from edgekit_export.sources.huggingface.picture_input import PictureInput, classifier_input
from edgekit_export.sources.huggingface.processor_settings import read_settings
from edgekit_export.sources.source import Source, bundle_name

_ACTIVATIONS: dict[str | None, Literal["softmax", "sigmoid"]] = {
    None: "softmax",
    "single_label_classification": "softmax",
    "multi_label_classification": "sigmoid",
}

_WEIGHTS_ONLY = {"EfficientNetForImageClassification": WEIGHTS_ONLY}
"""Swish has no code of its own and squeeze-and-excitation multiplies what it has rounded; other graphs' recipes are
chosen by what is in them."""


def build(folder: HfFolder, asked: BareInput) -> Source:
    """The source of a folder.

    Raises:
        ModelError: it gives a number and no labels, its processor cannot be followed, or as :func:`load_network` says.
        UsageError: an option would change what the folder says.
        EnvironmentLacks: transformers is not installed.
    """
    asked.refuse(folder.origin, "classify")
    labels, head = labels_of(folder), head_of(folder)
    picture = classifier_input(read_settings(folder))
    quantize = _WEIGHTS_ONLY.get(folder.architectures[0], {})
    path = folder.exported()
    if path is None:
        network = load_network(folder)
        graph = picture_graph(folder, network, picture, head, lambda given: (given.logits,), quantize)
    else:
        graph = exported_graph(folder, path, picture, head, quantize)
    check_channels(graph.model, "logits", len(labels), len(labels), folder.origin)
    return Source(
        name=bundle_name(folder.title),
        origin=folder.origin,
        task="classify",
        card=card_of(
            folder,
            "classify",
            parameters_of(graph),
            domain=f"pictures into {len(labels)} labels",
            input_range=input_range(picture),
        ),
        graphs={"model": graph},
        assets={LABELS_MEMBER: labels_member(labels)},
    )


def head_of(folder: HfFolder) -> ClassHead:
    """How the scores are read.

    Raises:
        ModelError: they are no scores of labels.
    """
    problem = folder.config.get("problem_type")
    if problem not in _ACTIVATIONS:
        known = ", ".join(name for name in _ACTIVATIONS if name)
        raise ModelError(
            f"{folder.origin}: {CONFIG}: problem_type: expected one of {known}, got {problem!r}",
            "edgekit runs classifiers",
        )
    return ClassHead(tensor="logits", labels=LABELS_MEMBER, activation=_ACTIVATIONS[problem])


def input_range(picture: PictureInput) -> str:
    """What a picture becomes, in words."""
    width, height = picture.size_wh
    return f"one picture, {width}x{height} pixels after its processor's resize"
