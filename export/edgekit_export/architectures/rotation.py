"""Rotary positions as checkpoints describe them: only those that the graphs compute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.errors import ModelError
from edgekit_export.architectures.settings import Settings
from edgekit_export.architectures.shape import Rope


def gguf_rope(said: Settings, architecture: str, theta: float) -> Rope:
    """``{architecture}.rope.*``: a base, and a factor of linear scaling.

    Args:
        said: the file's metadata.
        architecture: prefix of the keys.
        theta: base where the file names none.

    Raises:
        ModelError: another way of scaling, or damaged numbers.
    """
    kind = f"{architecture}.rope.scaling.type"
    said.expect(kind, "none", "linear")
    scaled = said.values.get(kind) == "linear"
    factor = said.number(f"{architecture}.rope.scaling.factor") if scaled else 1.0
    old = said.number(f"{architecture}.rope.scale_linear", 1.0)  # files of 2023
    return Rope(said.number(f"{architecture}.rope.freq_base", theta), factor if scaled else old)


def config_rope(said: Settings, theta: float) -> Rope:
    """Of ``config.json``: ``rope_parameters`` (transformers 5), or ``rope_theta`` and ``rope_scaling``.

    Raises:
        ModelError: another way of scaling, or damaged numbers.
    """
    theta = said.number("rope_theta", theta)
    given = said.values.get("rope_parameters") or said.values.get("rope_scaling")
    return Rope(theta) if given is None else rope_of(given, said.where, theta)


def rope_of(given: object, where: str, theta: float) -> Rope:
    """One description: ``{"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6}``.

    Args:
        given: the JSON object.
        where: the file.
        theta: base where it names none.

    Raises:
        ModelError: it is no object, another way of scaling, or has damaged numbers.
    """
    if not isinstance(given, Mapping):
        raise ModelError(f"{where}: rope_parameters: expected an object, got {type(given).__name__}")
    values: dict[str, Any] = {**given, "rope_type": given.get("rope_type") or given.get("type")}
    said = Settings(values, f"{where}: rope_parameters")
    said.expect("rope_type", "default", "linear")
    said.expect("partial_rotary_factor", 1.0)
    factor = said.number("factor") if values["rope_type"] == "linear" else 1.0
    return Rope(said.number("rope_theta", theta), factor)


def head_size(hidden: int, heads: int, where: str) -> int:
    """Elements of a head where a file does not say.

    Raises:
        ModelError: the heads do not divide the hidden size.
    """
    if hidden % heads:
        raise ModelError(
            f"{where}: expected a hidden size that is a multiple of its {heads} heads, got {hidden}"
        )
    return hidden // heads
