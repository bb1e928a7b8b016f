"""Embedding of pictures, texts or sounds: one graph, one vector."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import EmbedHead, Variant
from edgekit.engines.protocol import Engine, EngineOptions
from edgekit.tasks.encoder import encoder_of
from edgekit.tasks.single import SingleGraph
from edgekit.tasks.trace import Trace
from edgekit.types import F32, Array, Content, Embedding


class Embed(SingleGraph[EmbedHead]):
    """A loaded embedder; see :class:`edgekit.tasks.protocol.Task`."""

    name = "embed"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options, EmbedHead)
        self._encode = encoder_of(self._model.input, folder)
        self.accepts = self._encode.kind

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> Embedding:
        """The vector of one input; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            feeds = self._encode(given)
        outputs = self._run(trace, feeds)
        with trace.stage("post"):
            vector = outputs[self._head.tensor].reshape(-1).astype(np.float32, copy=False)
            return Embedding(_unit(vector) if self._head.normalize else vector)


def _unit(vector: F32) -> F32:
    """Of length 1; the zero vector stays what it is."""
    length = float(np.linalg.norm(vector.astype(np.float64)))
    return vector if length == 0 else (vector / length).astype(np.float32)
