"""A model's bytes: deterministic, checked, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import onnx

from edgekit.bundle.atomic import replacing
from edgekit.errors import ModelError


def to_bytes(model: onnx.ModelProto) -> bytes:
    """The serialised model: the same bytes for the same graph.

    Raises:
        ModelError: the graph breaks ONNX's rules, so that writing it would be a fault of ours.
    """
    try:
        onnx.checker.check_model(model)
    except onnx.checker.ValidationError as error:
        raise ModelError(f"graph is not valid ONNX: {str(error).strip().splitlines()[0][:300]}") from error
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def write_model(model: onnx.ModelProto, path: Path) -> int:
    """Writes beside ``path``, syncs, renames. Returns the size in bytes.

    Raises:
        ModelError: as :func:`to_bytes`.
        OutputError: the file cannot be written.
    """
    data = to_bytes(model)
    with replacing(path) as file:
        file.write(data)
    return len(data)
