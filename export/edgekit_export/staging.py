"""The folder in which a bundle grows: model files as they will ship, and the manifest's entries for them.

What is measured is loaded from here, file by file the bytes that the bundle gets.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import onnx
from msgspec.structs import replace
from onnx.external_data_helper import convert_model_to_external_data

from edgekit.bundle.manifest import ImageInput, Input, Model, Normalize, TextInput, Variant
from edgekit_export.convert.serialize import to_bytes
from edgekit_export.sources.source import SourceGraph
from edgekit_export.sources.tflite_file import WrappedGraph

EXTERNAL_FROM_BYTES = 4_000_000
"""Models from this size on keep their weights in a file beside them, which the engine maps instead of copying."""

EXTERNAL_TENSOR_BYTES = 1024

Precision = Literal["fp32", "fp16", "int8", "mixed"]


def _folded(given: Input, *, tflite: bool) -> Input:
    """The input that is left where a picture's cast and normalisation are inside the graph.

    A TFLite graph of text has one length, and 32 bits an id: its converter knows no 64.
    """
    if isinstance(given, TextInput) and tflite:
        return replace(given, fixed=True, dtype="int32")
    if not isinstance(given, ImageInput):
        return given
    ops = tuple(op for op in given.ops if not isinstance(op, Normalize))
    return replace(given, tensor="image", ops=ops, dtype="uint8", layout="nhwc")


class Staging:
    """A folder that holds members under their bundle paths."""

    def __init__(self, folder: Path, assets: Mapping[str, bytes]) -> None:
        self.folder = folder
        self._assets = dict(assets)
        for path, data in self._assets.items():
            self._write(path, data)

    def _write(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def add(
        self,
        name: str,
        recipe: str,
        precision: Precision,
        models: Mapping[str, onnx.ModelProto] | Mapping[str, bytes],
        graphs: Mapping[str, SourceGraph],
    ) -> Variant:
        """Writes the model files of a variant and gives its manifest entry, without a drop.

        Args:
            name: of the variant.
            recipe: that made it.
            precision: of most weights.
            models: role → graph (of pictures with a uint8 NHWC input), or a TFLite file of one.
            graphs: role → where it came from, for input and head.
        """
        entries = {
            role: self._model(name, role, model, graphs[role]) for role, model in sorted(models.items())
        }
        files = {p for entry in entries.values() for p in (entry.path, *entry.external)}
        size = sum((self.folder / path).stat().st_size for path in files)
        return Variant(name=name, recipe=recipe, precision=precision, models=entries, bytes=size)

    def wrap(
        self, name: str, recipe: str, precision: Precision, files: Mapping[str, WrappedGraph]
    ) -> Variant:
        """The same for files that are not changed: they take and give what their own tensors are."""
        entries = {}
        for role, graph in sorted(files.items()):
            path = f"{name}/{role}.tflite"
            self._write(path, graph.file.data)
            entries[role] = Model(path=path, format="tflite", input=graph.spec.input, head=graph.spec.head)
        size = sum(len(graph.file.data) for graph in files.values())
        return Variant(name=name, recipe=recipe, precision=precision, models=entries, bytes=size)

    def _model(self, variant: str, role: str, model: onnx.ModelProto | bytes, graph: SourceGraph) -> Model:
        given = _folded(graph.spec.input, tflite=isinstance(model, bytes))
        if isinstance(model, bytes):
            path = f"{variant}/{role}.tflite"
            self._write(path, model)
            return Model(path=path, format="tflite", input=given, head=graph.given or graph.spec.head)
        path, external = f"{variant}/{role}.onnx", ()
        data = to_bytes(model)
        if len(data) >= EXTERNAL_FROM_BYTES:
            external = (f"{path}.data",)
            data = self._split(model, path, external[0])
        self._write(path, data)
        return Model(path=path, format="onnx", input=given, head=graph.spec.head, external=external)

    def _split(self, model: onnx.ModelProto, path: str, external: str) -> bytes:
        apart = onnx.ModelProto()
        apart.CopyFrom(model)
        location = Path(external).name
        target = self.folder / external
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # onnx appends to what is there
        convert_model_to_external_data(apart, location=location, size_threshold=EXTERNAL_TENSOR_BYTES)
        onnx.save_model(apart, str(self.folder / path))
        return onnx.load(str(self.folder / path), load_external_data=False).SerializeToString(
            deterministic=True
        )

    def members(self, variants: tuple[Variant, ...]) -> dict[str, bytes | Path]:
        """Members that these variants need, assets included: bundle path → file."""
        paths = {p for v in variants for m in v.models.values() for p in (m.path, *m.external)}
        return {path: self.folder / path for path in sorted(paths | set(self._assets))}
