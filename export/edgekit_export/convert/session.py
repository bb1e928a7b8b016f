"""Sessions of models in memory, through the very engine that ships."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import onnx

from edgekit.engines.onnxruntime import OnnxRuntimeEngine, OnnxRuntimeSession, session_options
from edgekit.engines.protocol import EngineOptions
from edgekit.types import Array


def session_of(
    model: onnx.ModelProto, *, threads: int = 2, optimization: Literal["all", "none"] = "all"
) -> OnnxRuntimeSession:
    """Loads a model by way of a temporary file, as a bundle's would be.

    Raises:
        ModelError: the engine refuses it.
    """
    with _file_of(model) as path:
        return OnnxRuntimeEngine().load(path, EngineOptions(threads=threads, optimization=optimization))


def optimized(model: onnx.ModelProto) -> onnx.ModelProto:
    """What the engine's optimiser makes of a model on this machine: the operators that run.

    Raises:
        ModelError: the engine refuses it.
    """
    with _file_of(model) as path:
        settings = session_options(EngineOptions(threads=1))
        settings.optimized_model_filepath = str(path.with_name("optimized.onnx"))
        OnnxRuntimeEngine().load_with(path, settings)
        return onnx.load(settings.optimized_model_filepath)


def profiled(
    models: Sequence[onnx.ModelProto], feeds: Sequence[Mapping[str, Array]], threads: int
) -> list[list[dict[str, Any]]]:
    """Runs models in turns, each once a feed, under the engine's own profiler.

    Returns:
        The profile of each model: events as the engine writes them, ``dur`` in µs.

    Raises:
        ModelError: the engine refuses a model.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-profile-") as folder:
        sessions = []
        for number, model in enumerate(models):
            settings = session_options(EngineOptions(threads=threads))
            settings.enable_profiling = True
            settings.profile_file_prefix = str(Path(folder) / str(number))
            with _file_of(model) as path:
                sessions.append(OnnxRuntimeEngine().load_with(path, settings))
        for feed in feeds:
            for session in sessions:
                session.run(feed)
        return [json.loads(session.end_profiling().read_text(encoding="utf-8")) for session in sessions]


@contextmanager
def _file_of(model: onnx.ModelProto) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="edgekit-session-") as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString(deterministic=True))
        yield path
