"""Sessions of models in memory, through the very engine that ships."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import onnx

from edgekit.engines.onnxruntime import OnnxRuntimeEngine, OnnxRuntimeSession
from edgekit.engines.protocol import EngineOptions


def session_of(
    model: onnx.ModelProto, *, threads: int = 2, optimization: Literal["all", "none"] = "all"
) -> OnnxRuntimeSession:
    """Loads a model by way of a temporary file, as a bundle's would be.

    Raises:
        ModelError: the engine refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-session-") as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        return OnnxRuntimeEngine().load(path, EngineOptions(threads=threads, optimization=optimization))
