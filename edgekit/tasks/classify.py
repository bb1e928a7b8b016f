"""Classification of pictures, texts or sounds: one graph, one score a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import ClassHead, Variant
from edgekit.engines.protocol import Engine, EngineOptions
from edgekit.processing.activations import activate
from edgekit.tasks.encoder import encoder_of
from edgekit.tasks.labels import read_labels
from edgekit.tasks.single import SingleGraph
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Classification, Content


class Classify(SingleGraph[ClassHead]):
    """A loaded classifier; see :class:`edgekit.tasks.protocol.Task`."""

    name = "classify"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options, ClassHead)
        self._encode = encoder_of(self._model.input, folder)
        self.accepts = self._encode.kind
        self.labels = read_labels(folder / self._head.labels)

    def __call__(self, given: Content | Array | Path, trace: Trace | None = None) -> Classification:
        """Scores every class of one input; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            feeds = self._encode(given)
        outputs = self._run(trace, feeds)
        with trace.stage("post"):
            logits = outputs[self._head.tensor].reshape(-1).astype(np.float32, copy=False)
            return Classification(activate(logits, self._head.activation), self.labels)
