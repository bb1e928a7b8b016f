"""A model's bytes: deterministic and checked."""

from __future__ import annotations

import onnx

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
