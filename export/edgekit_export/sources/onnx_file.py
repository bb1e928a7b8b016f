"""An ONNX file as a source: read with care, and kept to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError

from edgekit.errors import ModelError
from edgekit.types import Array
from edgekit_export.sources.source import Framework

MIN_OPSET, MAX_OPSET = 7, 23


def read_onnx(data: bytes, name: str) -> onnx.ModelProto:
    """Parses and checks an ONNX model that keeps its weights inside.

    Raises:
        ModelError: empty, truncated, foreign, of an unsupported opset, or with weights in another file.
    """
    if not data:
        raise ModelError(f"{name}: the file is empty", "expected an ONNX model")
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError as error:
        raise ModelError(
            f"{name}: is no ONNX model, or is truncated", "expected a protobuf ModelProto"
        ) from error
    if not model.graph.node or not model.opset_import:
        raise ModelError(f"{name}: is no ONNX model: it has no graph or names no opset")
    _check_opset(model, name)
    if any(t.data_location == onnx.TensorProto.EXTERNAL for t in model.graph.initializer):
        raise ModelError(
            f"{name}: keeps weights in another file", "save it with its weights inside (onnx.save)"
        )
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ModelError(f"{name}: breaks ONNX's rules: {' '.join(str(error).split())[:300]}") from error
    return model


def _check_opset(model: onnx.ModelProto, name: str) -> None:
    used = {node.domain for node in model.graph.node}
    for opset in model.opset_import:
        if opset.domain not in ("", "ai.onnx"):
            if opset.domain not in used:  # Paddle's exporter names its own whether it needs it or not
                continue
            raise ModelError(
                f"{name}: uses operators of the domain {opset.domain!r}",
                "expected standard ONNX operators only",
            )
        if not MIN_OPSET <= opset.version <= MAX_OPSET:
            raise ModelError(
                f"{name}: opset {opset.version}, expected {MIN_OPSET} to {MAX_OPSET}",
                "export it with another opset",
            )


def read_onnx_file(path: Path) -> onnx.ModelProto:
    """Reads a file; see :func:`read_onnx`.

    Raises:
        ModelError: the same, or the file is missing or unreadable.
    """
    if path.exists() and not path.is_file():  # reading a pipe would wait for ever
        raise ModelError(f"{path}: expected a file, got a folder, a pipe or a device")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    return read_onnx(data, path.name)


def onnx_framework(model: onnx.ModelProto) -> Framework:
    """The model as given, run by ONNX's engine without any graph optimisation.

    A picture comes with channels first, and is turned where the graph wants them last.
    """
    from edgekit_export.convert.session import session_of

    session = session_of(model, optimization="none")
    names = [given.name for given in session.inputs]
    wanted = session.inputs[0].shape

    def placed(array: Array) -> Array:
        is_last = array.ndim == len(wanted) == 4 and wanted[3] == array.shape[1] != wanted[1]
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)) if is_last else array

    def run(feeds: Mapping[str, Array]) -> list[npt.NDArray[np.float32]]:
        named = feeds if len(names) > 1 else dict(zip(names, map(placed, feeds.values()), strict=True))
        return [np.asarray(output, dtype=np.float32) for output in session.run(named)]

    return run


_REMEDY = (
    "a file alone is taken for pictures; a model of texts or sounds is exported from its folder of the Hugging Face "
    "hub, which has its tokenizer or its features, others from a folder with recipe.toml"
)


def input_shape(model: onnx.ModelProto, name: str) -> tuple[int, int, int, int]:
    """Shape of the model's one image input, NCHW with three channels; 0 for a dynamic side.

    Raises:
        ModelError: several inputs, or one that is no float32 NCHW picture.
    """
    constants = {t.name for t in model.graph.initializer}
    inputs = [v for v in model.graph.input if v.name not in constants]
    if len(inputs) != 1:
        raise ModelError(
            f"{name}: expected one input, a picture, got {len(inputs)}: {', '.join(v.name for v in inputs)}",
            _REMEDY,
        )
    tensor = inputs[0].type.tensor_type
    dims = [d.dim_value for d in tensor.shape.dim]
    if tensor.elem_type != onnx.TensorProto.FLOAT or len(dims) != 4 or dims[1] not in (0, 3):
        raise ModelError(
            f"{name}: input {inputs[0].name}: expected float32 (N, 3, H, W), got shape {dims}",
            "" if len(dims) == 4 else _REMEDY,
        )
    return 1, 3, dims[2], dims[3]
