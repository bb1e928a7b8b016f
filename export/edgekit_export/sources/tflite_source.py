"""TFLite files as whole sources: wrapped as they are, or made into ONNX where they are in float."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from edgekit.bundle.detect_head import DetectHead, Part
from edgekit.bundle.manifest import Head, ImageInput, Normalize, head_tensors
from edgekit.engines.protocol import TensorSpec
from edgekit.errors import ModelError, UsageError
from edgekit_export.recipe import SourceModel
from edgekit_export.sources.bare import BareInput, normalization
from edgekit_export.sources.bare_tflite import bare_tflite
from edgekit_export.sources.source import Source, SourceGraph, bundle_name, source_graph
from edgekit_export.sources.tflite_file import (
    TfliteFile,
    WrappedGraph,
    forms,
    read_tflite_file,
    tflite_framework,
)

ROLE = "model"


def tflite_source(path: Path, origin: str, bare: BareInput) -> Source:
    """A bare file, to be wrapped.

    Raises:
        ModelError, BundleError, EnvironmentLacks: the file did not hold in its trial.
        UsageError, ModelError, DataError: see :func:`edgekit_export.sources.bare_tflite.bare_tflite`.
    """
    found = bare_tflite(read_tflite_file(path), bare)
    return Source(
        bundle_name(path.stem), origin, found.task, found.card, {}, found.assets, files={ROLE: found.graph}
    )


def with_twin(source: Source, path: Path, normalize: str | None) -> Source:
    """The source with the same network in full precision beside its quantised file.

    Pictures go into the twin as into the file, but for how they are stored, and its outputs are read as the file's are.

    Args:
        source: of a quantised TFLite file.
        path: the twin, a TFLite file in float.
        normalize: as ``--normalize`` has it; by default what the file does.

    Raises:
        UsageError: the source is no quantised TFLite file, or the twin is quantised too.
        ModelError: the twin takes or gives other shapes.
    """
    wrapped = source.files.get(ROLE)
    if wrapped is None or wrapped.file.precision != "int8":
        raise UsageError(
            f"--reference {path}: {source.origin} is no quantised TFLite file, and is its own reference",
            "leave it out",
        )
    file = read_tflite_file(path)
    if file.precision == "int8":
        raise UsageError(f"--reference {path}: is quantised too", "give the network in float")
    first, second = wrapped.file.tried, file.tried
    if _shapes(first.inputs) != _shapes(second.inputs) or _shapes(first.outputs) != _shapes(second.outputs):
        raise ModelError(
            f"--reference {path}: is of another network: it takes {forms(second.inputs)} and gives "
            f"{forms(second.outputs)}, {source.origin} takes {forms(first.inputs)} and gives {forms(first.outputs)}"
        )
    names = {one.name: other.name for one, other in zip(first.outputs, second.outputs, strict=True)}
    mean, std = normalization(normalize or _normalization(wrapped))
    assert isinstance(wrapped.spec.input, ImageInput)
    kept = tuple(op for op in wrapped.spec.input.ops if not isinstance(op, Normalize))
    image = structs.replace(
        wrapped.spec.input,
        tensor=second.inputs[0].name,
        ops=(*kept, Normalize(mean=mean, std=std)),
        dtype="float32",
    )
    spec = structs.replace(wrapped.spec, input=image, head=_renamed(wrapped.spec.head, names))
    return replace(source, twin={ROLE: WrappedGraph(file, spec)})


def _shapes(specs: Sequence[TensorSpec]) -> list[tuple[int, ...]]:
    """With 1 where a size is open."""
    return [tuple(size or 1 for size in spec.shape) for spec in specs]


def _renamed(head: Head, names: Mapping[str, str]) -> Head:
    """A head of the same outputs by other names."""
    if not isinstance(head, DetectHead):
        return structs.replace(head, tensor=names[head.tensor])
    levels = []
    for level in head.levels:
        parts = {role: part for role, part in structs.asdict(level).items() if isinstance(part, Part)}
        renamed = {role: structs.replace(part, tensor=names[part.tensor]) for role, part in parts.items()}
        levels.append(structs.replace(level, **renamed))
    return structs.replace(head, levels=tuple(levels))


def _normalization(wrapped: WrappedGraph) -> str:
    """As ``--normalize`` has it."""
    assert isinstance(wrapped.spec.input, ImageInput)
    for op in wrapped.spec.input.ops:
        if isinstance(op, Normalize):
            return "/".join(",".join(map(str, three)) for three in (op.mean, op.std))
    return "none"


def wrapped_graph(file: TfliteFile, spec: SourceModel) -> WrappedGraph:
    """A file as a recipe has it: the recipe's input, stored as the file's own tensor is.

    Raises:
        ModelError: the file has no such input, or not the head's outputs.
    """
    if not isinstance(spec.input, ImageInput):
        raise ModelError(f"{file.name}: TFLite files are wrapped for pictures alone")
    found = next((i for i in file.tried.inputs if i.name == spec.input.tensor), None)
    given = {output.name for output in file.tried.outputs}
    if found is None or not given.issuperset(head_tensors(spec.head)):
        raise ModelError(
            f"{file.name}: expected the input {spec.input.tensor} and the outputs "
            f"{', '.join(head_tensors(spec.head))}, got {forms(file.tried.inputs)} and {forms(file.tried.outputs)}"
        )
    plain = not any(isinstance(op, Normalize) for op in spec.input.ops)
    stored = "uint8" if plain and (found.codes is not None or found.dtype == "uint8") else "float32"
    image = structs.replace(spec.input, dtype=stored, layout="nhwc")
    return WrappedGraph(file, structs.replace(spec, input=image))


def as_onnx(source: Source) -> Source:
    """The source with its float files as ONNX graphs too.

    Raises:
        UsageError: a file is quantised: there is no full precision to start from.
        ModelError: a file has operators that are not converted; the message names them.
    """
    return replace(source, graphs={role: _onnx(graph) for role, graph in source.files.items()})


def _onnx(wrapped: WrappedGraph) -> SourceGraph:
    from edgekit_export.tflite.to_onnx import tflite_to_onnx

    file, spec = wrapped.file, wrapped.spec
    if file.precision == "int8":
        raise UsageError(
            f"{file.name}: already quantised: it is wrapped, and nothing in full precision is left to make ONNX of",
            "leave --format out, or give the network in float",
        )
    assert isinstance(spec.input, ImageInput)
    names = [output.name for output in file.tried.outputs]
    model = tflite_to_onnx(file.graph(), spec.input.tensor, names)
    return source_graph(model, spec, tflite_framework(file), file.sha256)


def check_recipe(source: Source, precisions: tuple[str, ...]) -> None:
    """Refuses precisions that were asked for of a file that is wrapped as it is.

    Raises:
        UsageError: another precision than the file's own.
    """
    for wrapped in source.files.values():
        own = wrapped.file.precision
        if precisions == (own,):
            continue
        asked = f"{source.origin}: --recipe {','.join(precisions)}"
        if own == "int8":
            raise UsageError(
                f"{asked}: the TFLite file is already quantised: it is wrapped, not re-quantised",
                "leave --recipe out, or give the network in float",
            )
        raise UsageError(
            f"{asked}: a TFLite file is wrapped as it is, this one in {own}",
            "leave --recipe out; or add --format onnx, which makes int8, fp16 and fp32 of a float file, or both",
        )
