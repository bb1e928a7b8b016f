"""``…ForSequenceClassification``: a score of each label for a text (sentiment, topic, toxicity)."""

from __future__ import annotations

from edgekit.bundle.manifest import ClassHead
from edgekit.errors import ModelError
from edgekit_export.sources.bare import LABELS_MEMBER, BareInput
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder, labels_member, labels_of
from edgekit_export.sources.huggingface.problem_type import activation_of
from edgekit_export.sources.huggingface.text_graph import TextModel, text_source
from edgekit_export.sources.source import Source


def build(folder: HfFolder, asked: BareInput) -> Source:
    """The source of a folder.

    Raises:
        ModelError: it gives a number and no labels, or as :func:`text_source` says.
        UsageError, EnvironmentLacks: as :func:`text_source` says.
    """
    labels, problem = labels_of(folder), folder.config.get("problem_type")
    if problem == "regression" or len(labels) == 1:
        raise ModelError(
            f"{folder.origin}: gives a number and no classes: {CONFIG} has {len(labels)} label(s), "
            f"problem_type {problem}",
            "edgekit runs classifiers of two labels and more",
        )
    head = ClassHead(tensor="scores", labels=LABELS_MEMBER, activation=activation_of(folder))
    several = "several may hold at once" if problem == "multi_label_classification" else "one of them holds"
    return text_source(
        folder,
        asked,
        TextModel(
            task="classify",
            head=head,
            result=lambda given, _mask: given.logits,
            max_tokens=None,
            domain=f"texts into {len(labels)} labels, of which {several}",
            cannot=("say that none of its labels fits",) if problem != "multi_label_classification" else (),
            assets={LABELS_MEMBER: labels_member(labels)},
        ),
    )
