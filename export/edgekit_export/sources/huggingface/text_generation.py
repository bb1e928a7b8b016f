"""A folder of a language model (``…ForCausalLM``) as a :class:`TextModel`, its tensors read one at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit.types import F32
from edgekit_export.architectures.architecture import Architecture, check_shape, tensor_shapes
from edgekit_export.architectures.registry import by_class
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import HEAD, DecoderShape
from edgekit_export.sources.huggingface.card import card_of
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder
from edgekit_export.sources.huggingface.network import REMEDY, check_whole
from edgekit_export.sources.huggingface.text_words import read_words
from edgekit_export.sources.notices import license_notices
from edgekit_export.sources.source import bundle_name
from edgekit_export.sources.text_model import CANNOT, TextModel

_FLOATS = ("F32", "F16", "BF16")
_COMPUTED = "rotary_emb.inv_freq"
"""Tables that checkpoints of 2023 store and transformers computes anew."""


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
    if (how := folder.config.get("quantization_config")) is not None:
        kind = how.get("quant_method") if isinstance(how, dict) else how
        raise ModelError(
            f"{folder.origin}: {CONFIG}: its weights are quantised ({str(kind)[:80]}), expected floats",
            "take the model that it was made of, or a GGUF file",
        )
    check_whole(folder)
    places = _places(folder, architecture, shape)
    words = read_words(folder, shape.vocabulary)
    parameters = sum(math.prod(size) for size in tensor_shapes(shape).values())
    card = card_of(
        folder,
        "generate",
        parameters,
        domain="text, continued",
        input_range="text in the languages that it was trained on",
        cannot=(CANNOT,),
    )
    notices = license_notices(card.license)
    return TextModel(
        name=bundle_name(folder.title),
        origin=folder.origin,
        shape=shape,
        read=_Tensors(folder, architecture.norm_offset, places),
        words=words,
        card=msgspec.structs.replace(card, notices=tuple(notices)),
        sha256=folder.weights_sha256(),
        notices=notices,
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """A tensor's file and its name there."""

    file: Path
    name: str


def _places(folder: HfFolder, architecture: Architecture, shape: DecoderShape) -> dict[str, _Place]:
    """Our name → place of each tensor: all that the architecture has, of the right shape, and no others."""
    files, sizes = _listed(folder)
    found: dict[str, _Place] = {}
    for name, size in tensor_shapes(shape).items():
        theirs = architecture.hf_name(name)
        if theirs not in files:
            raise ModelError(f"{folder.origin}: has no tensor {theirs}", "its weights are not whole")
        if sizes[theirs] != size:
            raise ModelError(f"{folder.origin}: tensor {theirs}: expected shape {size}, got {sizes[theirs]}")
        found[name] = _Place(files[theirs], theirs)
    known = {place.name for place in found.values()} | ({HEAD} if shape.tied else set())
    others = sorted(name for name in files.keys() - known if not name.endswith(_COMPUTED))
    if others:
        raise ModelError(
            f"{folder.origin}: has {len(others)} tensors that {architecture.classes[0]} is not supported with, "
            f"first {others[0][:80]!r}"
        )
    return found


def _listed(folder: HfFolder) -> tuple[dict[str, Path], dict[str, tuple[int, ...]]]:
    """Files and shapes of all tensors, by the names in the files themselves."""
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise EnvironmentLacks(f"{folder.origin}: {error}", REMEDY) from error
    files: dict[str, Path] = {}
    sizes: dict[str, tuple[int, ...]] = {}
    for path in folder.weights():
        with safe_open(path, "numpy") as opened:
            for name in opened.keys():  # noqa: SIM118 (no mapping)
                if name in files:
                    raise ModelError(f"{folder.origin}: tensor {name[:80]!r} is in two files")
                part = opened.get_slice(name)
                if part.get_dtype() not in _FLOATS:
                    raise ModelError(
                        f"{folder.origin}: tensor {name[:80]!r}: expected {', '.join(_FLOATS)}, "
                        f"got {part.get_dtype()}"
                    )
                files[name], sizes[name] = path, tuple(part.get_shape())
    return files, sizes


@dataclass(frozen=True, slots=True)
class _Tensors:
    """Reads one tensor at a time, by our name."""

    folder: HfFolder
    norm_offset: float
    places: Mapping[str, _Place]

    def __call__(self, name: str) -> F32:
        from safetensors import safe_open

        place = self.places.get(name)
        if place is None:
            raise ModelError(f"{self.folder.origin}: has no tensor {name}")
        with safe_open(place.file, "pt") as opened:  # numpy has no bfloat16
            values: F32 = opened.get_tensor(place.name).float().numpy()
        if not np.isfinite(values).all():
            raise ModelError(f"{self.folder.origin}: tensor {place.name}: has values that are not finite")
        if values.ndim == 1 and self.norm_offset:
            values = values + np.float32(self.norm_offset)
        return values
