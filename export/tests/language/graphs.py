"""Graphs of the writer, run by the engine that ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from edgekit.engines.onnxruntime import OnnxRuntimeEngine
from edgekit.engines.protocol import EngineOptions
from edgekit_export.language.graph_writer import GraphWriter
from edgekit_export.language.weights_file import WeightsFile


def ran(folder: Path, write, inputs: dict[str, np.ndarray], width: int) -> np.ndarray:
    """What ``write(writer)`` makes of the inputs: it writes nodes up to a tensor called ``out``."""
    with WeightsFile(folder / "weights.bin") as weights:
        writer = GraphWriter(weights)
        write(writer)
    types = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
    given = [helper.make_tensor_value_info(n, types[str(a.dtype)], a.shape) for n, a in inputs.items()]
    rank = next(iter(inputs.values())).ndim
    out = helper.make_tensor_value_info("out", TensorProto.FLOAT, [None] * (rank - 1) + [width])
    model = writer.model("g", given, [out])
    (folder / "g.onnx").write_bytes(model.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(folder / "g.onnx"), full_check=False)
    session = OnnxRuntimeEngine().load(folder / "g.onnx", EngineOptions(threads=1))
    return session.run(inputs)[0]
