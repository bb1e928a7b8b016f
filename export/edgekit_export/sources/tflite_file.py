"""A TFLite file as a source: tried in a child process first, then read for what it says of itself."""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from edgekit.engines.bare import look_at_tflite
from edgekit.engines.protocol import TensorSpec
from edgekit.engines.trial import Tried
from edgekit.errors import EnvironmentLacks, ModelError
from edgekit.types import Array
from edgekit_export.recipe import SourceModel

if TYPE_CHECKING:
    from edgekit_export.sources.source import Framework

Precision = Literal["fp32", "fp16", "int8"]
Three = tuple[float, float, float]

AS_IT_IS = "as_it_is"
"""Recipe of a variant whose files were wrapped, byte for byte."""

MAX_LABELS_BYTES = 1 << 20
_CODES = frozenset({"int8", "uint8", "int16"})
_LABELS = "labels.txt"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True, eq=False)
class TfliteFile:
    """A file that held in its trial.

    Attributes:
        name: what to call it in messages.
        data: the whole file.
        tried: its inputs and outputs, as the engine gives them.
        precision: what most bytes of its constants are.
        ends: what computes its outputs, such as ``SOFTMAX``.
        labels: that it carries, or ``None``.
        normalization: mean and standard deviation of pixels that its metadata names, or ``None``.
        parameters: how many numbers its constants hold.
    """

    name: str
    data: bytes
    tried: Tried
    precision: Precision
    ends: tuple[str, ...]
    labels: tuple[str, ...] | None
    normalization: tuple[Three, Three] | None
    parameters: int

    @property
    def sha256(self) -> str:
        """Of the file."""
        return hashlib.sha256(self.data).hexdigest()

    def graph(self) -> Any:  # noqa: ANN401 (its classes are imported where the schema is installed)
        """Its main graph, to read."""
        return _graph(self.data, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class WrappedGraph:
    """A file that goes into a bundle as it is, byte for byte.

    Attributes:
        file: that held in its trial.
        spec: input and head, in the file's own names; a picture is normalised before it goes in.
    """

    file: TfliteFile
    spec: SourceModel


def read_tflite_file(path: Path) -> TfliteFile:
    """Reads a foreign file; a child process has loaded and run it before anything here believes what it says.

    Raises:
        ModelError: missing or damaged, or it ends the interpreter, or the interpreter refuses it.
        BundleError: its structure is broken.
        EnvironmentLacks: no engine for it is installed.
    """
    if not path.is_file():  # reading a pipe would wait for ever
        raise ModelError(f"{path}: " + ("expected a file" if path.exists() else "no such file"))
    tried = look_at_tflite(path)
    data = path.read_bytes()
    graph = _graph(data, path.name)
    stored = graph.stored_bytes()
    makers = (graph.producer(i) for i in graph.outputs)
    return TfliteFile(
        name=path.name,
        data=data,
        tried=tried,
        precision=_precision(stored),
        ends=tuple("" if maker is None else graph.kind(maker) for maker in makers),
        labels=_labels(data),
        normalization=_normalization(graph),
        parameters=sum(n // np.dtype(dtype).itemsize for dtype, n in stored.items() if _is_weight(dtype)),
    )


def read_tflite_bytes(data: bytes, name: str) -> TfliteFile:
    """The same for a file out of a package.

    Raises:
        ModelError, BundleError, EnvironmentLacks: see :func:`read_tflite_file`.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-tflite-") as folder:
        path = Path(folder) / Path(name).name
        path.write_bytes(data)
        return read_tflite_file(path)


def tflite_framework(file: TfliteFile) -> Framework:
    """The file as its own interpreter runs it, without a delegate; a picture is given as NCHW float32."""
    from edgekit_export.tflite.tap import session_of_tflite

    session = session_of_tflite(file.data, optimization="none")
    (image,) = session.inputs

    def run(feeds: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        (nchw,) = feeds.values()
        return [np.asarray(o, np.float32) for o in session.run({image.name: nchw.transpose(0, 2, 3, 1)})]

    return run


def least_precise(precisions: Sequence[Precision]) -> Precision:
    """Of several files, what all of them have at least."""
    return min(precisions, key=("int8", "fp16", "fp32").index)


def remark_of(files: Mapping[str, WrappedGraph], formats: Sequence[str]) -> str:
    """What the user should know where files go into a bundle as they are; nothing where none does."""
    if not files or "tflite" not in formats:
        return ""
    precision = least_precise([graph.file.precision for graph in files.values()])
    if precision == "int8":
        return "The TFLite file was already quantised: wrapped, not re-quantised; its bytes are unchanged."
    return f"The TFLite file ({precision}) was wrapped as it is; its bytes are unchanged."


def forms(specs: tuple[TensorSpec, ...]) -> str:
    """Names, types and shapes, for a message."""
    return ", ".join(f"{spec.name} {spec.form}" for spec in specs)


def _graph(data: bytes, name: str) -> Any:  # noqa: ANN401
    try:
        from edgekit_export.tflite.flatbuffer import read_tflite
    except ImportError as error:
        raise EnvironmentLacks(
            f"{name}: reading TFLite files: {error}", "pip install 'edgekit[litert]' (ai-edge-litert)"
        ) from error
    return read_tflite(data, name)


def _normalization(graph: Any) -> tuple[Three, Three] | None:  # noqa: ANN401
    from edgekit_export.tflite.metadata import normalization_of

    return normalization_of(graph)


def _is_weight(dtype: str) -> bool:
    return dtype in ("float32", "float16", "int8", "uint8")


def _precision(stored: Mapping[str, int]) -> Precision:
    weights = {dtype: n for dtype, n in stored.items() if dtype in ("float32", "float16") or dtype in _CODES}
    most = max(weights, key=lambda dtype: weights[dtype], default="float32")
    return "int8" if most in _CODES else "fp16" if most == "float16" else "fp32"


def _labels(data: bytes) -> tuple[str, ...] | None:
    """The list of labels in the archive that metadata tools append to a file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entry = archive.getinfo(_LABELS)
            if entry.file_size > MAX_LABELS_BYTES or entry.compress_type not in _METHODS:
                return None
            lines = archive.read(entry).decode().splitlines()
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, RuntimeError, OSError):
        return None
    return tuple(line.strip() for line in lines if line.strip())
