"""Reading tensors inside a TFLite graph while the engine that ships runs it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from edgekit.engines.litert import LiteRtSession, open_session
from edgekit.engines.protocol import EngineOptions
from edgekit.types import Array
from edgekit_export.tflite.flatbuffer import read_tflite, write_tflite

Batch = Mapping[str, Array]


def session_of_tflite(
    data: bytes, *, threads: int = 2, optimization: Literal["all", "none"] = "all"
) -> LiteRtSession:
    """Loads a model that was made here, by way of a temporary file.

    Raises:
        ModelError: the engine refuses it.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-session-") as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(data)
        return open_session(path, EngineOptions(threads=threads, optimization=optimization))


class TfliteTap:
    """Runs a graph and gives the values of some of its tensors, by making them outputs."""

    def __init__(self, data: bytes, tensors: Sequence[int], threads: int = 2) -> None:
        graph = read_tflite(data, "model.tflite")
        self.names = [graph.name(tensor) for tensor in tensors]
        graph.main.outputs = np.asarray(tensors, np.int32)
        graph.model.signatureDefs = []
        self._session = session_of_tflite(write_tflite(graph), threads=threads)

    def over(self, batches: Iterable[Batch]) -> Iterator[dict[str, Array]]:
        """Tensor name → value, for each batch in turn; a batch is what the graph's inputs get, in their order."""
        names = [spec.name for spec in self._session.inputs]
        for batch in batches:
            feeds = dict(zip(names, batch.values(), strict=True))
            yield dict(zip(self.names, self._session.run(feeds), strict=True))
