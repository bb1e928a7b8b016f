"""Image classification: one graph, one score a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgekit.bundle.manifest import ClassHead, ImageInput, Variant
from edgekit.engines.protocol import Engine, EngineOptions
from edgekit.processing.activations import activate
from edgekit.processing.images import to_frame
from edgekit.processing.preprocess import prepare
from edgekit.tasks.labels import read_labels
from edgekit.tasks.single import SingleGraph
from edgekit.tasks.trace import Trace
from edgekit.types import Array, Classification, Frame


class Classify(SingleGraph[ImageInput, ClassHead]):
    """A loaded classifier; see :class:`edgekit.tasks.protocol.Task`."""

    name = "classify"

    def __init__(
        self, bundle_name: str, variant: Variant, folder: Path, engine: Engine, options: EngineOptions
    ) -> None:
        super().__init__(bundle_name, variant, folder, engine, options, (ImageInput, ClassHead))
        self.labels = read_labels(folder / self._head.labels)

    def __call__(self, image: Frame | Array | str | Path, trace: Trace | None = None) -> Classification:
        """Scores every class of one picture; see :class:`edgekit.tasks.protocol.Task`."""
        trace = trace or Trace()
        with trace.stage("pre"):
            prepared = prepare(to_frame(image), self._input)
        outputs = self._run(trace, {self._input.tensor: prepared.tensor})
        with trace.stage("post"):
            logits = outputs[self._head.tensor].reshape(-1).astype(np.float32, copy=False)
            return Classification(activate(logits, self._head.activation), self.labels)
