"""A family of models, and how one of them is made and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from edgekit.types import Kind

Weights: TypeAlias = Literal["real", "random"]


class Data(NamedTuple):
    """``--data`` specifications to calibrate on and to judge on."""

    calibration: tuple[str, ...]
    evaluation: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """One row of the table.

    Attributes:
        name: as people know it, e.g. ``ViT``.
        kind: what it is given.
        weights: ``random`` are of the true architecture at a small size, for speed and parity alone.
        make: writes the model into a folder and gives the arguments of ``edgekit export`` that name it.
        data: names it; ``None`` for generated data of its kind.
        wrapped: whether it is a TFLite file, of which the TFLite bundle is the file as it is.
    """

    name: str
    kind: Kind
    weights: Weights
    make: Callable[[Path], tuple[str, ...]]
    data: Callable[[], Data] | None = None
    wrapped: bool = False


def named(*arguments: str) -> Callable[[Path], tuple[str, ...]]:
    """Makes nothing: the arguments that name a model of ``models/``."""
    return lambda _folder: arguments


def folder_of(write: Callable[[Path], None]) -> Callable[[Path], tuple[str, ...]]:
    """Lets ``write`` make a Hugging Face folder; its path is the argument."""

    def make(folder: Path) -> tuple[str, ...]:
        model = folder / "model"
        model.mkdir()
        write(model)
        return (str(model),)

    return make
