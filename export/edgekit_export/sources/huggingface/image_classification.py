"""``…ForImageClassification``: a score of each label for a picture."""

from __future__ import annotations

from edgekit.bundle.manifest import ClassHead
from edgekit_export.sources.bare import LABELS_MEMBER, BareInput
from edgekit_export.sources.huggingface.folder import HfFolder, labels_of
from edgekit_export.sources.huggingface.network import load_network
from edgekit_export.sources.huggingface.picture_graph import (
    WEIGHTS_ONLY,
    check_channels,
    exported_graph,
    picture_graph,
)
from edgekit_export.sources.huggingface.picture_input import classifier_input
from edgekit_export.sources.huggingface.picture_source import picture_source
from edgekit_export.sources.huggingface.problem_type import activation_of
from edgekit_export.sources.huggingface.processor_settings import read_settings
from edgekit_export.sources.source import Source

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
    labels = labels_of(folder)
    head = ClassHead(tensor="logits", labels=LABELS_MEMBER, activation=activation_of(folder))
    picture = classifier_input(read_settings(folder))
    quantize = _WEIGHTS_ONLY.get(folder.architectures[0], {})
    path = folder.exported()
    if path is None:
        network = load_network(folder)
        graph = picture_graph(folder, network, picture, head, lambda given: (given.logits,), quantize)
    else:
        graph = exported_graph(folder, path, picture, head, quantize)
    check_channels(graph.model, "logits", len(labels), len(labels), folder.origin)
    domain = f"pictures into {len(labels)} labels"
    return picture_source(folder, "classify", graph, picture, labels, domain)
