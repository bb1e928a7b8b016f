"""The graph of a transformers model of pictures: one picture of one size a run."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import onnx

from edgekit.bundle.manifest import Head, head_tensors
from edgekit.errors import ModelError
from edgekit_export.convert.from_torch import export_traced
from edgekit_export.convert.select_outputs import select_outputs
from edgekit_export.convert.shapes import fix_input_shape, infer_shapes
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.huggingface.folder import HfFolder
from edgekit_export.sources.huggingface.picture_input import PictureInput
from edgekit_export.sources.onnx_file import input_shape, onnx_framework, read_onnx_file
from edgekit_export.sources.packages import file_sha256
from edgekit_export.sources.source import SourceGraph, source_graph
from edgekit_export.sources.torch_network import torch_framework

if TYPE_CHECKING:
    import torch

WEIGHTS_ONLY = {"name": "weight_only_wi8_afp32", "mode": "weight8", "tflite": "weight_only_wi8_afp32"}
"""int8 for detectors: with codes for activations too, FastestDet kept 29 % of its own F1, so 95 %."""


def picture_graph(
    folder: HfFolder,
    network: torch.nn.Module,
    picture: PictureInput,
    head: Head,
    result: Callable[[Any], tuple[Any, ...]],
    quantize: dict[str, Any],
) -> SourceGraph:
    """Exports the network.

    Args:
        folder: that it came from.
        network: as :func:`load_network` gives it.
        picture: how a picture goes in.
        head: reads the outputs, in the order in which ``result`` gives them.
        result: from what the transformers model gives, to these.
        quantize: how int8 is made.

    Raises:
        ModelError: torch cannot export it.
    """
    import torch

    class Wrapped(torch.nn.Module):
        """One picture in, arrays out."""

        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, pixels: Any) -> Any:  # noqa: ANN401
            """``(1, 3, height, width)`` float32, normalised."""
            given = result(self.network(pixel_values=pixels))
            return given if len(given) > 1 else given[0]

    wrapped = Wrapped().eval()
    width, height = picture.size_wh
    shape = (1, 3, height, width)
    with _no_checks(network):
        exported = export_traced(wrapped, {"pixel_values": torch.zeros(shape)}, head_tensors(head))
    spec = SourceModel(input=picture.input, head=head, shape=shape, quantize=quantize)
    made = source_graph(exported, spec, torch_framework(wrapped), folder.weights_sha256())
    return replace(made, network=wrapped)


def exported_graph(
    folder: HfFolder, path: Path, picture: PictureInput, head: Head, quantize: dict[str, Any]
) -> SourceGraph:
    """The graph that is there already as an ONNX file.

    Args:
        folder: that it lies in.
        path: of the file.
        picture: how a picture goes in.
        head: reads its outputs.
        quantize: how int8 is made.

    Raises:
        ModelError: no such file, or not a graph of one picture that gives what the head reads.
    """
    model = read_onnx_file(path)
    input_shape(model, path.name)
    names = [value.name for value in model.graph.output]
    if missing := [name for name in head_tensors(head) if name not in names]:
        raise ModelError(
            f"{folder.origin}: {path.name}: expected an output {missing[0]}, got {', '.join(names)}"
        )
    select_outputs(model, head_tensors(head))
    width, height = picture.size_wh
    fix_input_shape(model, _input_of(model), (1, 3, height, width))
    spec = SourceModel(input=picture.input, head=head, shape=(1, 3, height, width), quantize=quantize)
    return source_graph(model, spec, onnx_framework(model), file_sha256(path))


def _input_of(model: onnx.ModelProto) -> str:
    constants = {tensor.name for tensor in model.graph.initializer}
    return next(str(value.name) for value in model.graph.input if value.name not in constants)


def check_channels(model: onnx.ModelProto, name: str, expected: int, labels: int, origin: str) -> None:
    """Checks that an output has the channels that so many labels need.

    Raises:
        ModelError: it has more or fewer.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    infer_shapes(made)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in made.graph.output}
    if shapes[name][-1] != expected:
        raise ModelError(
            f"{origin}: expected {expected} channels for {labels} labels, got {shapes[name][-1]}"
        )


def parameters_of(graph: SourceGraph) -> int:
    """Count of the weights."""
    if graph.network is not None:
        return sum(p.numel() for p in graph.network.parameters())
    return sum(math.prod(tensor.dims) for tensor in graph.model.graph.initializer)


@contextmanager
def _no_checks(network: torch.nn.Module) -> Iterator[None]:
    """Inside the block the model does not compare shapes of its own tensors, for which ONNX has no operator (D-FINE).

    They are those of the picture, which is of one size.
    """
    module, name = sys.modules[type(network).__module__], "torch_compilable_check"
    check = getattr(module, name, None)
    if check is None:
        yield
        return
    setattr(module, name, lambda *_args, **_kwargs: None)
    try:
        yield
    finally:
        setattr(module, name, check)
