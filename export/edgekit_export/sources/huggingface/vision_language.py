"""A folder of a vision-language model (``…ForConditionalGeneration``) as a :class:`TextModel` with eyes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edgekit.bundle.manifest import FeaturesHead, TilesInput
from edgekit.errors import ModelError
from edgekit.types import F32
from edgekit_export.architectures.architecture import check_shape
from edgekit_export.architectures.picture_family import PictureFamily
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.vision import (
    CONNECTOR_NORM,
    PROJECTION,
    VisionShape,
    check_vision,
    image_tokens,
    vision_tensor_shapes,
)
from edgekit_export.sources.eyes import Eyes
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder
from edgekit_export.sources.huggingface.picture_input import algorithm_of
from edgekit_export.sources.huggingface.processor_settings import Settings as Processor
from edgekit_export.sources.huggingface.processor_settings import read_settings
from edgekit_export.sources.huggingface.tensors import (
    Place,
    Tensors,
    list_tensors,
    refuse_others,
    take_tensors,
)
from edgekit_export.sources.huggingface.text_generation import described, read_text_tensors
from edgekit_export.sources.text_model import TextModel

_WHITE = 255
_ROUNDING = 1e-6
"""Of a factor as files write it."""


def open_hf_vision_language(folder: HfFolder, family: PictureFamily) -> TextModel:
    """Reads what a folder says of itself; tensors are read when they are asked for, as float32.

    Args:
        folder: of a class of the family.
        family: one of :data:`edgekit_export.architectures.registry.WITH_PICTURES`.

    Raises:
        ModelError: a tokenizer, processor or setting that is not supported, weights that are pickled, quantised,
            damaged, missing or too many.
        EnvironmentLacks: transformers, torch or safetensors is not installed.
    """
    said, text, vision = family.parts(folder.config, f"{folder.origin}: {CONFIG}")
    shape = family.text.read_config(text)
    check_shape(shape, folder.origin)
    eyes_shape = family.read_vision(said, vision, shape.hidden)
    check_vision(eyes_shape, folder.origin)
    listed = list_tensors(folder, family.renamed)
    read = read_text_tensors(folder, listed, family.text, shape)
    read_vision = _vision_reader(folder, listed, family, eyes_shape)
    left = {name: place for name, place in listed.items() if not place.name.startswith(family.unused)}
    refuse_others(folder, left)
    tiles = _tiles(read_settings(folder), family, eyes_shape)
    head = _head(family, said, eyes_shape, tiles.size)
    if head.placeholder >= shape.vocabulary:
        raise ModelError(
            f"{folder.origin}: {CONFIG}: the image token is {head.placeholder}, of {shape.vocabulary} tokens"
        )
    return described(
        folder,
        shape,
        read,
        domain="questions about pictures, answered in text",
        input_range="a picture and a question, in the languages that it was trained on",
        eyes=Eyes(eyes_shape, read_vision, tiles, head),
    )


def _vision_reader(
    folder: HfFolder, listed: dict[str, Place], family: PictureFamily, shape: VisionShape
) -> Callable[[str], F32]:
    wanted = vision_tensor_shapes(shape)
    if family.projects_inputs_first:
        outputs, inputs = wanted[PROJECTION]
        wanted[PROJECTION] = (inputs, outputs)
    places = take_tensors(folder, listed, {name: (name, size) for name, size in wanted.items()})
    return _VisionTensors(Tensors(folder, places), family)


@dataclass(frozen=True, slots=True)
class _VisionTensors:
    """As they are read, but for the connector's."""

    read: Tensors
    family: PictureFamily

    def __call__(self, name: str) -> F32:
        values = self.read(name)
        if name == PROJECTION and self.family.projects_inputs_first:
            return np.ascontiguousarray(values.T)
        if name == CONNECTOR_NORM:
            return values + np.float32(self.family.norm_offset)
        return values


def _tiles(settings: Processor, family: PictureFamily, shape: VisionShape) -> TilesInput:
    """How the processor prepares a picture as one tile: the whole of it (``do_image_splitting`` false)."""
    if settings.stem not in family.processors:
        raise settings.refused("image_processor_type", f"that of {' or '.join(family.processors)},")
    if not settings.on("do_resize", usual=True):
        raise settings.refused("do_resize", "true, as graphs have one input size;")
    size, longest = _sides(settings, family)
    if size > shape.image_size:
        name = "size" if longest is None else "max_image_size"
        raise settings.refused(name, f"at most {shape.image_size}, for which the tower has positions,")
    for name in ("do_rescale", "do_normalize"):
        if not settings.on(name, usual=True):
            raise settings.refused(name, "true")
    if abs(settings.number("rescale_factor", 1 / _WHITE) * _WHITE - 1) > _ROUNDING:
        raise settings.refused("rescale_factor", f"1/{_WHITE}")
    return TilesInput(
        tensor="pixel_values",
        size=size,
        longest=longest,
        split=False,
        mean=settings.channels("image_mean", settings.usual.mean),
        std=settings.channels("image_std", settings.usual.std),
        algorithm=algorithm_of(settings),
    )


def _sides(settings: Processor, family: PictureFamily) -> tuple[int, int | None]:
    """Side of a tile, and the longest side after the first scaling; ``None`` where pictures are only stretched."""
    edges = settings.edges("size", settings.usual.size)
    if family.name == "gemma3":
        if edges.keys() != {"height", "width"} or edges["height"] != edges["width"]:
            raise settings.refused("size", "height and width, both the same,")
        return edges["height"], None
    if edges.keys() != {"longest_edge"}:
        raise settings.refused("size", "longest_edge")
    most = settings.edges("max_image_size", {"longest_edge": 364})
    if most.keys() != {"longest_edge"}:
        raise settings.refused("max_image_size", "longest_edge")
    return most["longest_edge"], min(edges["longest_edge"], 4096)  # the processor enlarges no further


def _head(family: PictureFamily, said: Settings, shape: VisionShape, size: int) -> FeaturesHead:
    return FeaturesHead(
        tensor="image_features",
        tokens=image_tokens(shape, size),
        placeholder=family.placeholder_of(said),
        layout=family.name,
    )
