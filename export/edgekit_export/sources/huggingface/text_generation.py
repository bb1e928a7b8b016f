"""A folder of a language model (``…ForCausalLM``) as a :class:`TextModel`, its tensors read one at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from edgekit.types import F32
from edgekit_export.architectures.architecture import Architecture, check_shape, tensor_shapes
from edgekit_export.architectures.registry import by_class
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import HEAD, DecoderShape
from edgekit_export.architectures.vision import vision_tensor_shapes
from edgekit_export.sources.eyes import Eyes
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder
from edgekit_export.sources.huggingface.tensors import (
    Place,
    Tensors,
    list_tensors,
    refuse_others,
    take_tensors,
)
from edgekit_export.sources.huggingface.text_words import read_words
from edgekit_export.sources.notices import license_notices
from edgekit_export.sources.source import bundle_name
from edgekit_export.sources.text_model import CANNOT, TextModel


def open_hf_text(folder: HfFolder) -> TextModel:
    """Reads what a folder says of itself; tensors are read when they are asked for, as float32.

    Args:
        folder: of a class with an architecture of :mod:`edgekit_export.architectures.registry`.

    Raises:
        ModelError: an architecture, tokenizer or setting that is not supported, weights that are pickled, quantised,
            damaged, missing or too many.
        EnvironmentLacks: transformers, torch or safetensors is not installed.
    """
    architecture = by_class(folder.architectures[0], folder.origin)
    shape = architecture.read_config(Settings(folder.config, f"{folder.origin}: {CONFIG}"))
    check_shape(shape, folder.origin)
    listed = list_tensors(folder)
    read = read_text_tensors(folder, listed, architecture, shape)
    refuse_others(folder, listed)
    return described(
        folder,
        shape,
        read,
        domain="text, continued",
        input_range="text in the languages that it was trained on",
    )


def described(
    folder: HfFolder,
    shape: DecoderShape,
    read: Callable[[str], F32],
    *,
    domain: str,
    input_range: str,
    eyes: Eyes | None = None,
) -> TextModel:
    """The checkpoint with its words, its card and its notices.

    Args:
        folder: of the checkpoint.
        shape, read: of the decoder.
        domain, input_range: for the card.
        eyes: with which it also looks at pictures.

    Raises:
        ModelError: a tokenizer that is not supported.
    """
    sizes = [*tensor_shapes(shape).values(), *(vision_tensor_shapes(eyes.shape).values() if eyes else ())]
    parameters = sum(math.prod(size) for size in sizes)
    task = "vision_language" if eyes else "generate"
    card = card_of(folder, task, parameters, domain=domain, input_range=input_range, cannot=(CANNOT,))
    notices = license_notices(card.license)
    return TextModel(
        name=bundle_name(folder.title),
        origin=folder.origin,
        shape=shape,
        read=read,
        words=read_words(folder, shape.vocabulary),
        card=msgspec.structs.replace(card, notices=tuple(notices)),
        sha256=folder.weights_sha256(),
        notices=notices,
        eyes=eyes,
    )


def read_text_tensors(
    folder: HfFolder, listed: dict[str, Place], architecture: Architecture, shape: DecoderShape
) -> Callable[[str], F32]:
    """What reads a decoder's tensors, which are taken out of those that are listed.

    Raises:
        ModelError: one is missing, or has another shape.
    """
    sizes = tensor_shapes(shape)
    places = take_tensors(
        folder, listed, {name: (architecture.hf_name(name), size) for name, size in sizes.items()}
    )
    if shape.tied:
        listed.pop(HEAD, None)
    return _TextTensors(Tensors(folder, places), architecture.norm_offset)


@dataclass(frozen=True, slots=True)
class _TextTensors:
    """As they are read, but for norms: what they have here above what transformers' files have."""

    read: Tensors
    norm_offset: float

    def __call__(self, name: str) -> F32:
        values = self.read(name)
        if values.ndim == 1 and self.norm_offset:
            values = values + np.float32(self.norm_offset)
        return values
