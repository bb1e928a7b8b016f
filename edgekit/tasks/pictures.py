"""Graphs that are given pictures, for tasks of pictures alone."""

from __future__ import annotations

from edgekit.bundle.manifest import ImageInput, Model, Variant
from edgekit.errors import BundleError


def image_input(model: Model, task: str, variant: Variant) -> ImageInput:
    """The input of a graph that is given pictures.

    Raises:
        BundleError: it is given something else.
    """
    if not isinstance(model.input, ImageInput):
        kind = model.input.__struct_config__.tag
        raise BundleError(
            f"variant {variant.name}: {task} expects graphs of pictures, {model.path} takes a {kind}"
        )
    return model.input
