"""The tensors of a folder's safetensors files: what they are, and one of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit.errors import EnvironmentLacks, ModelError
from edgekit.types import F32
from edgekit_export.sources.huggingface.folder import CONFIG, HfFolder
from edgekit_export.sources.huggingface.network import REMEDY, check_whole

_FLOATS = ("F32", "F16", "BF16")
_COMPUTED = "rotary_emb.inv_freq"
"""Tables that checkpoints of 2023 store and transformers computes anew."""


@dataclass(frozen=True, slots=True)
class Place:
    """A tensor's file, its name there, and its shape."""

    file: Path
    name: str
    shape: tuple[int, ...]


def list_tensors(folder: HfFolder, renamed: Callable[[str], str] = lambda name: name) -> dict[str, Place]:
    """All tensors of a folder.

    Args:
        folder: of a model.
        renamed: name in a file → name to list it by.

    Raises:
        ModelError: a file is damaged or missing, its weights are quantised or are no floats, or two have one name.
        EnvironmentLacks: safetensors is not installed.
    """
    if (how := folder.config.get("quantization_config")) is not None:
        kind = how.get("quant_method") if isinstance(how, dict) else how
        raise ModelError(
            f"{folder.origin}: {CONFIG}: its weights are quantised ({str(kind)[:80]}), expected floats",
            "take the model that it was made of, or a GGUF file",
        )
    try:
        from safetensors import safe_open
    except ImportError as error:
        raise EnvironmentLacks(f"{folder.origin}: {error}", REMEDY) from error
    check_whole(folder)
    found: dict[str, Place] = {}
    for path in folder.weights():
        with safe_open(path, "numpy") as opened:
            for name in opened.keys():  # noqa: SIM118 (no mapping)
                if renamed(name) in found:
                    raise ModelError(f"{folder.origin}: tensor {name[:80]!r} is in two files")
                part = opened.get_slice(name)
                if part.get_dtype() not in _FLOATS:
                    raise ModelError(
                        f"{folder.origin}: tensor {name[:80]!r}: expected {', '.join(_FLOATS)}, "
                        f"got {part.get_dtype()}"
                    )
                found[renamed(name)] = Place(path, name, tuple(part.get_shape()))
    return found


def take_tensors(
    folder: HfFolder, listed: dict[str, Place], wanted: Mapping[str, tuple[str, tuple[int, ...]]]
) -> dict[str, Place]:
    """Takes a model's tensors out of what is listed.

    Args:
        folder: they are of.
        listed: what :func:`list_tensors` gave; what is taken goes.
        wanted: our name → the name it is listed by, and its shape.

    Returns:
        Our name → place.

    Raises:
        ModelError: one is missing, or has another shape.
    """
    found = {}
    for name, (theirs, shape) in wanted.items():
        place = listed.pop(theirs, None)
        if place is None:
            raise ModelError(f"{folder.origin}: has no tensor {theirs}", "its weights are not whole")
        if place.shape != shape:
            raise ModelError(
                f"{folder.origin}: tensor {place.name}: expected shape {shape}, got {place.shape}"
            )
        found[name] = place
    return found


def refuse_others(folder: HfFolder, left: Mapping[str, Place]) -> None:
    """Refuses tensors that nothing is computed with here.

    Raises:
        ModelError: there are any.
    """
    others = sorted(place.name for place in left.values() if not place.name.endswith(_COMPUTED))
    if others:
        raise ModelError(
            f"{folder.origin}: has {len(others)} tensors that {folder.architectures[0]} is not supported with, "
            f"first {others[0][:80]!r}"
        )


@dataclass(frozen=True, slots=True)
class Tensors:
    """Reads one tensor at a time, by our name, as float32.

    Attributes:
        folder: they are of.
        places: our name → place.
    """

    folder: HfFolder
    places: Mapping[str, Place]

    def __call__(self, name: str) -> F32:
        """The tensor.

        Raises:
            ModelError: there is none of that name, or it has values that are not finite.
        """
        from safetensors import safe_open

        place = self.places.get(name)
        if place is None:
            raise ModelError(f"{self.folder.origin}: has no tensor {name}")
        with safe_open(place.file, "pt") as opened:  # numpy has no bfloat16
            values: F32 = opened.get_tensor(place.name).float().numpy()
        if not np.isfinite(values).all():
            raise ModelError(f"{self.folder.origin}: tensor {place.name}: has values that are not finite")
        return values
