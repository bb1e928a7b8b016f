"""The source that a folder of a model of pictures is: its graph and labels, with a card."""

from __future__ import annotations

from edgekit_export.sources.bare import LABELS_MEMBER
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import HfFolder, labels_member
from edgekit_export.sources.huggingface.picture_graph import parameters_of
from edgekit_export.sources.huggingface.picture_input import PictureInput
from edgekit_export.sources.source import Source, SourceGraph, bundle_name


def picture_source(
    folder: HfFolder,
    task: str,
    graph: SourceGraph,
    picture: PictureInput,
    labels: tuple[str, ...],
    domain: str,
) -> Source:
    """Of one graph.

    Args:
        folder: that it came from.
        task: of edgekit.
        graph: whose head reads the member ``LABELS_MEMBER``.
        picture: how a picture goes in.
        labels: of its classes.
        domain: for the card.
    """
    width, height = picture.size_wh
    return Source(
        name=bundle_name(folder.title),
        origin=folder.origin,
        task=task,
        card=card_of(
            folder,
            task,
            parameters_of(graph),
            domain=domain,
            input_range=f"one picture, {width}x{height} pixels after its processor's resize",
        ),
        graphs={"model": graph},
        assets={LABELS_MEMBER: labels_member(labels)},
    )
