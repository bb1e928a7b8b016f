"""What an exporter starts from: graphs in full precision, what goes in and out, and data to judge them on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import onnx

from edgekit.bundle.manifest import Card
from edgekit_export.recipe import SourceModel

Framework = Callable[[npt.NDArray[np.float32]], list[npt.NDArray[np.float32]]]
"""The model as its author runs it: NCHW float32, normalised, in; outputs out. Stage one of the parity check."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceGraph:
    """One graph as it came.

    Attributes:
        model: ONNX, as given or as exported from the framework.
        spec: input, head and shape, from the recipe.
        framework: runs the original.
        sha256: of the file that the weights came from.
    """

    model: onnx.ModelProto
    spec: SourceModel
    framework: Framework
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A model to export.

    Attributes:
        name: of the bundle, unless told otherwise.
        origin: what was asked for, as the lock names it.
        graphs: role → graph.
        assets: member path → bytes of label lists and alphabets.
        calibration: ``--data`` specifications that it knows itself; empty if none.
        evaluation: the same, for the accuracy drop.
    """

    name: str
    origin: str
    task: str
    card: Card
    graphs: dict[str, SourceGraph]
    assets: dict[str, bytes]
    calibration: tuple[str, ...] = field(default=())
    evaluation: tuple[str, ...] = field(default=())
