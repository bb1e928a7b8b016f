"""What an exporter starts from: graphs in full precision, what goes in and out, and data to judge them on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import onnx
from msgspec.structs import replace

from edgekit.bundle.detect_head import DetectHead
from edgekit.bundle.manifest import Card, ClassHead, CtcHead, ImageInput, SoundInput, head_tensors
from edgekit.types import Array, Kind
from edgekit_export.convert.cut_softmax import cut_softmax
from edgekit_export.convert.select_outputs import select_outputs
from edgekit_export.convert.split_parts import split_parts
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.tflite_file import WrappedGraph

Framework = Callable[[Mapping[str, Array]], list[npt.NDArray[np.float32]]]
"""The model as its author runs it: inputs by name in, outputs out. Stage one of the parity check.

A graph of pictures is given its one input, whatever the name: NCHW float32, normalised.
"""


@dataclass(frozen=True, slots=True, eq=False)
class SourceGraph:
    """One graph as it came.

    Attributes:
        model: ONNX, as given or as exported from the framework.
        spec: input, head and shape, from the recipe.
        framework: runs the original.
        sha256: of the file that the weights came from.
        cut: ``softmax`` where ``model`` ends before a softmax that the framework still applies.
        outputs: names of what the framework gives, in its order.
        given: the head as it reads these, where ``spec.head`` reads others of ``model``; else ``None``.
        network: the ``torch.nn.Module`` that it is of; ``None`` for an ONNX file.
    """

    model: onnx.ModelProto
    spec: SourceModel
    framework: Framework
    sha256: str
    cut: Literal["softmax", "none"] = "none"
    outputs: tuple[str, ...] = ()
    given: DetectHead | None = None
    network: Any = None


def source_graph(model: onnx.ModelProto, spec: SourceModel, framework: Framework, sha256: str) -> SourceGraph:
    """A graph as it came, but for what its head does instead: a softmax at its end, a detector's activations."""
    if isinstance(spec.head, DetectHead):
        return _detector(model, spec, spec.head, framework, sha256)
    trimmed = cut_softmax(model)
    if trimmed is None or not isinstance(spec.head, ClassHead | CtcHead):
        return SourceGraph(model, spec, framework, sha256)
    head = replace(spec.head, activation="softmax")
    return SourceGraph(trimmed, replace(spec, head=head), framework, sha256, cut="softmax")


def _detector(
    model: onnx.ModelProto, spec: SourceModel, head: DetectHead, framework: Framework, sha256: str
) -> SourceGraph:
    """Its parts apart; a graph of one output need not call it as the head does."""
    names = tuple(value.name for value in model.graph.output)
    made = onnx.ModelProto()
    made.CopyFrom(model)
    select_outputs(made, head_tensors(head))
    given = names if len(names) > 1 else head_tensors(head)
    parts, read = split_parts(made, head)
    return SourceGraph(parts, replace(spec, head=read), framework, sha256, outputs=given, given=head)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A model to export.

    Attributes:
        name: of the bundle, unless told otherwise.
        origin: what was asked for, as the lock names it.
        graphs: role → graph; empty for TFLite files, until :func:`edgekit_export.sources.tflite_source.as_onnx`.
        assets: member path → bytes of label lists and alphabets.
        calibration: ``--data`` specifications that it knows itself; empty if none.
        evaluation: the same, for the accuracy drop.
        files: role → TFLite file, where it came as such; it can be wrapped as it is.
        twin: the same network in full precision, for files that are quantised; empty where there is none.
    """

    name: str
    origin: str
    task: str
    card: Card
    graphs: dict[str, SourceGraph]
    assets: dict[str, bytes]
    calibration: tuple[str, ...] = field(default=())
    evaluation: tuple[str, ...] = field(default=())
    files: Mapping[str, WrappedGraph] = field(default_factory=dict)
    twin: Mapping[str, WrappedGraph] = field(default_factory=dict)

    @property
    def specs(self) -> list[SourceModel]:
        """Input and head of each graph."""
        return [graph.spec for graph in (*self.graphs.values(), *self.files.values())]

    @property
    def accepts(self) -> Kind:
        """What its first graph is given."""
        first = self.specs[0].input
        if isinstance(first, SoundInput):
            return "sound"
        return "picture" if isinstance(first, ImageInput) else "text"


def bundle_name(text: str) -> str:
    """A bundle's name out of whatever people call the model."""
    name = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return name[:64] or "model"


def without_folders(origin: str) -> str:
    """What a model was read from, without the folders that lead there: they are its user's business."""
    path = Path(origin)
    return path.resolve().name or origin if path.exists() else origin
